"""Profile a staged batch, and hold it against the profiles of its table's accepted batches, once."""

from collections.abc import Iterator
from pathlib import Path

from dropforge.contracts import places
from dropforge.contracts.examination import Examination
from dropforge.contracts.pipeline import Table
from dropforge.contracts.profile import Profile
from dropforge.contracts.verdicts import Reason, Staged
from dropforge.core import engine, ledger
from dropforge.core.anomaly.examine import examine
from dropforge.core.anomaly.history import Earlier
from dropforge.core.ports import Objects
from dropforge.core.profile import measure
from dropforge.core.state import create_once, load

MEMORY_MB = engine.MEMORY_MB
NEWEST = 120  # accepted batches of which the profiles are read


def examined(staged: Staged, table: Table, rows: Path, scratch: Path, state: Objects) -> Examination | None:
    """What is unusual about the batch, by what was accepted when it was first asked; a repeat gives the same.

    None where there is nothing to compare: no rows, or those that were left of another batch.
    """
    partial = staged.replay is not None and (staged.replay.release or staged.rows < staged.replay.origin_rows)
    if not staged.rows or staged.problem is not None or partial:
        return None
    found = load(state, places.examination(staged.batch), Examination)
    if found is not None:
        return found[0]
    with engine.opened(scratch, MEMORY_MB) as database:
        profile = create_once(state, places.profile(staged.batch), measure(database, staged, table, rows))
    units = {name: column.unit for name, column in table.columns.items()}
    seen = examine(staged.batch, profile, list(_earlier(staged, state)), table.one_in, units)
    return create_once(state, places.examination(staged.batch), seen)


def _earlier(staged: Staged, state: Objects) -> Iterator[Earlier]:
    lines = ledger.lines(state, staged.batch.pipeline, staged.batch.table)
    known = [line for line in lines if line.accepted and line.batch != staged.batch]
    for line in sorted(known, key=lambda one: one.last_time)[-NEWEST:]:
        found = load(state, places.profile(line.batch), Profile)
        if found is not None:
            yield Earlier(line.batch.batch_id, found[0])


def warnings(found: Examination | None, subject: str) -> list[Reason]:
    """What is unusual as a verdict tells it: the likeliest cause first, then each anomaly."""
    if found is None or not found.anomalies:
        return []
    causes = [one.reason(subject) for one in found.diagnoses]
    return [*causes, *(one.reason(subject) for one in found.anomalies)]
