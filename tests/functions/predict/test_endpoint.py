"""What `predict` makes of an endpoint that does not keep its promise, before a server that answers as it is told."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dropforge.contracts import predictions
from dropforge.contracts.errors import DropforgeError, NotFound, ServiceUnavailable
from dropforge.contracts.instances import Signature
from dropforge.contracts.served import ServedCandidate, ServedChampion
from dropforge.contracts.settings import Settings
from functions.predict.answering.champions import Serving
from functions.predict.answering.endpoint import Endpoint
from functions.predict.answering.upstream import Upstream

CHAMPION = ServedChampion("p", "c", "1", "models/m", "projects/p/endpoints/e", "1", "0", "", "")
SERVING = Serving(CHAMPION, ServedCandidate("p", "c", "0", None, "", []), Signature([]), 0.0)


class Told(ThreadingHTTPServer):
    """Answers every POST with what it is told, and counts."""

    answers: tuple[tuple[int, bytes], ...] = ()
    asked = 0


class Handler(BaseHTTPRequestHandler):
    """One answer after the other; the last one again and again."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer, or cut the connection where the status is 0."""
        server = self.server
        assert isinstance(server, Told)
        self.rfile.read(int(self.headers["content-length"]))
        status, body = server.answers[min(server.asked, len(server.answers) - 1)]
        server.asked += 1
        if status:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        self.close_connection = not status

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def told() -> Iterator[Told]:
    """A server on a free port."""
    with Told(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(told: Told, *answers: tuple[int, bytes]) -> object:
    """One question."""
    told.answers = answers
    api = f"http://127.0.0.1:{told.server_address[1]}"
    settings = Settings.read({"GOOGLE_CLOUD_PROJECT": "p", "DROPFORGE_VERTEX_API": api})

    async def once() -> object:
        upstream = Upstream(patience=0.4)
        try:
            return await Endpoint(settings, upstream).ask(SERVING, predictions.Request([{}]), b"{}")
        finally:
            await upstream.close()

    return asyncio.run(once())


GOOD = (200, b'{"predictions": [{"probability": 0.5}]}')


@pytest.mark.parametrize("first", [(0, b""), (503, b""), (429, b"slow down"), (500, b"oops")])
def test_what_may_pass_is_asked_again(told: Told, first: tuple[int, bytes]) -> None:
    """A replica that ends, or is drained, in the middle of a request costs the caller nothing but time."""
    assert ask(told, first, first, GOOD) == {"predictions": [{"probability": 0.5}]}
    assert told.asked == 3


@pytest.mark.parametrize(
    "answer", [(200, b"<html>"), (200, b"[]"), (200, b'{"predictions": []}'), (400, b"no"), (403, b"not you")]
)
def test_an_answer_that_breaks_the_contract_is_no_answer(told: Told, answer: tuple[int, bytes]) -> None:
    """Handed on, a missing prediction would be matched with the wrong instance."""
    with pytest.raises(ServiceUnavailable, match="endpoints/e:predict"):
        ask(told, answer)
    assert told.asked == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [((404, b"{}"), NotFound), ((400, b'{"error": {"status": "FAILED_PRECONDITION"}}'), NotFound)],
)
def test_an_endpoint_without_the_model_is_told_apart(
    told: Told, answer: tuple[int, bytes], error: type[DropforgeError]
) -> None:
    """Only then is the champion pointer read again before its time."""
    with pytest.raises(error):
        ask(told, answer)


def test_asking_again_has_an_end(told: Told) -> None:
    """A caller rather hears soon that the model does not answer; pauses of 0.05, 0.1 and 0.2 s fit into 0.4 s."""
    with pytest.raises(ServiceUnavailable, match="503"):
        ask(told, (503, b""))
    assert 2 <= told.asked <= 4
