"""Causes for a column of numbers: another unit, sign or offset, a sentinel, nulls filled, another column's values."""

from bisect import bisect_left
from collections.abc import Callable, Iterator

from dropforge.contracts.examination import Repair
from dropforge.contracts.profile import ColumnProfile, Numbers, Profile
from dropforge.core.diagnosis import suggest
from dropforge.core.diagnosis.candidate import Candidate
from dropforge.core.diagnosis.mixture import Distribution, Fit, fit
from dropforge.core.diagnosis.units import CHANGES, SENTINELS, Arithmetic, plausible

NEW_SHARE = 0.005  # of the rows, for new values to be looked at by themselves


def causes(name: str, profile: Profile, reference: Profile, unit: str | None) -> Iterator[Candidate]:
    """Every cause that accounts for some of the movement of a column of numbers."""
    column, known = profile.columns[name], reference.columns[name]
    if column.numbers is None or known.numbers is None:
        return
    batch, before = Distribution(column.numbers.points), Distribution(known.numbers.points)
    yield from _filled(name, column, known)
    yield from _sentinel(column.numbers, known.numbers)
    for change in CHANGES:
        found = _better(fit(batch, before, before.changed(change.forward)), _of_new(column, known, change))
        factor = plausible(change, unit)
        yield Candidate(
            change.cause,
            found.explained * factor,
            found.share,
            f"{found.share:.0%} of its values came {change.what}",
            [_shifted(column.numbers, known.numbers), f"That explains {found.explained:.0%} of the movement."],
            undo(name, change),
        )
    yield from _moved(name, column, known, batch, before, unit)
    yield from _swapped(name, profile, reference, batch, before)


def _filled(name: str, column: ColumnProfile, known: ColumnProfile) -> Iterator[Candidate]:
    """Nulls that became zeros: as many zeros more as there are nulls fewer."""
    if column.numbers is None or known.numbers is None or not known.nulls:
        return
    usual, zeros = known.nulls / known.rows, known.numbers.zeros / known.rows
    fewer, more = usual - column.nulls / column.rows, column.numbers.zeros / column.rows - zeros
    if fewer > 0.25 * usual and more > 0.25 * fewer:
        agreed = min(fewer, more) / max(fewer, more)
        yield Candidate(
            "nulls_to_zeros",
            min(1.0, 0.9 + 0.1 * agreed) if column.nulls == 0 else 0.6 + 0.35 * agreed,
            max(more, 0.0),
            "nulls became zeros",
            [f"{usual:.1%} empty and {zeros:.1%} zero before; now {usual - fewer:.1%} and {zeros + more:.1%}."],
            suggest.repair(name, "To undo it, read 0 as no value; zeros that were meant go too.", nulls=["0"]),
        )  # fmt: skip


def _sentinel(numbers: Numbers, known: Numbers) -> Iterator[Candidate]:
    """One value that far more rows have than before, and that stands for something else."""
    before = dict(known.points)
    excess, value = max(
        (rows / numbers.count - before.get(point, 0.0) / known.count, point) for point, rows in numbers.points
    )
    outside = not known.min <= value <= known.max
    if excess < NEW_SHARE or value == 0 or (before.get(value) and not outside):
        return
    listed, text = value in SENTINELS, suggest.written(value)
    others = sum(rows for point, rows in numbers.points if not known.min <= point <= known.max and point != value)
    alone = excess * numbers.count / (excess * numbers.count + others)
    yield Candidate(
        "sentinel",
        alone * (1.0 if listed and outside else 0.97 if outside else 0.9 if listed else 0.55),
        excess,
        f"{text} stands for something else, such as no value",
        [f"{excess:.1%} of its values are {text}, which was {'outside the range' if outside else 'rare'} before."],
        Repair(change=f"Read {text} as no value.", yaml=f'null_markers: [NA, "{text}"]'),
    )


def _of_new(column: ColumnProfile, known: ColumnProfile, change: Arithmetic) -> Fit:
    """Whether the values that are new become known ones once the change is undone: tells a small share of rows too."""
    if column.numbers is None or known.numbers is None:
        return Fit(0.0, 0.0)
    points, numbers = column.numbers.points, known.numbers
    if known.complete and numbers.exact and column.numbers.exact:
        there = {value for value, _ in numbers.points}
        if len(there) < 12:
            return Fit(0.0, 0.0)
        new = [(value, rows) for value, rows in points if value not in there]
        whole = numbers.whole == numbers.count
        slack = abs(0.5 / change.times) if whole else 1e-3 * (numbers.max - numbers.min)
        lattice = sorted(there)
        hit = sum(rows for value, rows in new if _near(change.back(value), lattice, slack * 1.01))
        chance = min(2 * slack * len(lattice) / (numbers.max - numbers.min + 1), 1.0)
        total = sum(rows for _, rows in new)
        if total < NEW_SHARE * column.numbers.count or chance > 0.7:
            return Fit(0.0, 0.0)
        lift = (hit / total - chance) / (1 - chance)
        return Fit(total / column.numbers.count, max(lift, 0.0))
    margin = 0.25 * (numbers.quantile(0.95) - numbers.quantile(0.05))
    low, high = numbers.min - margin, numbers.max + margin
    new = [(value, rows) for value, rows in points if not low <= value <= high]
    expected = [(change.forward(v), rows) for v, rows in numbers.points if not low <= change.forward(v) <= high]
    total, could = sum(rows for _, rows in new), sum(rows for _, rows in expected) / numbers.count
    if total < NEW_SHARE * column.numbers.count or could <= 0:
        return Fit(0.0, 0.0)
    shape = _distance(Distribution(new), Distribution(expected))
    return Fit(min(total / column.numbers.count / could, 1.0), max(1 - 1.5 * shape, 0.0) * min(1.0, could * 4 + 0.5))


