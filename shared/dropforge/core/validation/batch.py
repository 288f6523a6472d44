"""The rules of a batch as a whole that need no look at its rows: that there are any, and which columns they have."""

from difflib import get_close_matches

from dropforge.contracts.pipeline import Table
from dropforge.contracts.verdicts import Reason, Staged
from dropforge.core.validation.columns import is_needed, unknown

NAMED = 8  # columns that a sentence names before it counts the others


def batch_reasons(staged: Staged, table: Table) -> list[Reason]:
    """Why the whole batch cannot be judged row by row; empty when it can."""
    if staged.problem is not None:
        return [staged.problem]
    reasons = [*_missing(staged, table), *_unexpected(staged, table), *_of_no_period(staged, table)]
    if not reasons and staged.rows + staged.rejected == 0:
        found = f"The file has a header of {len(staged.columns)} columns and no rows below it."
        reasons.append(_reason(staged, "no_rows", 0, "at least one row", found))
    return reasons or _count(staged, table)


def _count(staged: Staged, table: Table) -> list[Reason]:
    """Whether the file has as many rows as it should; a release sets that aside."""
    rows = staged.replay.origin_rows if staged.replay else staged.rows + staged.rejected
    if staged.replay and staged.replay.release:
        return []
    if rows < table.min_rows:
        sentence = f"The file has {rows:,} rows. Expected at least {table.min_rows:,}."
        return [_reason(staged, "too_few_rows", rows, table.min_rows, sentence)]
    if table.max_rows is not None and rows > table.max_rows:
        sentence = f"The file has {rows:,} rows. Expected at most {table.max_rows:,}."
        return [_reason(staged, "too_many_rows", rows, table.max_rows, sentence)]
    return []


def _of_no_period(staged: Staged, table: Table) -> list[Reason]:
    if table.period is None or table.period.of(staged.source.name) is not None:
        return []
    name = staged.source.name.rpartition("/")[2]
    sentence = f"The name {name!r} tells of no period. Expected one in which {table.period.name} is found."
    return [_reason(staged, "no_period", name, table.period.name, sentence)]


def _missing(staged: Staged, table: Table) -> list[Reason]:
    missing = [
        name
        for name, column in table.columns.items()
        if column.source(name) not in staged.columns and (table.missing_columns == "fail" or is_needed(table, name))
    ]
    if not missing:
        return []
    unexpected = unknown(table, staged.columns)
    hints = [
        f"{near[0]!r} may be {name!r}"
        for name in missing
        if (near := get_close_matches(name.lower(), unexpected, n=1) or _same_but_case(name, unexpected))
    ]
    hint = f" In the file, {' and '.join(hints[:3])}." if hints else ""
    sentence = (
        f"The file lacks {_listed(missing)} of the {len(table.columns)} columns "
        f"that {staged.batch.table!r} must have.{hint}"
    )
    return [_reason(staged, "missing_column", staged.columns[:200], missing, sentence)]


def _unexpected(staged: Staged, table: Table) -> list[Reason]:
    unexpected = unknown(table, staged.columns)
    if not unexpected or table.unexpected_columns != "fail":
        return []
    sentence = (
        f"The file has {len(staged.columns)} columns, of which the pipeline does not know {_listed(unexpected)}. "
        f"Declare them, or set 'unexpected_columns' to ignore, rescue or evolve for {staged.batch.table!r}."
    )
    return [_reason(staged, "unexpected_column", unexpected[:200], list(table.columns), sentence)]


def _same_but_case(name: str, others: list[str]) -> list[str]:
    return [other for other in others if other.lower() == name.lower()]


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def _reason(staged: Staged, code: str, observed: object, expected: object, sentence: str) -> Reason:
    return Reason(code=code, subject=staged.source.uri, observed=observed, expected=expected, sentence=sentence)
