"""A canary's share of the requests, through `predict` as a process before real endpoints, and what it tells of them."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from dropforge.contracts import predictions
from dropforge.contracts.canary import Canary
from dropforge.contracts.settings import Settings
from dropforge.core import canary, champion
from dropforge.ml import serving
from functions.predict.answering.champions import Serving
from functions.predict.answering.endpoint import Endpoint
from functions.predict.answering.upstream import Upstream
from tests.functions.predict.conftest import Deployment, Predict
from tests.functions.predict.test_endpoint import SERVING, Told, told
from tests.functions.trained import flights, trained
from tests.waiting import until

__all__ = ["told"]
QUESTIONS = 120


@pytest.fixture(scope="module")
def baking(deployment: Deployment) -> Iterator[Canary]:
    """Version 1 serves the flights, and another is the canary with a quarter of the requests."""
    first = deployment.publish(trained())
    candidate = trained(2).candidate
    digests = candidate.artefact_sha256, candidate.compiled_sha256
    registered = deployment.vertex.register(
        "flights", candidate.candidate_id, trained(2).store(deployment.state), *digests
    )
    deployed = deployment.vertex.deploy("flights", *registered)
    begun = Canary(
        pipeline="flights",
        candidate_id=candidate.candidate_id,
        version=deployed.version,
        model=deployed.model,
        champion_id=first.candidate_id,
        champion_version=first.version,
        champion_generation=champion.current(deployment.state, "flights")[1],
        shares=[25],
        began=first.published,
        since=first.published,
        looked=first.published,
        by="a test",
    )
    canary.put(deployment.state, begun, canary.current(deployment.state, "flights")[1])
    champion.follow(deployment.state, deployment.vertex, "flights")
    yield begun
    ended = begun.model_copy(update={"status": "failed"})
    canary.put(deployment.state, ended, canary.current(deployment.state, "flights")[1])
    champion.follow(deployment.state, deployment.vertex, "flights")


def versions(function: Predict, baking: Canary) -> Counter[str]:
    """Who answers `QUESTIONS` requests; each answer is that of the version that it names."""
    asked = flights()[:1]
    models = {baking.champion_version: trained(), baking.version: trained(2)}
    expected = {version: serving.predict(each.model, asked)[0] for version, each in models.items()}
    assert len(set(expected.values())) == 2
    found: Counter[str] = Counter()
    for _ in range(QUESTIONS):
        response = function.ask({"instances": asked})
        assert response.status_code == 200
        (answer,) = response.json()["predictions"]
        found[answer["version"]] += 1
        assert answer["probability"] == expected[answer["version"]]
    return found


def counted(deployment: Deployment, begun: Canary, function: Predict) -> dict[str, int]:
    """Answers by version as the process tells, once these are `QUESTIONS`; it tells only while it is asked."""

    def look() -> dict[str, int]:
        function.ask({"instances": flights()[:1]})
        answered = canary.merged(deployment.state, begun).answered
        found = {version: sum(counts) for version, counts in answered.items()}
        return found if sum(found.values()) >= QUESTIONS else {}

    return until(look, pause=0.1)


def test_the_endpoint_gives_it_its_share_and_predict_counts_it(
    deployment: Deployment, baking: Canary, predict: Predict
) -> None:
    """The split is the endpoint's; who answered how fast, only `predict` knows."""
    predict.ask({"instances": flights()[:1]})
    found = versions(predict, baking)
    assert found[baking.version] == pytest.approx(QUESTIONS / 4, abs=1)
    told_of = counted(deployment, baking, predict)
    assert told_of.keys() == {baking.champion_version, baking.version}
    assert told_of[baking.version] == pytest.approx(sum(told_of.values()) / 4, abs=1)


def test_without_an_endpoint_predict_divides_the_requests_itself(baking: Canary, inline: Predict) -> None:
    """The inline backend has nobody else who could; by chance, so the share is wide."""
    found = versions(inline, baking)
    assert set(found) == {"1", baking.version}
    assert QUESTIONS / 10 < found[baking.version] < QUESTIONS / 2


def test_every_failed_try_is_counted_though_the_caller_gets_an_answer(told: Told) -> None:
    """A canary whose requests are all repeated on the champion would look as if it had none."""
    told.answers = ((503, b"{}"), (0, b""), (200, b'{"predictions": [{}]}'))
    failures: list[Serving] = []

    async def ask() -> None:
        upstream = Upstream()
        settings = Settings.read(
            {"GOOGLE_CLOUD_PROJECT": "p", "DROPFORGE_VERTEX_API": f"http://127.0.0.1:{told.server_port}"}
        )
        await Endpoint(settings, upstream, failures.append).ask(SERVING, predictions.Request([{}]), b"{}")
        await upstream.close()

    asyncio.run(ask())
    assert failures == [SERVING, SERVING]


class Caller(threading.Thread):
    """Asks without a pause until it is told to stop, and keeps every answer's status and version."""

    def __init__(self, function: Predict) -> None:
        super().__init__()
        self.function = function
        self.stop = threading.Event()
        self.answers: list[tuple[int, str]] = []

    def run(self) -> None:
        """One request after the other."""
        asked = {"instances": flights()[:1]}
        while not self.stop.is_set():
            response = self.function.ask(asked)
            told = response.json().get("predictions", [{}])[0]
            self.answers.append((response.status_code, told.get("version", "")))

    def reaches(self, version: str, more: int = 20) -> None:
        """Until so many more answers have come, one of them by this version."""
        before = len(self.answers)
        until(lambda: len(self.answers) >= before + more and version in [told for _, told in self.answers[before:]])


def test_no_request_fails_while_a_canary_begins_grows_and_is_taken_back(
    deployment: Deployment, baking: Canary, predict: Predict
) -> None:
    """Every move is made on real endpoints with real servers while somebody asks; each answer names its version."""
    state, caller = deployment.state, Caller(predict)
    caller.start()
    try:
        for change in ({"shares": [50]}, {"status": "failed"}, {"status": "baking", "shares": [90]}):
            moved = baking.model_copy(update=change)
            canary.put(state, moved, canary.current(state, "flights")[1])
            champion.follow(state, deployment.vertex, "flights")
            caller.reaches(baking.version if moved.baking else baking.champion_version)
    finally:
        caller.stop.set()
        caller.join()
    assert {status for status, _ in caller.answers} == {200}
    assert {version for _, version in caller.answers} == {baking.champion_version, baking.version}
