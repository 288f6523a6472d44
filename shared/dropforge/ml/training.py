"""From accepted batches to a candidate: read the rows, split them by time, fit, score, and keep everything."""

import io
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.errors import AlreadyExists, ArtefactTampered, NotEnoughData
from dropforge.contracts.estimates import Cost
from dropforge.contracts.models import Candidate, Lineage, Personal, TrainedOn
from dropforge.contracts.pipeline import Pipeline
from dropforge.core import candidates, leaks
from dropforge.core.dataset import read_rows
from dropforge.core.ports import Clock, Objects
from dropforge.core.state import create_once
from dropforge.ml import artefact, estimate, export, fit, groups, onward, sample, score, serving
from dropforge.ml.choose import Choice, choose
from dropforge.ml.personal import choose as personal
from dropforge.ml.personal.learn import common
from dropforge.ml.rows import coded, columns_of, labelled, labels_of, with_given
from dropforge.ml.version import code_version, libraries
from dropforge.ml.window import past, times_of

log = logging.getLogger("train")


@dataclass(frozen=True)
class Recipe:
    """All that decides what a training yields: the same recipe gives the same candidate, byte for byte."""

    pipeline: Pipeline
    generation: int
    batches: Sequence[TrainedOn]
    base: Candidate | None = None  # what may be updated

    @property
    def candidate_id(self) -> str:
        """20 hexadecimal digits of the batches, the configuration, the code, its libraries and the seed."""
        batches = sorted(f"{batch.table}/{batch.batch_id}@{batch.accepted_generation}" for batch in self.batches)
        versions = [f"{name}={version}" for name, version in sorted(libraries().items())]
        parts = [
            self.pipeline.pipeline,
            str(self.generation),
            code_version(),
            str(self.pipeline.training.seed),
            *versions,
            *batches,
            *([f"from {self.base.candidate_id}"] if self.base else []),
        ]
        return sha256("\n".join(parts).encode()).hexdigest()[:20]


@dataclass
class _Watch:
    pipeline: str
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 3)
        log.info(f"{self.pipeline}: {name} took {self.seconds[name]:.3f} s.", extra={"fields": {"step": name}})


@dataclass(frozen=True)
class Split:
    """Labelled rows before `until` to train on, and those at or after it to judge by."""

    until: datetime
    train: pa.Table
    holdout: pa.Table


def make(
    recipe: Recipe, state: Objects, clock: Clock, asked_by: str, because: str, expected: Cost | None = None
) -> Candidate:
    """The recipe's candidate, with its artefact and holdout rows; one that is there already is only returned.

    Every object is created only if absent, and `candidate.json` last, so a run that died half-way is completed.

    Raises:
        LabelLeaks: a feature tells the label too well, and `allowed_leaks` does not name it.
        NotEnoughData: too few labelled rows, or of one class, before or after the split.
        ArtefactTampered: an artefact lies there that this recipe does not give.
    """
    name, candidate_id = recipe.pipeline.pipeline, recipe.candidate_id
    if (existing := candidates.find(state, name, candidate_id)) is not None:
        return existing
    batches = [Batch(pipeline=name, table=one.table, batch_id=one.batch_id) for one in recipe.batches]
    leaks.refuse(state, recipe.pipeline, batches)
    watch = _Watch(name)
    share = sample.share(recipe.pipeline, recipe.batches)
    with watch.step("read"):
        split = split_by_time(recipe.pipeline, read_rows(recipe.pipeline, recipe.batches, state, share=share))
    with watch.step("window"):
        learned = past(recipe.pipeline, split.train)
    with watch.step("fit"):
        brought = onward.brought(recipe.pipeline, recipe.base, learned.rows, state)
        model, chosen = brought.whole if brought else fit_rows(recipe.pipeline, learned.rows)
    with watch.step("score"):
        given, classes = serving.given(model, columns_of(split.holdout)), serving.classes(model)
        by = {column: split.holdout[column].to_pylist() for column in recipe.pipeline.slices}
        labels, task = coded(labels_of(split.holdout), classes), recipe.pipeline.label.task
        metrics = score.score(labels, given, by, recipe.pipeline.slices, task)
    content, digest = artefact.dump(model)
    with watch.step("compile"):
        exported = export.export(model, columns_of(pa.concat_tables([split.train, split.holdout])))
    with watch.step("write"):
        _write_artefact(state, places.candidate(name, candidate_id, "model.joblib"), content, digest)
        if exported.content is not None and exported.digest is not None:
            place = places.candidate(name, candidate_id, "predictor.json")
            _write_artefact(state, place, exported.content, exported.digest)
        _write_holdout(state, places.candidate(name, candidate_id, "holdout.parquet"), split.holdout, given)
    took = Cost(seconds=round(sum(watch.seconds.values()), 1), memory_mb=estimate.highest_memory_mb())
    candidate = Candidate(
        pipeline=name,
        candidate_id=candidate_id,
        artefact_sha256=digest,
        compiled_sha256=exported.digest,
        compiled_because=exported.reason,
        task=task,
        classes=classes,
        kind=chosen.kind,
        tried=chosen.tried,
        correction=asdict(chosen.correction) if chosen.correction else None,
        personal=chosen.personal,
        signature=recipe.pipeline.signature(),
        metrics=metrics,
        lineage=Lineage(
            batches=list(recipe.batches),
            pipeline_generation=recipe.generation,
            train_until=split.until.isoformat(),
            rows_train=brought.rows if brought else learned.rows.num_rows,
            updated_from=brought.origin if brought else None,
            rows_share=share,
            window=learned.window,
            windows_tried=learned.tried,
            rows_holdout=split.holdout.num_rows,
            seed=recipe.pipeline.training.seed,
            code_version=code_version(),
            libraries=libraries(),
            asked_by=asked_by,
            because=because,
        ),
        seconds=watch.seconds,
        expected=expected,
        took=took,
        created=datetime.fromtimestamp(clock.now(), UTC).isoformat(),
    )
    listed = {"created": candidate.created, "train_until": candidate.lineage.train_until, "seconds": f"{took.seconds}"}
    return create_once(state, places.candidate(name, candidate_id, "candidate.json"), candidate, listed)


