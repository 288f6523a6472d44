"""What each column is for: which tell rows apart, which says when, what may be predicted, and from what."""

from dataclasses import dataclass

from dropforge.contracts.models import FieldType
from dropforge.contracts.pipeline.table import NUMERIC, TEXTUAL
from dropforge.core.drafting.kinds import Drafted
from dropforge.core.drafting.sample import Sample
from dropforge.core.drafting.words import CALENDAR, MOMENTS, REGIONS, TARGETS, words

WIDEST_KEY = 5  # columns
DOUBLED = 0.005  # of the rows may repeat a key; they are then quarantined
NEVER_BOTH = 0.5  # of the rows without one value lack the other too: then the two become known together
MEASURES: tuple[FieldType, ...] = ("number", "text", "boolean")
LEARNED: tuple[FieldType, ...] = ("integer", "number", "category", "boolean")
MOST_SLICES = 2
MOST_TARGETS = 5  # that a draft names
FEW = 10  # values, each of which might be what is asked for
BETWEEN = 0.5  # parts the 1 from the 0 of a column that holds nothing else


@dataclass(frozen=True)
class Target:
    """A column that may be the label, the rule that makes it one, and why."""

    column: str
    rule: tuple[str, float | str]  # ("above", 15), ("equals", "spam") or ("kind", "classes")
    why: str
    number: bool = False  # whether the number itself could be predicted as well


@dataclass(frozen=True)
class Found:
    """Columns and the reason for the choice; no columns where the sample has none."""

    columns: list[str]
    why: str


def time(sample: Sample, columns: dict[str, Drafted]) -> Found:
    """The column that says when a row happened."""
    times = [
        name
        for name, one in columns.items()
        if one.column.type in ("timestamp", "date") and one.column.required and one.seen.distinct > 1
    ]
    if not times:
        return Found([], "no column holds a time in every row")
    best = max(times, key=lambda name: (len(MOMENTS & set(words(name))), columns[name].seen.distinct))
    others = f"; also possible: {', '.join(name for name in times if name != best)}" if len(times) > 1 else ""
    return Found([best], f"a time in every row, over {sample.days(best):,} days{others}")


def key(sample: Sample, columns: dict[str, Drafted], at: Found) -> Found:
    """The fewest columns that tell rows apart: one if there is one, else the time and what parts it further."""
    full = [name for name, one in columns.items() if one.column.required and one.column.type not in MEASURES]
    plain = [name for name in full if one_of_a_kind(columns[name])]
    for name in plain:
        if columns[name].seen.distinct == sample.rows:
            return Found([name], "different in every row")
    for among in (plain, full):
        chosen = _growing(sample, [name for name in among if name not in at.columns], list(at.columns))
        doubled = sample.rows - sample.distinct(chosen) if chosen else sample.rows
        if doubled <= DOUBLED * sample.rows:
            chosen = _pruned(sample, chosen, doubled)
            but = f", save {doubled:,} rows, which are quarantined as repeated" if doubled else ""
            return Found(chosen, f"together different in every row{but}")
    return Found([], "no handful of columns tells all rows apart")


def one_of_a_kind(one: Drafted) -> bool:
    """Whether a column names something, rather than measuring it."""
    return one.column.unit in (None, "year") or one.column.type != "integer"


def _growing(sample: Sample, candidates: list[str], chosen: list[str]) -> list[str]:
    """Add the column that parts most rows, again and again, until all are told apart or the key is too wide."""
    reached = sample.distinct(chosen) if chosen else 0
    left = list(candidates)
    while left and reached < sample.rows and len(chosen) < WIDEST_KEY:
        counts = {name: sample.distinct([*chosen, name]) for name in left}
        best = max(left, key=lambda name: counts[name])
        if counts[best] <= reached:
            break
        reached = counts[best]
        chosen = [*chosen, best]
        left.remove(best)
    return chosen


def _pruned(sample: Sample, chosen: list[str], doubled: int) -> list[str]:
    for name in list(chosen):
        fewer = [other for other in chosen if other != name]
        if fewer and sample.rows - sample.distinct(fewer) == doubled:
            chosen = fewer
    return chosen


