"""Whether the champion is brought up to date instead of being replaced by a full training, and the model if it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from dropforge.contracts.models import Candidate, UpdatedFrom
from dropforge.contracts.pipeline import Pipeline
from dropforge.core import candidates, history
from dropforge.core.ports import Objects
from dropforge.ml import stored, updating
from dropforge.ml.choose import Choice
from dropforge.ml.version import code_version, libraries
from dropforge.ml.window import times_of


@dataclass(frozen=True)
class Brought:
    """The updated model, how many rows it learned, and what it comes from."""

    model: Any
    kind: str
    rows: int
    origin: UpdatedFrom

    @property
    def whole(self) -> tuple[Any, Choice]:
        """As a full training gives its model."""
        return self.model, Choice(self.kind, {})


def base(pipeline: Pipeline, generation: int, at: str, batch_ids: Sequence[str], state: Objects) -> Candidate | None:
    """The champion of a moment, if a training on these batches may update it.

    It must have learned by the same `pipeline.yaml`, code and libraries, from some of these batches and no others. The
    history at the moment of the decision says which it is, so that a second delivery finds the same.
    """
    if not pipeline.training.update or pipeline.training.window != "all":
        return None
    served = history.served_at(state, pipeline.pipeline, datetime.fromisoformat(at))
    found = candidates.find(state, pipeline.pipeline, served.candidate_id) if served else None
    if found is None or found.lineage.pipeline_generation != generation:
        return None
    alike = (found.lineage.code_version, found.lineage.libraries) == (code_version(), libraries())
    known = {batch.batch_id for batch in found.lineage.batches}
    return found if alike and known < set(batch_ids) else None


def brought(pipeline: Pipeline, from_: Candidate | None, rows: pa.Table, state: Objects) -> Brought | None:
    """The base brought up to date by the training rows that are later than its own; None where it is not as good.

    Raises:
        NotFound, ArtefactTampered: the base's artefact is gone, or another lies there.
    """
    if from_ is None:
        return None
    model = stored.model(state, from_)
    since = np.datetime64(datetime.fromisoformat(from_.lineage.train_until).replace(tzinfo=None), "us")
    newer = times_of(pipeline, rows) >= since
    old, new = rows.filter(pa.array(~newer)), rows.filter(pa.array(newer))
    found = updating.compared(pipeline, model, old, new, from_.kind)
    if found is None or not found.taken:
        return None
    origin = UpdatedFrom(
        candidate_id=from_.candidate_id,
        artefact_sha256=from_.artefact_sha256,
        update=round(found.update, 6),
        full=round(found.full, 6),
    )
    return Brought(updating.updated(pipeline, model, new), from_.kind, new.num_rows, origin)
