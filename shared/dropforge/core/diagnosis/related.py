"""Causes that show in how a column hangs together with others: what mends the rows that break a relation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dropforge.contracts.examination import Repair
from dropforge.core.diagnosis import suggest
from dropforge.core.diagnosis.candidate import Candidate
from dropforge.core.diagnosis.numbers import undo
from dropforge.core.diagnosis.undo import Undone
from dropforge.core.relations import Relation, Rows


@dataclass(frozen=True)
class Torn:
    """A relation that rows of a batch break, and the batch's rows.

    `share` is, of the rows to which the relation applies, those that break it; `undone` the change of the column that
    was blamed for it that mends most of these, if one does.
    """

    relation: Relation
    rows: Rows
    share: float
    undone: Undone | None


def causes(name: str, torn: Sequence[Torn]) -> Iterator[Candidate]:
    """The best explanation of each relation that a column was blamed for."""
    for one in torn:
        if one.undone is not None and one.undone.fixed > 0:
            yield _candidate(name, one, one.undone)


def _candidate(name: str, torn: Torn, found: Undone) -> Candidate:
    cause, what, repair = _told(name, torn, found)
    evidence = (
        f"In {torn.share:.1%} of the rows it is no longer so that {torn.relation.says}; "
        f"{found.fixed:.0%} of these rows are as before once that is undone."
    )
    if cause == "values_missing":
        evidence = f"In {torn.share:.1%} of the rows it is no longer so that {torn.relation.says}."
    return Candidate(cause, found.weight, torn.share, what, [evidence], repair, found.other)


def _told(name: str, torn: Torn, found: Undone) -> tuple[str, str, Repair]:
    part = f"{torn.share:.0%} of its values"
    if found.cause == "lost":
        return "values_missing", f"{part} were lost", Repair(change="Ask the source for the missing values.")
    if found.cause == "filled":
        value = suggest.written(found.value)
        what = "nulls became zeros" if found.value == 0 else f"{value} stands for no value"
        put_right = suggest.repair(name, f"To undo it, read {value} as no value.", nulls=[value])
        return "nulls_to_zeros" if found.value == 0 else "sentinel", what, put_right
    if found.cause == "columns_swapped":
        what = f"{part} stand in {found.other!r}, and those of {found.other!r} here"
        return found.cause, what, suggest.exchange(name, found.other)
    if found.change is None:
        what = f"{part} are {abs(found.hours)} hours {'late' if found.hours > 0 else 'early'}, as in another zone"
        return found.cause, what, _moved(name, torn, found)
    return found.cause, f"{part} came {found.change.what}", undo(name, found.change)


def _moved(name: str, torn: Torn, found: Undone) -> Repair:
    change = f"To undo it, move {name!r} by {-found.hours:+d} hours."
    if name in torn.rows.times:
        return suggest.repair(name, change, shift_minutes=-60 * found.hours)
    return suggest.repair(name, change, plus=-100 * found.hours, wrap=2400)