def targets(sample: Sample, columns: dict[str, Drafted], taken: list[str]) -> list[Target]:
    """What may be predicted, the likeliest first: by name, by having few values, and by standing last."""
    scored = []
    for place, (name, one) in enumerate(columns.items(), start=1):
        said = set(words(name))
        if name in taken or one.column.type in ("text", "timestamp", "date") or CALENDAR & said:
            continue
        if one.seen.distinct < 2 or (one.column.type in TEXTUAL and not one.seen.top):
            continue
        grounds = []
        if TARGETS & said:
            grounds.append((3.0, "its name says so"))
        if one.seen.distinct == 2:
            grounds.append((2.0, "it has two values"))
        elif one.seen.distinct <= FEW and one.seen.top and not REGIONS & said:
            grounds.append((1.5, f"it has only {one.seen.distinct} values"))
        scored.append((sum(score for score, _ in grounds) + place / len(columns), one, [why for _, why in grounds]))
    scored.sort(key=lambda each: -each[0])
    return [_target(sample, one, why) for _, one, why in scored[:MOST_TARGETS]]


def _target(sample: Sample, one: Drafted, why: list[str]) -> Target:
    name, seen = one.seen.name, one.seen
    if 2 < seen.distinct <= FEW and one.column.type in ("integer", "category"):
        return Target(name, ("kind", "classes"), "; ".join(why) or "it varies")
    if one.column.type not in NUMERIC:
        return Target(name, ("equals", _rarer(one)), "; ".join(why) or "it varies")
    if seen.distinct == 2 and (seen.low, seen.high) == (0, 1):
        return Target(name, ("above", BETWEEN), "; ".join(why))
    limit, share = _limit(sample, one)
    return Target(name, ("above", limit), "; ".join([*why, f"{share:.0%} of the rows are at most {limit:g}"]), True)


def _limit(sample: Sample, one: Drafted) -> tuple[float, float]:
    """A limit that some rows lie above, and the share of rows up to it."""
    for share in (0.75, 0.5, 0.25, 0.1, 0.05):
        limit = round(sample.quantile(one.seen.name, share), 4)
        if one.seen.high is not None and limit < one.seen.high:
            return limit, sample.share_up_to(one.seen.name, limit)
    low = one.seen.low or 0.0
    return low, sample.share_up_to(one.seen.name, low)


def _rarer(one: Drafted) -> str:
    """The value to predict: of two the rarer, which is usually the event; of more the most frequent."""
    value = one.seen.top[-1 if one.seen.distinct == 2 else 0][0]
    if one.column.type != "boolean":
        return value
    return "true" if value.lower() in ("true", "t", "yes", "y", "1") else "false"  # as a boolean is written


def known_too_late(sample: Sample, columns: dict[str, Drafted], label: str) -> dict[str, str]:
    """Columns that have no value where the label has none: they become known with it, and would give it away."""
    missing = sample.missing
    if not missing[label]:
        return {}
    found = {}
    for name in columns:
        if name != label and missing[name]:
            both, either = sample.both_missing(name, label)
            if both >= NEVER_BOTH * either:
                found[name] = f"{both:,} of the {missing[label]:,} rows without a label lack it too"
    return found


def slices(columns: dict[str, Drafted], label: str) -> list[str]:
    """Columns in each value of which a challenger must hold its own: regions first, then what has few values."""
    few = [
        name
        for name, one in columns.items()
        if name != label and one.column.type == "category" and 2 <= one.seen.distinct <= 20
    ]
    ranked = sorted(few, key=lambda name: (not REGIONS & set(words(name)), columns[name].seen.distinct))
    return ranked[:MOST_SLICES]


def features(sample: Sample, columns: dict[str, Drafted], left_out: set[str]) -> dict[str, str]:
    """Columns that a model can learn from, with a remark or none; what is left out is told by the draft."""
    return {
        name: ""
        for name, one in columns.items()
        if name not in left_out and one.column.type in LEARNED and why_not(sample, one) is None
    }


def why_not(sample: Sample, one: Drafted) -> str | None:
    """Why a model can learn nothing from a column, or None."""
    if one.column.type not in LEARNED:
        return None
    if one.seen.distinct < 2:
        return "the same in every row"
    if one.column.type == "category" and one.seen.distinct > sample.rows / 2:
        return "different in most rows, so it names them"
    return None
