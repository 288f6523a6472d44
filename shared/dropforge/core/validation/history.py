"""Which accepted rows a batch must not repeat the keys of."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from dropforge.contracts import places
from dropforge.contracts.verdicts import Before, HeldAgainst, Staged
from dropforge.core import ledger
from dropforge.core.ports import Objects
from dropforge.core.state import create_once, load
from dropforge.core.validation.keys import Earlier

MICROSECOND = timedelta(microseconds=1)


def held_against(staged: Staged, state: Objects, scratch: Path) -> Earlier:
    """The accepted rows of every file of the table that landed earlier, one file at a time in `scratch`, oldest first.

    Earlier means: with a smaller source generation, and accepted when this batch was first judged. Which those are is
    written down once, so that a redelivery gives the same. A file that is judged late, after one that landed later, is
    not held against that one; both have the key then, and `dataset.read_rows` takes the row of the one that landed
    first. So what models learn from is the same in whatever order the files are judged.

    Batches whose times do not meet those asked for are not fetched.

    Raises:
        NotFound: accepted rows are not there at the generation of their verdict.
    """
    found = load(state, places.held_against(staged.batch), HeldAgainst)
    held = found[0] if found else create_once(state, places.held_against(staged.batch), _known(staged, state))

    def earlier(first: int | None, last: int | None) -> Iterator[tuple[str, Path]]:
        path = scratch / "before.parquet"
        for before in held.batches:
            if _meets(before, first, last):
                batch = staged.batch.model_copy(update={"batch_id": before.batch_id})
                state.download(places.accepted_rows(batch), path, before.accepted_generation)
                yield before.source.uri, path

    return earlier


def _known(staged: Staged, state: Objects) -> HeldAgainst:
    lines = ledger.lines(state, staged.batch.pipeline, staged.batch.table)
    before = [line for line in lines if line.accepted and line.source.generation < staged.source.generation]
    return HeldAgainst(
        batches=[
            Before(
                batch_id=line.batch.batch_id,
                source=line.source,
                accepted_generation=line.accepted_generation or 0,
                first_time=line.first_time or None,
                last_time=line.last_time or None,
            )
            for line in sorted(before, key=lambda one: (one.source.generation, one.batch.batch_id))
        ]
    )


def _meets(before: Before, first: int | None, last: int | None) -> bool:
    if first is None or last is None or before.first_time is None or before.last_time is None:
        return True
    return _microseconds(before.first_time) <= last and first <= _microseconds(before.last_time)


def _microseconds(time: str) -> int:
    return (datetime.fromisoformat(time) - datetime.fromisoformat("1970-01-01T00:00:00+00:00")) // MICROSECOND
