"""What the name of a column says to a person, and what units and ranges usually go with it."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Guess:
    """A unit (empty: none), the bounds that hold whatever the sample shows, and why."""

    unit: str
    low: float | None
    high: float | None
    why: str


def words(name: str) -> list[str]:
    """The words of a name, in lower case.

    >>> words("ProductRelated_Duration")
    ['product', 'related', 'duration']
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return [word for word in re.split(r"[^A-Za-z0-9]+", parted.lower()) if word]


def _all(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


SUFFIXES = {
    "km": "km", "mi": "mile", "miles": "mile", "cm": "cm", "mm": "mm", "kg": "kg", "ms": "millisecond",
    "sec": "second", "secs": "second", "seconds": "second", "min": "minute", "mins": "minute", "minutes": "minute",
    "hours": "hour", "days": "day", "usd": "USD", "eur": "EUR", "gbp": "GBP", "mph": "mph",
    "kmh": "km/h", "kph": "km/h", "celsius": "°C", "fahrenheit": "°F", "hpa": "hPa", "pct": "%", "percent": "%",
}  # fmt: skip
CODES = _all(
    "id ids code codes zip zipcode postcode plz type types class group category region browser status flag no nr number"
    " operating systems speaker user customer shop store"
)
REGIONS = _all(
    "region regions country state city county district area site location origin zone market store shop branch airport"
    " station continent province speaker"
)
TARGETS = _all(
    "label target class outcome churn churned fraud spam revenue bought converted conversion survived default late"
    " delay delayed defect failure failed quality score rating y"
)
CALENDAR = _all("year month day hour minute weekday")
MOMENTS = _all("time timestamp at date datetime when created occurred event hour day")


def unit_of(name: str, low: float, high: float, clock: bool) -> Guess | None:
    """The unit and bounds that a name and a range suggest, or None. `clock`: all values can be a time such as 1435."""
    said = words(name)
    last = said[-1] if said else ""
    if clock and "time" in said and high > 100:
        return Guess("HHMM", 0, 2400, "every value can be read as hours and minutes, such as 1435")
    for word in (last, *said):
        if word in SUFFIXES:
            percent = SUFFIXES[word] == "%" and low >= 0 and high <= 100
            least, most = (0.0, 100.0) if percent else (None, None)
            return Guess(SUFFIXES[word], least, most, f"by the word {word!r} in the name")
    for names, from_, to, unit, (least, most) in _USUAL:
        if names & set(said) and low >= from_ and high <= to:
            return Guess(unit, least, most, "guessed from the name and the range: check it")
    return None


# Words of a name, the range within which the guess holds, the unit, and the bounds that nature or the calendar gives.
_USUAL: list[tuple[frozenset[str], float, float, str, tuple[float | None, float | None]]] = [
    (frozenset({"year"}), 1800, 2200, "year", (1800, 2200)),
    (frozenset({"month"}), 1, 12, "month", (1, 12)),
    (frozenset({"day"}), 1, 31, "day", (1, 31)),
    (frozenset({"hour"}), 0, 24, "hour", (0, 24)),
    (frozenset({"minute"}), 0, 59, "minute", (0, 59)),
    (frozenset({"lat", "latitude"}), -90, 90, "degree", (-90, 90)),
    (frozenset({"lon", "lng", "longitude"}), -180, 180, "degree", (-180, 180)),
    (frozenset({"dir", "direction", "bearing", "heading", "angle"}), 0, 360, "degree", (0, 360)),
    (frozenset({"humid", "humidity"}), 0, 100, "%", (0, 100)),
    (frozenset({"pressure"}), 850, 1100, "hPa", (850, 1100)),
    (frozenset({"temp", "temperature", "dewp", "dewpoint"}), -60, 55, "°C", (-90, 60)),
    (frozenset({"temp", "temperature", "dewp", "dewpoint"}), -60, 140, "°F", (-130, 140)),
    (frozenset({"rate", "rates", "share", "ratio", "probability", "prob"}), 0, 1, "share", (0, 1)),
    (frozenset({"delay"}), -1500, 3000, "minute", (None, None)),
    (frozenset({"age"}), 0, 120, "year", (0, 130)),
]
# Names that ask for a unit which a sample cannot tell.
ASKING = {
    "distance": "km or mile?", "visib": "km or mile?", "duration": "second or minute?", "height": "m or cm?",
    "speed": "km/h, m/s or mph?", "gust": "km/h, m/s or mph?", "altitude": "m or feet?", "alt": "m or feet?",
    "price": "which currency?", "amount": "which currency?", "cost": "which currency?", "fare": "which currency?",
    "precip": "mm or inch?", "weight": "kg?",
}  # fmt: skip
