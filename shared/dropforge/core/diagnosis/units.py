"""Changes of unit, sign and decimal mark that happen to columns of numbers, and what undoes each."""

from collections.abc import Callable
from dataclasses import dataclass

Change = Callable[[float], float]
# A change between units that the column does not have explains too little; where none is declared, a little less.
FAMILIAR, UNDECLARED, STRANGE = 1.0, 0.95, 0.8


@dataclass(frozen=True)
class Arithmetic:
    """value -> value * times + plus. `familiar` names units in which it is the likelier explanation."""

    cause: str
    what: str
    times: float
    plus: float = 0.0
    familiar: tuple[str, ...] = ()

    def forward(self, value: float) -> float:
        """What the source did."""
        return value * self.times + self.plus

    def back(self, value: float) -> float:
        """What undoes it."""
        return (value - self.plus) / self.times


def _both(what: str, back: str, times: float, here: tuple[str, ...], there: tuple[str, ...]) -> list[Arithmetic]:
    return [
        Arithmetic("unit_change", what, times, familiar=here),
        Arithmetic("unit_change", back, 1 / times, familiar=there),
    ]


MILES, KM = ("mile", "miles", "mi", "mph"), ("km", "kilometre", "kilometer", "km/h")
MINUTES, SECONDS, HOURS = ("minute", "minutes", "min"), ("second", "seconds", "s"), ("hour", "hours", "h")
CHANGES = [
    *_both("multiplied by 1000", "divided by 1000", 1000, (), ()),
    *_both("multiplied by 100", "divided by 100", 100, ("%",), ()),
    *_both("multiplied by 10", "divided by 10", 10, (), ()),
    *_both("in kilometres instead of miles", "in miles instead of kilometres", 1.609344, MILES, KM),
    *_both("in seconds instead of minutes", "in minutes instead of seconds", 60, (*MINUTES, *HOURS), SECONDS),
    *_both("in seconds instead of hours", "in hours instead of seconds", 3600, HOURS, SECONDS),
    *_both("in metres instead of feet", "in feet instead of metres", 0.3048, ("foot", "feet", "ft"), ("m", "metre")),
    *_both("in kilograms instead of pounds", "in pounds instead of kilograms", 0.45359237, ("lb", "pound"), ("kg",)),
    *_both("in centimetres instead of inches", "in inches instead of centimetres", 2.54, ("inch", "in"), ("cm",)),
    *_both("in millimetres instead of inches", "in inches instead of millimetres", 25.4, ("inch", "in"), ("mm",)),
    *_both("in m/s instead of miles an hour", "in miles an hour instead of m/s", 0.44704, ("mph",), ("m/s",)),
    *_both("in hPa instead of inches of mercury", "in inches of mercury instead of hPa", 33.8639, ("inHg",), ("hPa",)),
    Arithmetic("unit_change", "in °C instead of °F", 5 / 9, -160 / 9, ("°F", "F")),
    Arithmetic("unit_change", "in °F instead of °C", 9 / 5, 32, ("°C", "C")),
    Arithmetic("unit_change", "in K instead of °C", 1, 273.15, ("°C", "C")),
    Arithmetic("sign_flip", "with the sign flipped", -1),
]  # fmt: skip
SENTINELS = (-1, -9, -99, -999, -9999, 99, 999, 9999, 99999, 999999, 2147483647, -2147483648, 1e20)


def plausible(change: Arithmetic, unit: str | None) -> float:
    """By how much to trust that a column of this unit (None: of no declared one) was changed so, in [0, 1]."""
    if not change.familiar or unit in change.familiar:
        return FAMILIAR
    return UNDECLARED if unit is None else STRANGE