def split_by_time(pipeline: Pipeline, rows: pa.Table) -> Split:
    """Split at `holdout_days` before the last labelled row and, with a `group`, entities from entities.

    How far back training rows go is for `window`.

    Raises:
        NotEnoughData: either part has too few rows, or rows of one class only.
    """
    known = labelled(rows)
    if known.num_rows == 0:
        raise NotEnoughData(f"None of the {rows.num_rows} rows has a label.", pipeline=pipeline.pipeline, rows=0)
    times = times_of(pipeline, known)
    until = times.max() - np.timedelta64(pipeline.training.holdout_days, "D")
    before = times < until
    learned, judged = groups.apart(pipeline, known, before, times >= until, groups.HOLDOUT)
    split = Split(until.item().replace(tzinfo=UTC), known.filter(pa.array(learned)), known.filter(pa.array(judged)))
    fit.check_enough(labels_of(split.train), "training", pipeline.label.task)
    fit.check_enough(labels_of(split.holdout), "holdout", pipeline.label.task)
    return split


def fit_rows(pipeline: Pipeline, rows: pa.Table) -> tuple[Any, Choice]:
    """The artefact that labelled rows give, and how its kind was chosen."""
    chosen = choose(pipeline, rows)
    model = common(pipeline, rows, chosen.kind, chosen.correction)
    if pipeline.training.per is None:
        return model, chosen
    found = personal.plan(pipeline, rows, chosen)
    told = Personal(per=pipeline.training.per, plan=str(found.plan or ""), tried=found.tried)
    chosen = replace(chosen, personal=told)
    return (personal.corrected(pipeline, rows, chosen, found.plan, model) if found.plan else model), chosen


def _write_artefact(state: Objects, name: str, content: bytes, digest: str) -> None:
    try:
        state.create(name, content, {"sha256": digest})
    except AlreadyExists:
        found = sha256(state.read(name)[0]).hexdigest()
        if found != digest:
            raise ArtefactTampered(
                f"gs://{state.bucket}/{name} has the SHA-256 {found}, but its recipe gives {digest}.", object=name
            ) from None


def _write_holdout(state: Objects, name: str, rows: pa.Table, given: NDArray[np.float64]) -> None:
    buffer = io.BytesIO()
    pq.write_table(with_given(rows, given), buffer, compression="zstd")
    try:
        state.create(name, buffer.getvalue())
    except AlreadyExists:
        return  # the same recipe wrote the same rows
