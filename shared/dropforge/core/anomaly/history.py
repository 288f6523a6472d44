"""Which earlier batches a batch is compared with, and their statistics.

Where files come one a region (or shop, or airport), a column is constant within each and differs between them; such
batches are compared with those of the same constant only. They are found by looking, not by being told.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dropforge.contracts.profile import Profile
from dropforge.core.anomaly.coverage import Coverage, coverage
from dropforge.core.anomaly.related import Related, Units, related
from dropforge.core.anomaly.statistics import Key, Share, Statistics, fresh, lasting, reach, strays
from dropforge.core.profile import merge

ENOUGH = 3  # earlier batches, before anything is said
MOST = 40  # of the newest that are looked at
DOMINANT = 0.5  # of the rows, by which a batch belongs to a constant although some of its rows were damaged


@dataclass(frozen=True)
class Earlier:
    """An earlier batch of the same table."""

    batch_id: str
    profile: Profile


@dataclass(frozen=True)
class Compared:
    """A batch and its history in the same statistics. `series` holds for each the earlier values, in order of time.

    `related` are the relations between columns; the shares of rows that break them are among the statistics. So is
    where the batch begins and ends, of which `coverage` says by how much that may vary.
    """

    reference: Profile
    batch_ids: list[str]
    moments: list[datetime | None]
    now: Statistics
    series: dict[Key, list[tuple[int, Share | float]]]
    related: Related
    coverage: Coverage


def comparable(profile: Profile, earlier: Sequence[Earlier]) -> list[Earlier]:
    """The batches to compare with, in order of time; fewer than `ENOUGH` when too little is known yet."""
    ordered = sorted(earlier, key=lambda one: (start(one.profile) or datetime.max.isoformat(), one.batch_id))
    before = [one for one in ordered if (start(one.profile) or "") <= (start(profile) or "")]
    chosen = before if len(before) >= ENOUGH else ordered
    constants = constant_columns([one.profile for one in chosen])
    if constants:
        mine = tuple(dominant(profile, name) for name in constants)
        alike = [one for one in chosen if tuple(dominant(one.profile, name) for name in constants) == mine]
        chosen = alike or chosen
    return chosen[-MOST:]


def constant_columns(profiles: Sequence[Profile]) -> list[str]:
    """Columns of text that have one value within each batch, and several of them across batches."""
    if not profiles:
        return []
    names = [name for name, column in profiles[0].columns.items() if column.type in ("category", "text", "boolean")]
    found = []
    for name in names:
        values = Counter(dominant(profile, name, 1.0) for profile in profiles)
        if None not in values and len(values) > 1:
            found.append(name)
    return found


def dominant(profile: Profile, name: str, least: float = DOMINANT) -> str | None:
    """The value that more than half (or at least `least`) of a column's rows have."""
    column = profile.columns.get(name)
    if column is None or not column.values:
        return None
    value, rows = next(iter(column.values.items()))
    return value if rows >= least * column.rows else None


def start(profile: Profile) -> str | None:
    """When the bulk of a batch begins (ISO 8601): a few stray times do not decide where it belongs."""
    numbers = profile.columns[profile.time].numbers if profile.time in profile.columns else None
    return None if numbers is None else f"{numbers.quantile(0.25):020.3f}"


def compare(profile: Profile, earlier: Sequence[Earlier], units: Units) -> Compared:
    """Measure a batch and those of `comparable` by the same statistics. At least one of those is expected."""
    profiles = [one.profile for one in earlier]
    reference = profiles[0].bare
    news: list[Statistics] = [{}]
    for index, before in enumerate(profiles[1:], start=1):
        news.append(_fresh(before, reference, profiles[:index]))
        reference = merge(reference, before.bare)
    series: dict[Key, list[tuple[int, Share | float]]] = {}
    for index, (before, new) in enumerate(zip(profiles, news, strict=True)):
        for key, statistic in (lasting(before, reference) | new).items():
            series.setdefault(key, []).append((index, statistic if isinstance(statistic, Share) else statistic.value))
    now = lasting(profile, reference) | _fresh(profile, reference, profiles)
    moments = [one.span[0] if one.span else None for one in profiles]
    between = related(profile, profiles, units)
    now.update(between.now)
    series |= {key: [*values] for key, values in between.series.items()}
    covers = coverage(profile, profiles)
    now.update(covers.now)
    series |= {key: [*values] for key, values in covers.series.items()}
    return Compared(reference, [one.batch_id for one in earlier], moments, now, series, between, covers)


def _fresh(profile: Profile, until: Profile, before: Sequence[Profile]) -> Statistics:
    found = fresh(profile, until)
    for name, column in profile.columns.items():
        if column.clock is not None:
            known = [one.columns[name] for one in before if name in one.columns and one.columns[name].clock]
            if known:
                found[Key(name, "stray")] = strays(column, 1.5 * max(reach(one) for one in known))
    return found
