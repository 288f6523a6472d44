"""The log of answered predictions: gathered in memory, published beside the answers, a chunk at a time.

**What may be lost.** With `loss: bounded`, an answer does not wait for its log. A process that is killed loses what it
answered in the last `EVERY` seconds, and what was on its way to Pub/Sub; while Pub/Sub takes nothing, up to `MOST_ROWS`
are held, and what comes on top is dropped and counted in an error. One that is asked to end publishes first. Cloud Run
gives a function no processor time between requests unless billing is by instance: there the last chunk of a busy time
goes out with the next request, or when the instance is asked to end. With `loss: none` an answer waits for Pub/Sub.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import orjson

from dropforge.contracts import logged, predictions
from dropforge.contracts.errors import ServiceUnavailable
from dropforge.gcp import logs

from .champions import Serving
from .logging_rules import Rules
from .publisher import Message, Publisher

EVERY = 0.1  # seconds
MOST_ROWS = 50_000  # held
CHUNK_ROWS = 1_000  # in one message
CHUNK_BYTES = 1_000_000  # of rows in one message, unless one row alone has more
AT_ONCE = 5  # messages in one call
# Of the messages in one call: it takes 10 MB, in which they are a third longer, in base64.
# https://cloud.google.com/pubsub/quotas#resource_limits
CALL_BYTES = 7_000_000
NOT_KEPT = frozenset({"id", "version", "explanation"})  # of an answer: the first two are columns of their own

log = logs.logger("predict")


@dataclass(frozen=True, slots=True)
class Answered:
    """One request with its answers, which carry their ids; made into rows when it is published."""

    serving: Serving
    asked: predictions.Request
    answered: dict[str, Any]
    at: float
    rules: Rules


class PredictionLog:
    """What this process answered and did not publish yet."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._waiting: list[Answered] = []
        self._rows = 0
        self._made: list[Message] = []
        self._held = 0
        self._dropped = 0
        self._task: asyncio.Task[None] | None = None

    async def keep(self, entry: Answered) -> None:
        """Keep an answer's log; where its rules say so, return once Pub/Sub has it.

        Raises:
            ServiceUnavailable: it shall wait, and Pub/Sub does not take it.
        """
        if entry.rules.waits:
            await self._send(_messages([entry]))
            return
        rows = len(entry.asked.instances)
        if self._rows + rows > MOST_ROWS:
            self._dropped += rows
            return
        self._waiting.append(entry)
        self._rows += rows
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        """Publish until nothing waits; asked to end, publish what is there at once."""
        while self._waiting or self._made:
            try:
                await asyncio.sleep(EVERY)
            finally:
                await self._flush()

    async def _flush(self) -> None:
        if not self._made:  # else an earlier try may have sent them: they keep their names, and nothing is logged twice
            self._made, self._held, self._waiting = _messages(self._waiting), self._rows, []
        try:
            await self._send(self._made)
            self._rows -= self._held
        except ServiceUnavailable as error:
            log.warning(f"The log of {self._rows} predictions is not published yet: {error}")
        if self._dropped:
            log.error(f"Pub/Sub took no log for too long: that of {self._dropped} predictions is lost.")
            self._dropped = 0

    async def _send(self, messages: list[Message]) -> None:
        """Publish the messages, and take out of the list what Pub/Sub has."""
        while messages:
            first = _in_one_call(messages)
            await self._publisher.publish(logged.PREDICTIONS_TOPIC, messages[:first])
            del messages[:first]


def _in_one_call(messages: list[Message]) -> int:
    """How many of them, from the first on, one call takes; one at least."""
    sizes = accumulate(len(data) for data, _ in messages[:AT_ONCE])
    return max(1, sum(size <= CALL_BYTES for size in sizes))


def _messages(entries: list[Answered]) -> list[Message]:
    by_pipeline: dict[str, list[bytes]] = {}
    for entry in entries:
        by_pipeline.setdefault(entry.serving.champion.pipeline, []).extend(map(orjson.dumps, rows(entry)))
    return [message(pipeline, chunk) for pipeline, found in by_pipeline.items() for chunk in _chunks(found)]


def _chunks(found: list[bytes]) -> Iterator[list[bytes]]:
    """Rows as JSON, as many at a time as a message takes."""
    chunk: list[bytes] = []
    size = 0
    for row in found:
        if chunk and (len(chunk) == CHUNK_ROWS or size + len(row) > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += len(row)
    if chunk:
        yield chunk


def rows(entry: Answered) -> list[dict[str, Any]]:
    """The rows of one request, as `events.LoggedPrediction`; an instance that was refused has none.

    Explanations are not kept, whichever way the answer is logged.
    """
    asked, rules = entry.asked, entry.rules
    keys = asked.row_keys
    version = entry.answered.get("modelVersionId", "")
    head = {
        "at": datetime.fromtimestamp(entry.at, UTC).isoformat(),
        "version": version,
        "candidate_id": entry.serving.candidate_of(version),
    }
    return [
        {
            **head,
            "id": answer["id"],
            "key": logged.key_name(keys[index]) if keys else None,
            "instance": rules.masking(asked.instances[index]),
            "answer": {name: value for name, value in answer.items() if name not in NOT_KEPT},
        }
        for index, answer in enumerate(entry.answered["predictions"])
        if "error" not in answer
    ]


def message(pipeline: str, found: list[bytes]) -> Message:
    """A chunk of rows in JSON as a message of `events.PredictionsLogged`.

    Its name begins with the time: chunks lie in order.
    """
    chunk = f"{time.time_ns() // 1_000_000:013d}-{os.urandom(6).hex()}"
    data = orjson.dumps({"pipeline": pipeline, "chunk": chunk, "rows": [orjson.Fragment(row) for row in found]})
    return data, {"schema": logged.PREDICTIONS_SCHEMA, "pipeline": pipeline}