def _near(value: float, lattice: list[float], slack: float) -> bool:
    at = bisect_left(lattice, value - slack)
    return at < len(lattice) and lattice[at] <= value + slack


def _distance(one: Distribution, other: Distribution) -> float:
    """Kolmogorov's distance."""
    return max(abs(one.at_most(value) - other.at_most(value)) for value in [*one.values, *other.values])


def _better(whole: Fit, new: Fit) -> Fit:
    return new if new.explained > whole.explained else whole


def _moved(
    name: str, column: ColumnProfile, known: ColumnProfile, batch: Distribution, before: Distribution, unit: str | None
) -> Iterator[Candidate]:
    """All values moved by one amount."""
    if column.numbers is None or known.numbers is None:
        return
    apart = column.numbers.quantile(0.5) - known.numbers.quantile(0.5)
    spread = known.numbers.quantile(0.75) - known.numbers.quantile(0.25)
    steps = {apart, *(hours * 100 for hours in range(-12, 13) if hours)} if unit == "HHMM" else {apart}
    for step in sorted(steps):
        if abs(step) <= 0.1 * spread:
            continue
        clock = unit == "HHMM" and step % 100 == 0
        change = Arithmetic("clock_shift" if clock else "offset", f"{step:+g}", 1, step)
        found = fit(batch, before, before.changed(_wrapped(step) if clock else change.forward))
        what = f"{step / 100:+g} hours by the clock" if clock else f"{step:+g}"
        yield Candidate(
            change.cause,
            found.explained * (0.97 if clock else 0.8),
            found.share,
            f"{found.share:.0%} of its values are off by {what}",
            [_shifted(column.numbers, known.numbers)],
            _back(name, step) if clock else undo(name, change),
        )


def _back(name: str, step: float) -> Repair:
    how = f"To undo it, move the clock of {name!r} by {-step / 100:+g} hours."
    return suggest.repair(name, how, plus=-int(step), wrap=2400)


def _wrapped(step: float) -> Callable[[float], float]:
    return lambda value: (value + step) % 2400


def _swapped(
    name: str, profile: Profile, reference: Profile, batch: Distribution, before: Distribution
) -> Iterator[Candidate]:
    """The values of another column, which has this one's."""
    for other, known in reference.columns.items():
        numbers = profile.columns[other].numbers if other in profile.columns else None
        if other == name or known.numbers is None or known.clock or numbers is None:
            continue
        theirs = Distribution(known.numbers.points)
        mine = fit(batch, before, theirs)
        back = fit(Distribution(numbers.points), theirs, before)
        agreed = min(mine.share, back.share) / max(mine.share, back.share, 1e-9)
        if min(mine.explained, back.explained) > 0.5 and agreed > 0.6:
            yield Candidate(
                "columns_swapped",
                min(mine.explained, back.explained) * (0.9 + 0.1 * agreed),
                mine.share,
                f"{mine.share:.0%} of its values stand in {other!r}, and those of {other!r} here",
                [f"{name!r} now looks as {other!r} did ({mine.explained:.0%} explained), and {other!r} as it did."],
                suggest.exchange(name, other),
                other,
            )  # fmt: skip


def _shifted(numbers: Numbers, known: Numbers) -> str:
    now = ", ".join(f"{numbers.quantile(share):g}" for share in (0.05, 0.5, 0.95))
    then = ", ".join(f"{known.quantile(share):g}" for share in (0.05, 0.5, 0.95))
    return f"Its 5 %, 50 % and 95 % quantiles are {now}; they were {then}."


def undo(name: str, change: Arithmetic) -> Repair:
    """The repair that takes a change of numbers back."""
    if change.plus and change.times != 1:
        how = f"subtract {change.plus:g} and divide by {change.times:g}"
    elif change.plus:
        how = f"{'subtract' if change.plus > 0 else 'add'} {abs(change.plus):g}"
    else:
        how = f"divide by {change.times:g}" if change.times >= 1 else f"multiply by {1 / change.times:g}"
    if change.times == -1:
        how = "multiply by -1"
    times, plus = 1 / change.times, 0.0 - change.plus / change.times
    return Repair(
        change=f"To undo it, {how}.",
        yaml=f"{name}: {{repair: {{times: {times:.10g}, plus: {plus:.10g}}}}}",
    )
