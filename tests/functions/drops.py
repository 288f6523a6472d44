"""A deployment in memory with one small pipeline, into which tests drop files, and a way to let it die in between."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pyarrow.parquet as pq

from dropforge.contracts import places
from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.events import AlertRaised
from dropforge.contracts.verdicts import BatchVerdict, Staged
from dropforge.core import quarantine
from dropforge.core.quarantine import Held
from dropforge.core.twins import MemoryObjects, MemoryTopics, MemoryWarehouse, SetClock
from functions.ingest.steps import ingest
from functions.validate.steps import validate

PIPELINE = b"""
pipeline: shop
purpose: Test.
table: sales
tables:
  sales:
    key: [id]
    time: at
    max_bad_share: 0.5
    columns:
      id: {type: integer, required: true}
      at: {type: timestamp, required: true}
      amount: {type: number, unit: EUR, min: 0, max: 1000}
      kind: {type: category, allowed: [big, small]}
      note: {type: text}
label: {name: costly, column: amount, above: 10}
features: [kind]
success: {metric: roc_auc, floor: 0.5, slice_margin: 0.1}
training: {mode: static}
"""
HEADER = "id,at,amount,kind,note\n"


class Died(Exception):
    """The process was killed here."""


@dataclass
class Dying:
    """A store whose writes are counted together with those of others; at the chosen one, the process dies."""

    store: Any
    countdown: list[int]
    after: bool  # whether the write still has its effect

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        return self._counted(found) if name in ("create", "replace", "publish", "load") else found

    def _counted(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.countdown[0] -= 1
            if self.countdown[0] == 0 and not self.after:
                raise Died
            result = write(*arguments, **named)
            if self.countdown[0] == 0:
                raise Died
            return result

        return counted


@dataclass
class Shop:
    """The stores of one deployment."""

    landing: Any = field(default_factory=lambda: MemoryObjects("landing"))
    state: Any = field(default_factory=lambda: MemoryObjects("state"))
    topics: Any = field(default_factory=MemoryTopics)
    warehouse: Any = field(default_factory=MemoryWarehouse)

    def deploy(self, text: bytes = PIPELINE, name: str = "shop") -> "Shop":
        """Deploy a pipeline, or its next generation."""
        place = places.pipeline_yaml(name)
        before = [info.generation for info in self.state.list(place)]
        self.state.replace(place, text, before[0] if before else 0)
        return self

    def put(self, content: bytes | str, name: str = "shop/sales.csv") -> Source:
        """Write an object, over what is there, without anything being run for it."""
        before = [info.generation for info in self.landing.list(name) if info.name == name]
        body = content.encode() if isinstance(content, str) else content
        generation = self.landing.replace(name, body, before[0] if before else 0)
        return Source(bucket="landing", name=name, generation=generation)

    def ingest(self, source: Source) -> Staged | None:
        """One delivery of the object's event."""
        return ingest(source, self.landing, self.state, self.topics)

    def validate(self, batch: Batch) -> BatchVerdict:
        """One delivery of batch.staged."""
        return validate(batch, self.state, self.topics, self.warehouse)

    def drop(self, content: bytes | str, name: str = "shop/sales.csv") -> BatchVerdict:
        """A file all the way to its verdict."""
        staged = self.ingest(self.put(content, name))
        assert staged is not None
        return self.validate(staged.batch)

    def judge_again(
        self, held: Held, action: Literal["replay", "release"] = "replay", because: str = ""
    ) -> BatchVerdict | None:
        """What ann asks for of a quarantined file, and the verdict on it; None where the rules have not changed."""
        to = quarantine.judge_again(held, action, "ann", because, self.state, self.topics, SetClock())
        return self.validate(to) if to else None

    def dying(self, at: int, after: bool) -> "Shop":
        """The same stores for a process that dies at the write numbered `at`."""
        left = [at]
        return Shop(*(Dying(store, left, after) for store in vars(self).values()))

    def rows(self, place: str) -> list[dict[str, Any]]:
        """The rows of a Parquet object."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "rows.parquet"
            self.state.download(place, path)
            found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return found

    def accepted(self, verdict: BatchVerdict) -> list[dict[str, Any]]:
        """The batch's accepted rows."""
        return self.rows(places.accepted_rows(verdict.batch)) if verdict.rows_accepted else []

    def quarantined(self, verdict: BatchVerdict) -> list[dict[str, Any]]:
        """The batch's quarantined rows."""
        return self.rows(places.quarantined_rows(verdict.batch)) if verdict.rows_quarantined else []

    def alerts(self) -> list[AlertRaised]:
        """Every alert so far."""
        return [event for event in self.topics.published if isinstance(event, AlertRaised)]

    def everything(self) -> dict[str, Any]:
        """Every live object and every load; of the history, which holds times, that its lines are there and loaded."""
        objects = {i.name: (self.state.read(i.name)[0], dict(i.metadata)) for i in self.state.list("")}
        objects |= {name: (b"", {}) for name in objects if name.endswith("/load.parquet")}
        return {**objects, "loads": dict(self.warehouse.jobs)}

    def loaded_rows(self) -> dict[str, Any]:
        """Every load that ran, but for the lines of the load history."""
        return {job: to for job, to in self.warehouse.jobs.items() if to[1] != places.LOADS_TABLE}
