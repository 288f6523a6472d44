"""From what moved to what probably happened: all causes are tried, and the one that explains most is named."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from dropforge.contracts.examination import Anomaly, Diagnosis
from dropforge.contracts.profile import Profile
from dropforge.core.diagnosis import categories, forms, numbers, related, times, whole
from dropforge.core.diagnosis.candidate import Candidate

ENOUGH = 0.5  # of the movement, which a cause must explain; else the data themselves changed
# Any shift looks a little like some arithmetic, so that has to explain nearly all.
ENOUGH_ARITHMETIC = 0.85
ARITHMETIC = ("unit_change", "offset", "clock_shift", "columns_swapped")
RIVAL = 0.25  # how much of a second cause's explanation counts against the first


def diagnose(
    profile: Profile,
    reference: Profile,
    earlier: Sequence[Profile],
    anomalies: Collection[Anomaly],
    units: Mapping[str, str | None],
    torn: Mapping[str, Sequence[related.Torn]],
) -> list[Diagnosis]:
    """One diagnosis for each column (or the file) with an anomaly, the surest first.

    `reference` is the merged profile of the `earlier` batches, `units` gives the unit of columns that have one, `torn`
    the relations with other columns that a column no longer keeps.
    """
    found: list[Diagnosis] = []
    exchanged: set[str] = set()
    for anomaly in anomalies:
        name = anomaly.column
        if name:
            tried = [*_causes(name, profile, reference, units.get(name))]
            tried += related.causes(name, torn.get(name, ()))
            if anomaly.statistic == "nulls" and anomaly.effect > 0:  # what is left says nothing of what went
                tried = [one for one in tried if one.cause == "values_missing"]
        else:
            tried = [*whole.causes(profile, earlier, anomalies)]
        best, confidence = _best(anomaly, tried)
        found.append(best.diagnosis(name, confidence))
        if best.other:
            exchanged |= {name, best.other}
    return sorted(_without_consequences(found, exchanged), key=lambda one: -one.confidence)


def _causes(name: str, profile: Profile, reference: Profile, unit: str | None) -> Iterator[Candidate]:
    column, known = profile.columns[name], reference.columns[name]
    unreadable = (column.present - column.readable) / max(column.present, 1)
    if unreadable > 0.002 and unreadable > 2 * (known.present - known.readable) / max(known.present, 1):
        yield from forms.causes(name, column)
    if column.clock or known.clock:
        yield from times.causes(name, column, known)
    elif known.numbers:
        yield from numbers.causes(name, profile, reference, unit)
    if not known.numbers:
        yield from categories.causes(name, profile, reference)


def _best(anomaly: Anomaly, tried: Sequence[Candidate]) -> tuple[Candidate, float]:
    """The cause that explains most, and how sure it is."""
    good = [one for one in tried if one.explained >= (ENOUGH_ARITHMETIC if one.cause in ARITHMETIC else ENOUGH)]
    ranked = sorted(good, key=lambda one: -one.explained)
    if not ranked:
        return _drift(anomaly), 0.5
    best = ranked[0]
    rival = next((one for one in ranked[1:] if one.cause != best.cause), None)
    against = RIVAL * rival.explained if rival is not None else 0.0
    return best, best.explained * (1 - against)


def _drift(anomaly: Anomaly) -> Candidate:
    emptied = anomaly.code in ("column_empty", "null_share") and anomaly.effect > 0
    if emptied:
        cause, what = "values_missing", "the source no longer fills it in"
    elif anomaly.code == "column_alive":
        cause, what = "came_alive", "the source now fills it in"
    else:
        cause, what = "drift", "the data themselves changed"
    return Candidate(cause, 0.5, abs(anomaly.effect), what, [anomaly.sentence])


def _without_consequences(found: Sequence[Diagnosis], exchanged: Collection[str]) -> list[Diagnosis]:
    """Where rows are missing or repeated, columns that merely moved moved because of that.

    Where two columns stand in each other's place, as `exchanged` do, what else is said of either comes from that.
    """
    found = [one for one in found if one.cause == "columns_swapped" or one.column not in exchanged]
    whole_file = {"region_missing", "truncated_file", "rows_duplicated", "rows_missing", "more_rows"}
    if any(one.cause in whole_file for one in found):
        kept = [one for one in found if one.cause != "drift"]
        regions = [one for one in kept if one.cause == "region_missing"]
        return [one for one in kept if one.cause not in ("rows_missing",) or not regions]
    return list(found)
