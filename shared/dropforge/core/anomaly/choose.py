"""From all that is unusual to what is told: each column's most surprising statistic, and broken relations by column."""

from collections.abc import Mapping, Sequence

from dropforge.contracts.examination import Anomaly
from dropforge.core.anomaly.related import Related
from dropforge.core.anomaly.statistics import Key
from dropforge.core.diagnosis.blame import blamed
from dropforge.core.diagnosis.related import Torn

Found = Sequence[tuple[Key, Anomaly]]


def attributed(found: Found, related: Related, units: Mapping[str, str | None]) -> tuple[Found, dict[str, list[Torn]]]:
    """Give each broken relation to the column that changed; with the relations of each such column."""
    broken = {key: related.relations[key] for key, _ in found if key in related.relations}
    if related.rows is None or not broken:
        return found, {}
    moved = frozenset(key.column for key, _ in found if key.column)
    guilty = blamed(broken, related.relations, related.rows, units, moved)
    torn: dict[str, list[Torn]] = {}
    for key, (column, undone) in guilty.items():
        breaks = related.now[key]
        share = breaks.rows / max(breaks.of, 1)
        torn.setdefault(column, []).append(Torn(broken[key], related.rows, share, undone))
    return [(key, _named(anomaly, guilty[key][0]) if key in guilty else anomaly) for key, anomaly in found], torn


def most_telling(found: Found) -> list[Anomaly]:
    """One anomaly a column, the most surprising first."""
    best: dict[str, Anomaly] = {}
    for _, anomaly in found:
        if anomaly.column not in best or anomaly.surprise > best[anomaly.column].surprise:
            best[anomaly.column] = anomaly
    return sorted(best.values(), key=lambda one: -one.surprise)


def _named(anomaly: Anomaly, column: str) -> Anomaly:
    return anomaly.model_copy(update={"column": column, "sentence": f"{column!r}: {anomaly.sentence}"})
