"""Train a version again from its lineage alone, and say whether the same artefact comes out."""

from dataclasses import dataclass, field
from hashlib import sha256

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.errors import NotFound, PipelineUnknown
from dropforge.contracts.models import Candidate
from dropforge.core import candidates, pipelines
from dropforge.core.dataset import read_rows
from dropforge.core.ports import Objects
from dropforge.ml import artefact, onward, training
from dropforge.ml.version import code_version, libraries
from dropforge.ml.window import past


@dataclass
class Reproduction:
    """What came of it. `gone` are inputs that are no longer there, `changed` what is not as it was then."""

    expected: str
    found: str | None = None
    gone: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether the artefact is the same, byte for byte."""
        return self.found == self.expected


def reproduce(candidate: Candidate, state: Objects) -> Reproduction:
    """Read, split and fit as the lineage says; writes nothing.

    Inputs are read at the very generations of then. Code and libraries are those of now: where they differ from the
    lineage's it says so, and tries all the same.
    """
    lineage = candidate.lineage
    result = Reproduction(candidate.artefact_sha256, gone=_gone(candidate, state), changed=_changed(candidate))
    if result.gone:
        return result
    pipeline, _ = pipelines.load(state, candidate.pipeline, lineage.pipeline_generation)
    split = training.split_by_time(pipeline, read_rows(pipeline, lineage.batches, state, share=lineage.rows_share))
    learned = past(pipeline, split.train)
    origin = lineage.updated_from
    from_ = candidates.find(state, candidate.pipeline, origin.candidate_id) if origin else None
    brought = onward.brought(pipeline, from_, learned.rows, state)
    model, _ = brought.whole if brought else training.fit_rows(pipeline, learned.rows)
    result.found = sha256(artefact.dump(model)[0]).hexdigest()
    return result


def _gone(candidate: Candidate, state: Objects) -> list[str]:
    gone = []
    try:
        pipelines.load(state, candidate.pipeline, candidate.lineage.pipeline_generation)
    except PipelineUnknown:
        place = places.pipeline_yaml(candidate.pipeline)
        gone.append(f"gs://{state.bucket}/{place}#{candidate.lineage.pipeline_generation}")
    origin = candidate.lineage.updated_from
    if origin and candidates.find(state, candidate.pipeline, origin.candidate_id) is None:
        gone.append(f"the candidate {origin.candidate_id}, which it is an update of")
    for trained in candidate.lineage.batches:
        batch = Batch(pipeline=candidate.pipeline, table=trained.table, batch_id=trained.batch_id)
        place = places.accepted_rows(batch)
        try:
            state.stat(place, trained.accepted_generation)
        except NotFound:
            gone.append(f"gs://{state.bucket}/{place}#{trained.accepted_generation}, the rows of {trained.source.uri}")
    return gone


def _changed(candidate: Candidate) -> list[str]:
    now = {"code": code_version(), **libraries()}
    then = {"code": candidate.lineage.code_version, **candidate.lineage.libraries}
    return [
        f"{name}: {then.get(name, 'none')} then, {now.get(name, 'none')} now"
        for name in sorted({*now, *then})
        if now.get(name) != then.get(name)
    ]
