"""Examine a batch: compare it with its history, say what is unusual, and what probably happened."""

from collections.abc import Collection, Mapping, Sequence

from dropforge.contracts.batch import Batch
from dropforge.contracts.examination import Examination
from dropforge.contracts.profile import Profile
from dropforge.core.anomaly.choose import attributed, most_telling
from dropforge.core.anomaly.history import ENOUGH, Earlier, comparable, compare
from dropforge.core.anomaly.judge import anomalies
from dropforge.core.diagnosis import diagnose


def examine(
    batch: Batch,
    profile: Profile,
    earlier: Sequence[Earlier],
    one_in: int,
    units: Mapping[str, str | None],
    without: Collection[str] = (),
) -> Examination:
    """Hold a batch against the earlier accepted ones of its table; at most one of `one_in` clean batches is an alarm.

    Kinds of statistics in `without` are no news here. A pure function: the same profiles in any order give the same.
    """
    chosen = comparable(profile, earlier)
    if len(chosen) < ENOUGH or not profile.rows:
        return Examination(
            batch=batch, judged=False, compared_with=[], tests=0, one_in=one_in, anomalies=[], diagnoses=[]
        )
    compared = compare(profile, chosen, units)
    unusual, tests = anomalies(compared, profile, profile.span[0] if profile.span else None, one_in)
    unusual = [(key, anomaly) for key, anomaly in unusual if key.kind not in without]
    named, torn = attributed(unusual, compared.related, units)
    found = most_telling(named)
    return Examination(
        batch=batch,
        judged=True,
        compared_with=compared.batch_ids,
        tests=tests,
        one_in=one_in,
        anomalies=found,
        diagnoses=diagnose(profile, compared.reference, [one.profile for one in chosen], found, units, torn),
    )
