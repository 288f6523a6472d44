"""Hold a batch against its history, with an alarm rate that means what it says.

A batch raises an alarm when one of its statistics lies farther from its forecast than it would in one of `one_in` clean
batches, and by enough to matter. Each of m statistics is tested at 1 / (m * one_in) (Bonferroni), so the rate holds at
any number of columns, at the price of being cautious. The distance is in standard errors, which have two parts: how far
forecasts were off from batch to batch, which more rows do not make smaller, and the chance of drawing these rows. The
first is known from few batches only, so it is moderated by what is usual for such statistics in this table (Smyth,
2004) and the tails are those of Student's t. What is learned so, instead of being written by hand, is the constraint of
Tu et al. (KDD 2023, "Auto-Validate by-history") and the novelty of Redyuk et al. (EDBT 2021).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, log, sqrt
from statistics import fmean, median

from dropforge.contracts.examination import Anomaly
from dropforge.contracts.profile import Profile
from dropforge.core.anomaly import wording
from dropforge.core.anomaly.forecast import forecast
from dropforge.core.anomaly.history import Compared
from dropforge.core.anomaly.statistics import Amount, Key, Share
from dropforge.core.anomaly.student import two_sided

SHRUNK = 4.0  # the weight of what is usual for a kind of statistic, in batches
# Shares are compared as log((share + offset) / (1 - share + offset)): what is small beside the offset does not differ.
OFFSET_NEW = 0.002
OFFSET_PLACE = 0.02
OFFSET_SHARE = 0.1
# By how much a statistic must have moved to matter: in shares of rows, and on the scale of an amount.
MATTERS = {"rows": log(1.25), "span": log(1.1), "distinct": log(1.5)}
MATTERS_PLACE = 0.05  # for what lies where: quantiles, frequent values, hours
MATTERS_SHARE = 0.02
MATTERS_NEW = 0.01
VANISHED = 0.25  # of the least share that it had: below, a frequent value counts as gone
PLACES = ("at_most", "value", "hour")
RELATIONS = ("together", "determined", "equation", "clocks", "predicted")
NEW = (
    *("unseen", "above", "below", "new_hours", "new_patterns", "stray", "unreadable", "rejected", "repeated"),
    *("first_zeros", "first_negatives", "first_fractions"),
    *RELATIONS,
)
# Months are not draws from an urn: one storm or holiday is worth more than the variance of a few calm ones tells.
CAUTION = 2.0
# That nothing new came so far is known from few batches only, however alike they are: the least spread of what is new.
LEAST_NEW = 0.2**2


@dataclass(frozen=True)
class Tested:
    """A statistic on the scale on which it is compared."""

    key: Key
    observed: float
    forecast: float
    history: list[float]
    spread: float  # mean square of past errors
    batches: int
    chance: float  # variance from drawing rows


def anomalies(
    compared: Compared, profile: Profile, moment: datetime | None, one_in: int
) -> tuple[list[tuple[Key, Anomaly]], int]:
    """Every anomaly of a batch, with its statistic, and the number of tests."""
    tested = [one for key in compared.now if (one := _tested(compared, key, moment)) is not None]
    usual = _usual(tested)
    found = [(one.key, _anomaly(one, usual[one.key.kind], len(tested), one_in, compared, profile)) for one in tested]
    return [(key, anomaly) for key, anomaly in found if anomaly is not None], len(tested)


def _tested(compared: Compared, key: Key, moment: datetime | None) -> Tested | None:
    past = compared.series.get(key, [])
    now = compared.now[key]
    if len(past) < 2:
        return None
    moments = [compared.moments[index] for index, _ in past]
    offset = _offset(key)
    values = [_scaled(value, offset) if isinstance(value, Share) else value for _, value in past]
    made = forecast(values, moments, moment)
    errors = made.errors
    history = [value.rows / max(value.of, 1) if isinstance(value, Share) else value for _, value in past]
    if isinstance(now, Amount):
        slack = compared.coverage.slack if key in compared.coverage.now else 0.0
        return Tested(key, now.value, made.value, history, _square(errors), len(errors), slack * slack)
    of = fmean(value.of for _, value in past if isinstance(value, Share))
    chance = _chance(now, made.value, of, offset)
    return Tested(key, _scaled(now, offset), made.value, history, _square(errors), len(errors), chance)


def _usual(tested: Sequence[Tested]) -> dict[str, float]:
    """What spread is usual for each kind of statistic."""
    spreads: dict[str, list[float]] = defaultdict(list)
    for one in tested:
        spreads[one.key.kind].append(one.spread)
    return {kind: median(found) for kind, found in spreads.items()}


def _anomaly(
    one: Tested, usual: float, tests: int, one_in: int, compared: Compared, profile: Profile
) -> Anomaly | None:
    share = isinstance(compared.now[one.key], Share)
    offset = _offset(one.key)
    observed = _share(one.observed, offset) if share else one.observed
    expected = _share(one.forecast, offset) if share else one.forecast
    low, high = min(one.history), max(one.history)
    effect = observed - expected
    vanished = one.key.kind == "value" and observed < VANISHED * low
    if (
        abs(effect) < (MATTERS_SHARE if vanished else _matters(one.key, compared))
        or low <= observed <= high
        or (one.key.kind in NEW and effect < 0)
    ):
        return None
    spread = (SHRUNK * usual + one.batches * one.spread) / (SHRUNK + one.batches)
    new = one.key.kind in NEW
    between = CAUTION * (max(spread, LEAST_NEW) if new else spread)
    variance = between + one.chance
    if variance <= 0:
        variance = 1e-12
    surprise = abs(one.observed - one.forecast) / sqrt(variance)
    # Satterthwaite's degrees of freedom: the part that comes from drawing rows is known, the other is estimated.
    freedom = (SHRUNK + one.batches) * (1 if new else (variance / between) ** 2 if between > 0 else 1e6)
    p = two_sided(surprise, min(freedom, 1e6))
    if p * tests * one_in > 1:
        return None
    said = wording.Said(one.key, observed, expected, low, high, len(compared.batch_ids))
    return Anomaly(
        code=wording.code(one.key, compared.reference, profile),
        column=one.key.column,
        statistic=f"{one.key.kind} {one.key.detail}".strip(),
        observed=_readable(observed),
        forecast=_readable(expected),
        low=_readable(low),
        high=_readable(high),
        effect=_readable(effect),
        surprise=_readable(surprise),
        p=p,
        sentence=wording.sentence(said),
    )


def _matters(key: Key, compared: Compared) -> float:
    if key in compared.coverage.now:
        return compared.coverage.matters
    if key.kind in NEW:
        return MATTERS_NEW
    return MATTERS.get(key.kind, MATTERS_PLACE if key.kind in PLACES else MATTERS_SHARE)


def _square(errors: Sequence[float]) -> float:
    return fmean(error * error for error in errors)


def _offset(key: Key) -> float:
    if key.kind in NEW:
        return OFFSET_NEW
    return OFFSET_PLACE if key.kind in PLACES else OFFSET_SHARE


def _scaled(share: Share, offset: float) -> float:
    part = share.rows / max(share.of, 1)
    return log((part + offset) / (1 - part + offset))


def _share(scaled: float, offset: float) -> float:
    odds = exp(scaled)
    return min(max((odds * (1 + offset) - offset) / (1 + odds), 0.0), 1.0)


def _chance(now: Share, forecast_scaled: float, of: float, offset: float) -> float:
    """The variance of the difference that drawing so many rows makes, were there no other."""
    rows = max(now.of, 1)
    part = (now.rows + _share(forecast_scaled, offset) * of + 0.5) / (rows + of + 1)
    slope = 1 / (part + offset) + 1 / (1 - part + offset)
    return part * (1 - part) * (1 / rows + 1 / max(of, 1)) * slope * slope


def _readable(value: float) -> float:
    return float(f"{value:.6g}")
