"""How answers become rows, messages and calls of the log, in memory: what a row holds, and what is cut and dropped."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

from dropforge.contracts import predictions
from dropforge.contracts.errors import ServiceUnavailable
from dropforge.contracts.events import PredictionsLogged, parse
from dropforge.contracts.settings import Settings
from functions.predict.answering import prediction_log
from functions.predict.answering.beside import Beside
from functions.predict.answering.explaining import explained
from functions.predict.answering.logging_rules import Rules
from functions.predict.answering.prediction_log import Answered, PredictionLog
from functions.predict.answering.publisher import Message, Publisher
from functions.predict.answering.upstream import Upstream
from tests.functions.predict.test_endpoint import SERVING


class Taking(Publisher):
    """A Pub/Sub that refuses a call of more than 10 MB as the real one does, and others while it is `full`."""

    def __init__(self) -> None:
        super().__init__(Settings.read({"GOOGLE_CLOUD_PROJECT": "p"}), Upstream())
        self.full = False
        self.calls: list[list[bytes]] = []

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Keep the messages of a call."""
        if self.full or 4 * sum(len(data) for data, _ in messages) / 3 > 10_000_000:
            raise ServiceUnavailable("400.", topic=topic)
        self.calls.append([data for data, _ in messages])


def answered(instances: int, size: int = 1, waits: bool = False) -> Answered:
    """A request of so many instances, each of so many bytes."""
    asked = predictions.Request([{"text": "x" * size}] * instances)
    told = [{"probability": 0.5, "id": f"2026010100-{0:016d}-{index}"} for index in range(instances)]
    return Answered(SERVING, asked, {"predictions": told, "modelVersionId": "1"}, 0.0, Rules(waits=waits))


@pytest.mark.parametrize(("instances", "size"), [(3_000, 10), (3_000, 9_000), (12, 1_400_000)])
def test_large_rows_go_out_in_calls_that_pubsub_takes(instances: int, size: int) -> None:
    """One call that is too large would be refused again and again, and the log of every pipeline would wait behind."""
    taking = Taking()
    asyncio.run(PredictionLog(taking).keep(answered(instances, size, waits=True)))
    events = [parse(PredictionsLogged, data) for call in taking.calls for data in call]
    assert [row.id for event in events for row in event.rows] == [
        f"2026010100-{0:016d}-{index}" for index in range(instances)
    ]
    assert max(len(event.rows) for event in events) <= prediction_log.CHUNK_ROWS


@pytest.mark.parametrize(("version", "candidate"), [("1", "c"), ("2", "other"), ("3", "")])
def test_a_row_names_the_candidate_of_the_version_that_answered(version: str, candidate: str) -> None:
    """A canary's answers are told from the champion's by it; where the pointer moved meanwhile, nobody knows it."""
    canary = replace(SERVING.champion, candidate_id="other", version="2")
    entry = answered(1)
    serving = replace(SERVING, beside=Beside(canary, SERVING.candidate, 10))
    (row,) = prediction_log.rows(
        replace(entry, serving=serving, answered={**entry.answered, "modelVersionId": version})
    )
    assert row["candidate_id"] == candidate


def test_an_explained_answer_is_logged_without_its_explanation_whenever_it_is_logged() -> None:
    """Before the caller has it, as `loss: none` wants, or after: what is kept must not hang on that."""
    entry = answered(1)
    entry.answered["predictions"][0]["explanation"] = {"base": 0.0, "raw": 0.0, "contributions": {"text": 0.0}}
    before = prediction_log.rows(entry)
    (told,) = explained(entry.answered)["predictions"]
    assert told == {"probability": 0.5, "id": entry.answered["predictions"][0]["id"]}
    assert prediction_log.rows(entry) == before
    assert before[0]["answer"] == {"probability": 0.5}


def test_what_is_dropped_is_told_while_pubsub_still_takes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Told only after a success, a loss in an outage that does not end would never be."""

    async def outage() -> None:
        taking = Taking()
        taking.full = True
        kept = PredictionLog(taking)
        for _ in range(6):
            await kept.keep(answered(10_000))
        await asyncio.sleep(5 * prediction_log.EVERY)
        assert "that of 10000 predictions is lost" in caplog.text
        taking.full = False
        await asyncio.sleep(5 * prediction_log.EVERY)
        assert sum(len(parse(PredictionsLogged, data).rows) for call in taking.calls for data in call) == 50_000

    with caplog.at_level(logging.WARNING):
        asyncio.run(outage())
