"""The shape of one column: hours of the day, a histogram, or its most frequent values; what it was before as a line."""

from dropforge.contracts.profile import ColumnProfile
from dropforge.core.report import plots
from dropforge.core.report.movement import histogram

SHOWN = 6  # categories of a column


def shape(name: str, column: ColumnProfile, known: ColumnProfile | None, below: str) -> str:
    """The plot of a column; `below`, which is HTML, stands between the ends of one of hours or of numbers."""
    if column.clock:
        past = _hours(known.clock.hours) if known and known.clock else None
        drawn = plots.bars(_hours(column.clock.hours), past, f"{name} by hour of the day")
        return drawn + plots.ends("0:00", below, "23:00")
    if column.numbers:
        sides = [column.numbers, *([known.numbers] if known and known.numbers else [])]
        low, high = min(one.quantile(0.005) for one in sides), max(one.quantile(0.995) for one in sides)
        now, *earlier = [histogram(one, low, high) for one in sides]
        drawn = plots.bars(now, earlier[0] if earlier else None, f"{name}, from {low:g} to {high:g}")
        return drawn + plots.ends(f"{low:,.6g}", below, f"{high:,.6g}")
    listed = {value: rows / max(column.present, 1) for value, rows in list(column.values.items())[:SHOWN]}
    before = None
    if known is not None:
        before = {value: known.values[value] / max(known.present, 1) for value in listed if value in known.values}
    return plots.shares([*listed.items()], before)


def _hours(rows: list[int]) -> list[float]:
    total = max(sum(rows), 1)
    return [each / total for each in rows]
