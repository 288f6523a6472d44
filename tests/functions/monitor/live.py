"""Predictions of the shop's champion as `predict` logs them, and labels as callers give them."""

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from dropforge.contracts import logged, places
from dropforge.contracts.events import GivenLabel, LabelsGiven, LabelsRecorded, LoggedPrediction, PredictionsLogged
from dropforge.core import candidates, champion
from dropforge.ml import artefact, serving
from functions.monitor import steps
from functions.record import steps as record
from tests.ml.crash import Fuse, Mortal
from tests.ml.shop import Shop, visits

FIELDS = ("region", "pages", "at")


def answers(shop: Shop, rows: pa.Table, name: str, keys: bool = False) -> PredictionsLogged:
    """What the champion says of rows, with ids of one hour or, by `keys`, of the keys' partitions."""
    now, _ = champion.current(shop.state, "shop")
    assert now is not None
    candidate = candidates.find(shop.state, "shop", now.candidate_id)
    assert candidate is not None
    content, _ = shop.state.read(places.candidate("shop", now.candidate_id, "model.joblib"))
    instances = [json.loads(json.dumps(row, default=datetime.isoformat)) for row in rows.select(FIELDS).to_pylist()]
    given = serving.predict(artefact.load(content, candidate.artefact_sha256), instances)
    named = [logged.key_name({"id": row}) if keys else None for row in rows["id"].to_pylist()]
    return PredictionsLogged(
        pipeline="shop",
        chunk=name,
        rows=[
            LoggedPrediction(
                id=logged.prediction_id(
                    logged.partition_of_key(key) if key else "2024020100", f"{int(name, 36) % 4096:03x}{index:013x}", 0
                ),
                at=datetime(2024, 2, 1, tzinfo=UTC).isoformat(),
                version=now.version,
                candidate_id=now.candidate_id,
                key=key,
                instance=instance,
                answer=candidate.outcome.answer(each, 0.5),
            )
            for index, (instance, each, key) in enumerate(zip(instances, given, named, strict=True))
        ],
    )


def labels(told: PredictionsLogged, rows: pa.Table, name: str, at: str = "2024-02-02T00:00:00+00:00") -> LabelsGiven:
    """What came of the answered rows, by id."""
    bought = [bool(value) for value in rows["bought"].to_pylist()]
    given = [GivenLabel(id=row.id, key=None, label=label) for row, label in zip(told.rows, bought, strict=True)]
    return LabelsGiven(pipeline="shop", chunk=name, at=at, rows=given)


def deliver(shop: Shop, *events: Any, fuse: Fuse | None = None) -> None:
    """Events to `record`, and what it tells to `monitor`, until nothing is left to tell."""
    fuse = fuse or Fuse()
    state, topics = Mortal(shop.state, fuse), Mortal(shop.topics, fuse)
    seen = len(shop.topics.published)
    for event in events:
        (record.keep_labels if isinstance(event, LabelsGiven) else record.keep_predictions)(event, state, topics)
    for told in shop.topics.published[seen:]:
        if isinstance(told, LabelsRecorded):
            steps.on_labels(told, state, topics, lambda: shop.platform, shop.clock)


def month(shop: Shop, rows: int = 900, bad: str = "") -> pa.Table:
    """Rows that have not landed, in one region of which the contrary happens."""
    table = visits(rows, shop.rows, 0.3)
    shop.rows += rows
    bought = [
        1 - b if r == bad else b for r, b in zip(*(table[n].to_pylist() for n in ("region", "bought")), strict=True)
    ]
    return table.set_column(4, "bought", pa.array(bought))
