"""A small pipeline of made-up visits to a shop, whose batches are laid down as validation would leave them."""

import copy
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dropforge.contracts import places
from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.events import BatchAccepted
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import Pipeline, parse
from dropforge.contracts.verdicts import BatchVerdict
from dropforge.core.twins import MemoryJobs, MemoryObjects, MemoryPlatform, MemoryTopics, MemoryVersion, SetClock
from dropforge.ml import artefact, serving

YAML = """
pipeline: shop
purpose: Will a visitor buy?
table: visits
tables:
  visits:
    key: [id]
    time: at
    columns:
      id: {type: integer, required: true}
      at: {type: timestamp, required: true}
      region: {type: category, required: true}
      pages: {type: number}
      bought: {type: integer}
label: {name: buys, column: bought, above: 0}
features: [region, pages, {name: hour, column: at, part: hour}]
slices: [region]
success: {metric: roc_auc, floor: 0.55, slice_margin: 0.05, min_slice_rows: 50}
training: {mode: MODE, new_rows: 500, holdout_days: 5, models: [boosting], seed: 3}
"""


@dataclass
class Shop:
    """Everything that a step takes, in memory."""

    mode: str = "dynamic"
    text: str = YAML
    state: MemoryObjects = field(default_factory=MemoryObjects)
    topics: MemoryTopics = field(default_factory=MemoryTopics)
    jobs: MemoryJobs = field(default_factory=MemoryJobs)
    clock: SetClock = field(default_factory=SetClock)
    platform: MemoryPlatform = field(init=False)
    rows: int = 0

    def __post_init__(self) -> None:
        self.platform = MemoryPlatform(server=self.answer)
        self.state.create(places.pipeline_yaml("shop"), self.text.replace("MODE", self.mode).encode())

    def copy(self) -> "Shop":
        """Another world that goes on from here."""
        other = Shop(self.mode, self.text, topics=MemoryTopics(list(self.topics.published)), rows=self.rows)
        other.clock.seconds = self.clock.seconds
        other.jobs = MemoryJobs(dict(self.jobs.started))
        other.state = MemoryObjects(self.state.bucket, copy.deepcopy(self.state._versions), self.state._last)
        for name in ("versions", "deployed", "traffic", "canary", "seconds", "alias"):
            setattr(other.platform, name, copy.deepcopy(getattr(self.platform, name)))
        return other

    @property
    def pipeline(self) -> Pipeline:
        """The deployed pipeline."""
        return parse(self.text.replace("MODE", self.mode))

    def land(
        self, name: str, rows: int = 600, noise: float = 1.0, change: Callable[[pa.Table], pa.Table] | None = None
    ) -> BatchAccepted:
        """An accepted batch: a visit every half hour from where the last one ended. Noise makes it hard to predict."""
        table = visits(rows, self.rows, noise)
        table = change(table) if change else table
        self.rows += rows
        source = Source(bucket="landing", name=f"shop/{name}", generation=self.rows)
        batch = Batch(pipeline="shop", table="visits", batch_id=source.batch_id)
        content = io.BytesIO()
        pq.write_table(table, content)
        generation = self.state.create(places.accepted_rows(batch), content.getvalue())
        verdict = BatchVerdict(
            batch=batch,
            source=source,
            status="accepted",
            rows_read=rows,
            rows_accepted=rows,
            rows_quarantined=0,
            rows_labelled=rows - table["bought"].null_count,
            reasons=[],
            pipeline_generation=1,
            accepted_generation=generation,
        )
        self.state.create(places.batch_verdict(batch), verdict.model_dump_json().encode(), verdict.ledger_line())
        return BatchAccepted(pipeline="shop", table="visits", batch_id=batch.batch_id)

    def answer(self, version: MemoryVersion, instances: list[dict[str, object]]) -> list[object]:
        """What the model server says."""
        name = version.artefact_uri.removeprefix(f"gs://{self.state.bucket}/")
        model = artefact.load(self.state.read(f"{name}model.joblib")[0], version.sha256)
        outcome = Candidate.model_validate_json(self.state.read(f"{name}candidate.json")[0]).outcome
        return [outcome.answer(given, threshold=0.5) for given in serving.predict(model, instances)]


def visits(rows: int, start: int = 0, noise: float = 1.0) -> pa.Table:
    """Rows whose chance to buy grows with the pages seen, more so in the north; one page count in ten is missing."""
    random = np.random.default_rng([rows, start, int(noise * 100)])
    region = random.choice(["north", "south", "west"], rows)
    pages = random.gamma(3.0, 2.0, rows)
    wish = np.where(region == "north", 0.8, 0.4) * (pages - 6) + noise * random.logistic(size=rows)
    began = datetime(2024, 1, 1, tzinfo=UTC)
    return pa.table(
        {
            "id": pa.array(range(start, start + rows)),
            "at": pa.array(
                [began + timedelta(minutes=30 * (start + step)) for step in range(rows)], pa.timestamp("us", "UTC")
            ),
            "region": region.tolist(),
            "pages": pa.array(pages, mask=random.random(rows) < 0.1),
            "bought": pa.array((wish > 0).astype(int)),
            "_batch_id": ["" for _ in range(rows)],
            "_row": pa.array(range(rows)),
        }
    )
