"""What has become of a dropped file, and of the training that it led to, read from the state bucket alone."""

from collections.abc import Iterable
from dataclasses import dataclass

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.canary import Canary
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.verdicts import BatchVerdict, ModelVerdict, Staged
from dropforge.core import canary, champion, history
from dropforge.core.ports import Objects
from dropforge.core.state import load


@dataclass
class Followed:
    """One batch on its way; `verdict` is set once, at the end of it."""

    batch: Batch
    staged: Staged | None = None
    verdict: BatchVerdict | None = None

    @property
    def accepted(self) -> bool:
        """Whether any of its rows may be trained on."""
        return self.verdict is not None and self.verdict.rows_accepted > 0

    def look(self, state: Objects) -> bool:
        """Look again; returns whether anything is new."""
        if self.verdict:
            return False
        found = load(state, places.batch_verdict(self.batch), BatchVerdict)
        if found:
            self.verdict = found[0]
            return True
        if self.staged is None:
            staged = load(state, places.staged_record(self.batch), Staged)
            if staged:
                self.staged = staged[0]
                return True
        return False


def rows_accepted(pipeline: Pipeline, periods: Iterable[list[Followed]]) -> dict[str, int]:
    """The accepted rows of each batch of the main table that has any."""
    every = [one for period in periods for one in period if one.batch.table == pipeline.table]
    return {one.batch.batch_id: one.verdict.rows_accepted for one in every if one.verdict and one.accepted}


@dataclass
class Training:
    """The training that a period's batches led to, from the first sight of the candidate to what the judge said."""

    pipeline: str
    batch_ids: frozenset[str]
    candidate: Candidate | None = None
    verdict: ModelVerdict | None = None
    version: str = ""
    canary: Canary | None = None

    @property
    def settled(self) -> bool:
        """Whether the judge has spoken and, if it was for the candidate, the candidate serves, or is the canary."""
        if self.candidate is None or self.verdict is None:
            return False
        return self.verdict.status != "published" or bool(self.version) or self.canary is not None

    def look(self, state: Objects) -> bool:
        """Look again; returns whether anything is new."""
        if self.settled:
            return False
        before = self._seen
        if self.candidate is None:
            self.candidate = self._find(state)
        if self.candidate and self.verdict is None:
            verdict = load(state, places.model_verdict(self.pipeline, self.candidate.candidate_id), ModelVerdict)
            self.verdict = verdict[0] if verdict else None
        if self.verdict and self.verdict.status == "published":
            entry = history.publication(state, self.pipeline, self.verdict.candidate_id)
            self.version = entry.version if entry else ""
            self.canary = self._baking(state, self.verdict.candidate_id)
        return before != self._seen

    @property
    def _seen(self) -> tuple[Candidate | None, ModelVerdict | None, str, Canary | None]:
        return self.candidate, self.verdict, self.version, self.canary

    def _baking(self, state: Objects, candidate_id: str) -> Canary | None:
        found = canary.running(state, self.pipeline, champion.current(state, self.pipeline)[1])
        return found if found and found.candidate_id == candidate_id else None

    def _find(self, state: Objects) -> Candidate | None:
        """The smallest candidate that was trained on all the batches; later ones hold them too."""
        fitting = []
        for info in state.list(places.candidates(self.pipeline)):
            if info.name.endswith("/candidate.json"):
                candidate = Candidate.model_validate_json(state.read(info.name)[0])
                if self.batch_ids <= {trained.batch_id for trained in candidate.lineage.batches}:
                    fitting.append(candidate)
        return min(fitting, key=lambda candidate: len(candidate.lineage.batches), default=None)
