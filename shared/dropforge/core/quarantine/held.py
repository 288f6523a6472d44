"""What lies in quarantine, read from the ledger and the dispositions: one chain of batches for each dropped file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.dispositions import Disposition
from dropforge.contracts.errors import ActionRefused
from dropforge.core import ledger, pipelines
from dropforge.core.ports import Objects

State = Literal["waiting", "under way", "discarded", "settled"]


@dataclass(frozen=True)
class Link:
    """One batch of a file, and what was decided about its quarantined rows, if anything was."""

    line: ledger.Line
    disposition: Disposition | None


@dataclass(frozen=True)
class Held:
    """One dropped file of which rows were quarantined: its own batch, then each replay of what was left.

    `rows_read` = `rows_accepted` + `rows_quarantined` + `rows_discarded`, always.
    """

    links: list[Link]

    @property
    def origin(self) -> Link:
        """The batch that the file was read as."""
        return self.links[0]

    @property
    def tip(self) -> Link:
        """The last batch that has a verdict: its quarantined rows are what is left."""
        return self.links[-1]

    @property
    def state(self) -> State:
        """Whether rows wait for a decision, are being judged again, were discarded, or all found their way."""
        if self.tip.line.rows_quarantined == 0:
            return "settled"
        if self.tip.disposition is None:
            return "waiting"
        return "under way" if self.tip.disposition.to else "discarded"

    @property
    def rows_read(self) -> int:
        """Rows that the file had."""
        return self.origin.line.rows_read

    @property
    def rows_accepted(self) -> int:
        """Rows accepted, at once or by a replay."""
        return sum(link.line.rows_accepted for link in self.links)

    @property
    def rows_quarantined(self) -> int:
        """Rows that are still in quarantine, those among them that are being judged again."""
        return 0 if self.state == "discarded" else self.tip.line.rows_quarantined

    @property
    def rows_discarded(self) -> int:
        """Rows that a person gave up, and those of a replay that was skipped: another file had brought them."""
        given_up = self.tip.line.rows_quarantined if self.state == "discarded" else 0
        skipped = self.tip.line.status == "skipped" and len(self.links) > 1
        return given_up + (self.links[-2].line.rows_quarantined if skipped else 0)

    @property
    def reconciles(self) -> bool:
        """Whether every row that was read is accounted for."""
        return self.rows_read == self.rows_accepted + self.rows_quarantined + self.rows_discarded


def held(state: Objects, pipeline: str) -> Iterator[Held]:
    """Every file of a pipeline of which rows were ever quarantined, in order of the decision about it."""
    lines = {(line.batch.table, line.batch.batch_id): line for line in ledger.lines(state, pipeline)}
    decided: dict[tuple[str, str], Disposition] = {}
    for info in state.list(places.dispositions(pipeline)):
        found = Disposition.model_validate_json(state.read(info.name)[0])
        decided[found.batch.table, found.batch.batch_id] = found
    for line in sorted(lines.values(), key=lambda one: (one.decided, one.batch.batch_id)):
        if line.rows_quarantined and not line.replay_of:
            yield Held(_chain(line, lines, decided))


def find(state: Objects, batch_id: str, pipeline: str | None = None) -> Held:
    """The file that a batch, named by its id or the beginning of it, is of.

    Raises:
        ActionRefused: no batch begins so, more than one does, or none of its rows was ever quarantined.
    """
    names = [pipeline] if pipeline else pipelines.deployed(state)
    every = [one for name in names for one in held(state, name)]
    found = [one for one in every if any(link.line.batch.batch_id.startswith(batch_id) for link in one.links)]
    if len(found) == 1:
        return found[0]
    if found:
        which = ", ".join(f"{one.origin.line.batch.batch_id} ({one.origin.line.source.uri})" for one in found)
        raise ActionRefused(f"Expected the id of one batch. {batch_id!r} begins those of {len(found)}: {which}.")
    where = f"the pipeline {pipeline!r}" if pipeline else "any pipeline"
    raise ActionRefused(
        f"Expected the id of a batch with quarantined rows. Found none that begins with {batch_id!r} in {where}: "
        "`./deploy.sh quarantine list --all` shows them."
    )


def _chain(
    line: ledger.Line, lines: dict[tuple[str, str], ledger.Line], decided: dict[tuple[str, str], Disposition]
) -> list[Link]:
    links = []
    following: ledger.Line | None = line
    while following is not None:
        table = following.batch.table
        disposition = decided.get((table, following.batch.batch_id))
        links.append(Link(following, disposition))
        to: Batch | None = disposition.to if disposition else None
        following = lines.get((table, to.batch_id)) if to else None
    return links
