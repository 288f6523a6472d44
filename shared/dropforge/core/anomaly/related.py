"""How the columns of a batch hang together, held against how they did in the batches before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dropforge.contracts.profile import Profile
from dropforge.core.anomaly.statistics import Key, Share
from dropforge.core.relations import Broken, Relation, Rows, learn, rows_of

NEWEST = 12  # earlier batches that relations are learned from
Units = Mapping[str, str | None]


@dataclass(frozen=True)
class Related:
    """Relations by the key of their statistic: the share of the rows that break it. `rows` are the batch's."""

    rows: Rows | None = None
    relations: dict[Key, Relation] = field(default_factory=dict)
    now: dict[Key, Share] = field(default_factory=dict)
    series: dict[Key, list[tuple[int, Share]]] = field(default_factory=dict)


def related(profile: Profile, earlier: Sequence[Profile], units: Units) -> Related:
    """What earlier batches teach, and how the batch keeps it. Empty where there are no samples yet."""
    taught = [(at, one) for at, one in enumerate(earlier) if one.sample and one.sample.hashes][-NEWEST:]
    if profile.sample is None or not profile.sample.hashes or not taught:
        return Related()
    times = frozenset(name for name, column in profile.columns.items() if column.type in ("timestamp", "date"))
    rows = rows_of(profile.sample, units, times)
    before = [rows_of(one.sample, units, times) for _, one in taught if one.sample]
    found = Related(rows)
    for relation in learn(before):
        key = Key("", relation.kind, relation.says)
        found.relations[key] = relation
        found.now[key] = _share(relation.test(rows))
        found.series[key] = [(at, _share(past)) for (at, _), past in zip(taught, relation.past, strict=True) if past.of]
    return found


def _share(broken: Broken) -> Share:
    return Share(broken.rows, broken.of)
