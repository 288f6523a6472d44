"""What the next batch's statistic should be, from those before it, and how far such forecasts were off.

Each statistic is forecast by whichever of these did best so far: the mean, the last value, the last value and half the
last step (trend), the value of a year before (season).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean

YEAR = timedelta(days=365.25)
NEAR = timedelta(days=16)
Moments = Sequence[datetime | None]


@dataclass(frozen=True)
class Forecast:
    """A value, and the errors of the same forecaster on the values before."""

    value: float
    errors: list[float]


def forecast(values: Sequence[float], moments: Moments, moment: datetime | None) -> Forecast:
    """The forecast for a batch at `moment` from at least two earlier `values` at `moments`."""
    made = []
    for forecaster in FORECASTERS:
        value = forecaster(values, moments, moment)
        past = [(forecaster(values[:i], moments[:i], moments[i]), values[i]) for i in range(1, len(values))]
        errors = [actual - guess for guess, actual in past if guess is not None]
        if value is not None and len(errors) >= max(1, len(values) // 3):
            made.append((fmean(error * error for error in errors) * (1 + 2 / len(errors)), Forecast(value, errors)))
    return min(made, key=lambda pair: pair[0])[1]


def _mean(values: Sequence[float], _moments: Moments, _moment: datetime | None) -> float | None:
    return fmean(values)


def _last(values: Sequence[float], _moments: Moments, _moment: datetime | None) -> float | None:
    return values[-1]


def _trend(values: Sequence[float], _moments: Moments, _moment: datetime | None) -> float | None:
    return values[-1] + (values[-1] - values[-2]) / 2 if len(values) > 1 else None


def _season(values: Sequence[float], moments: Moments, moment: datetime | None) -> float | None:
    if moment is None:
        return None
    apart = [(abs((moment - then) - YEAR), value) for then, value in zip(moments, values, strict=True) if then]
    near = [pair for pair in apart if pair[0] <= NEAR]
    return min(near)[1] if near else None


FORECASTERS: list[Callable[[Sequence[float], Moments, datetime | None], float | None]] = [_mean, _last, _trend, _season]
