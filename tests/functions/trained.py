"""A small flights candidate, fitted in the test as `train` fits it, with what it says of some rows."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from dropforge.contracts import pipeline as pipelines
from dropforge.contracts import places
from dropforge.contracts.errors import AlreadyExists
from dropforge.contracts.models import Candidate, Lineage
from dropforge.core.ports import Objects
from dropforge.ml import artefact, export, fit, serving

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights" / "pipeline.yaml"


@dataclass(frozen=True)
class Trained:
    """The candidate, its artefact, and instances with the probabilities that scikit-learn gives them."""

    candidate: Candidate
    artefact: bytes
    compiled: bytes
    model: Any
    instances: list[dict[str, Any]]
    probabilities: list[float]

    def store(self, state: Objects) -> str:
        """Put it where `train` puts it; returns the folder's URI."""
        folder = places.candidate(self.candidate.pipeline, self.candidate.candidate_id)
        record = self.candidate.model_dump_json().encode()
        files = {"model.joblib": self.artefact, "predictor.json": self.compiled, "candidate.json": record}
        for name, content in files.items():
            with suppress(AlreadyExists):
                state.create(folder + name, content)
        return f"gs://{state.bucket}/{folder}"


@cache
def flights(seed: int = 1, rows: int = 600) -> list[dict[str, Any]]:
    """Made-up flights as a request gives them."""
    rng = np.random.default_rng(seed)
    return [_flight(rng) for _ in range(rows)]


@cache
def trained(seed: int = 1) -> Trained:
    """Fit on made-up flights, whose delays depend on carrier, hour and wind, so that the trees split."""
    pipeline = pipelines.parse(FLIGHTS.read_bytes())
    rng = np.random.default_rng(seed + 1)
    instances = flights(seed)
    labels = np.array([_late(rng, flight) for flight in instances], dtype=np.int8)
    names = [field.name for field in pipeline.signature()]
    columns = {name: [flight[name] for flight in instances] for name in names}
    model = fit.fit(pipeline, columns, labels)
    content, digest = artefact.dump(model)
    exported = export.export(model, columns)
    assert exported.content is not None
    lineage = Lineage(
        batches=[],
        pipeline_generation=1,
        train_until="2013-06-01T00:00:00+00:00",
        rows_train=len(instances),
        rows_holdout=0,
        seed=seed,
        code_version="test",
        libraries={},
        asked_by="a test",
        because="it needs a model",
    )
    candidate = Candidate(
        pipeline="flights",
        candidate_id=f"candidate{seed}",
        artefact_sha256=digest,
        compiled_sha256=exported.digest,
        compiled_because=exported.reason,
        signature=pipeline.signature(),
        metrics={},
        lineage=lineage,
        seconds={},
        created="2026-01-01T00:00:00+00:00",
    )
    return Trained(candidate, content, exported.content, model, instances[:50], serving.predict(model, instances[:50]))


def _flight(rng: np.random.Generator) -> dict[str, Any]:
    def sometimes(value: float) -> float | None:
        return None if rng.random() < 0.2 else round(value, 2)

    month, day, hour = int(rng.integers(1, 13)), int(rng.integers(1, 29)), int(rng.integers(5, 24))
    return {
        "carrier": str(rng.choice(["AA", "B6", "DL", "EV", "UA"])),
        "origin": str(rng.choice(["EWR", "JFK", "LGA"])),
        "dest": str(rng.choice(["ATL", "BOS", "LAX", "MIA", "ORD"])),
        "sched_dep_time": hour * 100 + int(rng.integers(0, 60)),
        "sched_arr_time": int(rng.integers(0, 2400)),
        "distance": int(rng.integers(100, 3000)),
        "time_hour": f"2013-{month:02}-{day:02}T{hour:02}:00:00Z",
        "temp": sometimes(rng.normal(55, 15)),
        "dewp": sometimes(rng.normal(40, 10)),
        "humid": sometimes(rng.uniform(20, 100)),
        "wind_dir": sometimes(int(rng.integers(0, 361))),
        "wind_speed": sometimes(rng.uniform(0, 40)),
        "wind_gust": sometimes(rng.uniform(0, 60)),
        "precip": sometimes(rng.exponential(0.05)),
        "pressure": sometimes(rng.normal(1015, 6)),
        "visib": sometimes(rng.uniform(0, 10)),
    }


def _late(rng: np.random.Generator, flight: dict[str, Any]) -> bool:
    score = (
        (flight["sched_dep_time"] - 1200) / 600 + (flight["carrier"] == "EV") + (flight["wind_speed"] or 10) / 20 - 1.5
    )
    return bool(rng.random() < 1 / (1 + np.exp(-score)))
