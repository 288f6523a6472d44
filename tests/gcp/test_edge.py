"""The edge: real event payloads in, a delivery acknowledged or repeated, and JSON lines that say which."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cloudevents.http import CloudEvent, from_dict

from dropforge.contracts.errors import EventInvalid, FileUnreadable, LeaseHeld, ServiceUnavailable
from dropforge.contracts.events import BatchAccepted, BatchStaged, Event
from dropforge.core.twins import MemoryTopics
from dropforge.gcp import edge
from dropforge.gcp.tracing import Context

EVENTS = Path(__file__).with_name("events")
STORED = f"{edge.STORAGE}.json"
PUBLISHED = f"{edge.PUBSUB}.json"


def event(file: str, **changed: Any) -> CloudEvent:
    """A real payload, with parts of its data changed."""
    payload = json.loads((EVENTS / file).read_text())
    target = payload["data"]["message"] if "message" in payload["data"] else payload["data"]
    target.update(changed)
    return from_dict(payload)


class Down(MemoryTopics):
    """Topics that nobody can publish to."""

    def publish(self, event: Event) -> None:
        """Fails."""
        raise ServiceUnavailable(f"No {event.topic} now.")


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryTopics]:
    """This process's services, with topics in memory."""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "test-project")
    edge.services.cache_clear()
    edge.services().topics = twin = MemoryTopics()
    yield twin
    edge.services.cache_clear()


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines on standard output."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_dropped_file_is_known_by_its_generation() -> None:
    """In the event the generation is a string of digits; the batch id comes from the number."""
    source = edge.storage_source(event(STORED))
    assert (source.uri, source.generation) == ("gs://test-landing/flights/2013-01-EWR.csv", 1770091506789123)


@pytest.mark.parametrize("changed", [{"generation": 7}, {"generation": "x"}, {"name": ""}, {"bucket": None}])
def test_a_storage_event_that_cannot_be_real_is_refused(changed: dict[str, Any]) -> None:
    """Guessing a generation would give one file two batches."""
    with pytest.raises(EventInvalid, match="Expected bucket, name and a generation in digits"):
        edge.storage_source(event(STORED, **changed))


def test_a_message_is_read_as_its_event() -> None:
    """The data is base64 within JSON."""
    staged = edge.message(event(PUBLISHED), BatchStaged)
    assert staged == BatchStaged(pipeline="flights", table="flights", batch_id="7f1884741c37666be7af")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"data": "%%"}, "base64"),
        ({"data": "bm90IGpzb24="}, "not json"),
        ({"data": ""}, "batch.staged/1"),
        ({"attributes": {"schema": "batch.staged/2"}}, "batch.staged/2"),
    ],
)
def test_a_message_of_another_form_is_refused(changed: dict[str, Any], said: str) -> None:
    """A person can publish anything to a topic; the refusal says what was expected and found."""
    with pytest.raises(EventInvalid, match=said):
        edge.message(event(PUBLISHED, **changed), BatchStaged)


@pytest.mark.parametrize("kind", [BatchAccepted, BatchStaged])
def test_an_event_of_the_wrong_kind_is_refused(kind: type[Event]) -> None:
    """A trigger that is wired to the wrong source must not look like an empty one."""
    with pytest.raises(EventInvalid, match=edge.PUBSUB):
        edge.message(event(STORED), kind)
    with pytest.raises(EventInvalid, match=edge.STORAGE):
        edge.storage_source(event(PUBLISHED))


def test_a_delivery_logs_its_start_and_end_with_event_and_trace(
    topics: MemoryTopics, capsys: pytest.CaptureFixture[str]
) -> None:
    """One query by event id, or by trace, shows all that a delivery did."""
    with edge.delivery("ingest", event(STORED)) as services:
        assert services is edge.services()
    first, last = logged(capsys)
    for line in (first, last):
        assert (line["severity"], line["function"], line["pipeline"]) == ("INFO", "ingest", "flights")
        assert line["event_id"] == "11205742918334590"
        # Of the file's generation, not of the event's own traceparent: a trace that `./deploy.sh trace` can name.
        trace = Context.of_object("test-landing", "flights/2013-01-EWR.csv", 1770091506789123).trace_id
        assert line["logging.googleapis.com/trace"] == f"projects/test-project/traces/{trace}"
    assert last["outcome"] == "done"
    assert topics.published == []


def test_a_permanent_error_is_acknowledged_and_raised_as_an_alert(
    topics: MemoryTopics, capsys: pytest.CaptureFixture[str]
) -> None:
    """To deliver it again would change nothing; a person has to know."""
    with edge.delivery("ingest", event(STORED)):
        raise FileUnreadable("Expected a table. Found a picture.", code="binary_content")
    (alert,) = topics.published
    assert alert.model_dump() == {
        "pipeline": "flights",
        "severity": "error",
        "code": "binary_content",
        "subject": "gs://test-landing/flights/2013-01-EWR.csv",
        "sentence": "ingest: Expected a table. Found a picture.",
        "status": "raised",
        "key": "",
        "facts": {},
    }
    last = logged(capsys)[-1]
    assert (last["severity"], last["outcome"], last["error"]["type"]) == ("ERROR", "acknowledged", "FileUnreadable")


@pytest.mark.usefixtures("topics")
def test_a_permanent_error_whose_alert_cannot_be_raised_is_repeated() -> None:
    """Acknowledged without an alert, it would be gone and nobody would know."""
    edge.services().topics = Down()
    with pytest.raises(ServiceUnavailable), edge.delivery("ingest", event(STORED)):
        raise FileUnreadable("Expected a table.")


@pytest.mark.parametrize(("error", "severity"), [(LeaseHeld("busy"), "WARNING"), (ValueError("a bug"), "ERROR")])
def test_a_transient_or_unknown_error_is_repeated(
    topics: MemoryTopics, capsys: pytest.CaptureFixture[str], error: Exception, severity: str
) -> None:
    """Only what is known to be hopeless may be acknowledged."""
    with pytest.raises(type(error)), edge.delivery("validate", event(PUBLISHED)):
        raise error
    last = logged(capsys)[-1]
    assert (last["severity"], last["outcome"]) == (severity, "repeated")
    assert last["error"]["message"] == str(error)
    assert ("stack_trace" in last) == isinstance(error, ValueError)
    assert topics.published == []


@pytest.mark.parametrize("data", [None, "text", {"message": None}, {"message": {"attributes": "x"}}])
def test_an_event_of_any_shape_ends_in_an_alert(topics: MemoryTopics, data: Any) -> None:
    """What cannot be read must neither crash the edge nor be delivered for ever."""
    strange = from_dict({**json.loads((EVENTS / PUBLISHED).read_text()), "data": data})
    with edge.delivery("validate", strange):
        edge.message(strange, BatchStaged)
    assert [alert.model_dump()["code"] for alert in topics.published] == ["event_invalid"]


def test_the_edge_imports_no_client_library() -> None:
    """A function pays at its cold start for the clients that it uses, and no others."""
    code = "import sys, dropforge.gcp.edge; print(sorted(m for m in sys.modules if m.startswith('google.')))"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": "shared"}
    )
    assert ended.stdout.strip() in ("[]", "['google.cloud']")  # a namespace, which some packages' .pth files make
