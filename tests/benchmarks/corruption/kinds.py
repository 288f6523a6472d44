"""The kinds of corruption: what each does to rows of text, and which diagnoses are right.

`share` is of the rows that the kind can touch: all of them, or, for nulls, those that are empty.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

Row = dict[str, str]
Rows = list[Row]
NOTHING = "NA"


@dataclass(frozen=True)
class Kind:
    """One kind. `column` is empty where the file as a whole is spoiled."""

    name: str
    table: str
    column: str
    causes: tuple[str, ...]
    spoil: Callable[[Rows, float, Random], Rows]


def each(column: str, change: Callable[[str], str]) -> Callable[[Rows, float, Random], Rows]:
    """Change a share of a column's values that are not empty."""

    def spoil(rows: Rows, share: float, random: Random) -> Rows:
        return [
            row | {column: change(row[column])} if row[column] != NOTHING and random.random() < share else row
            for row in rows
        ]

    return spoil


def number(change: Callable[[float], float], digits: int | None = None) -> Callable[[str], str]:
    """A change of a number that keeps whole numbers whole, or rounds to `digits`."""

    def changed(value: str) -> str:
        result = change(float(value))
        return str(round(result)) if digits is None else f"{result:.{digits}f}"

    return changed


def _fill_nulls(rows: Rows, share: float, random: Random) -> Rows:
    return [
        row | {"arr_delay": "0"} if row["arr_delay"] == NOTHING and random.random() < share else row for row in rows
    ]


def swap(one: str, other: str) -> Callable[[Rows, float, Random], Rows]:
    """Exchange two columns in a share of the rows."""

    def spoil(rows: Rows, share: float, random: Random) -> Rows:
        return [row | {one: row[other], other: row[one]} if random.random() < share else row for row in rows]

    return spoil


def repeat(rows: Rows, share: float, random: Random) -> Rows:
    """Let a share of the rows stand there twice."""
    return [copy for row in rows for copy in ([row, row] if random.random() < share else [row])]


def _without_places(rows: Rows, share: float, random: Random) -> Rows:
    """Leave out destinations, in random order, until the share of rows is gone."""
    places = sorted({row["dest"] for row in rows})
    random.shuffle(places)
    counts = {place: sum(row["dest"] == place for row in rows) for place in places}
    gone: set[str] = set()
    while sum(counts[place] for place in gone) < min(share, 0.9) * len(rows):
        gone.add(places.pop())
    return [row for row in rows if row["dest"] not in gone]


def _cut(rows: Rows, share: float, _random: Random) -> Rows:
    return rows[: max(int(len(rows) * (1 - min(share, 0.95))), 1)]


def _longer(rows: Rows, share: float, random: Random) -> Rows:
    """Fewer short flights, more long ones: as many rows as before, a share of which was replaced."""
    long = [row for row in rows if int(row["distance"]) > 1500]
    return [
        random.choice(long) | {"flight": str(9000 + n % 900)} if random.random() < share else row
        for n, row in enumerate(rows)
    ]


def _hours_later(hours: int) -> Callable[[str], str]:
    return lambda text: (datetime.fromisoformat(text) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day_and_month(text: str) -> str:
    year, month, day = text[:10].split("-")
    return f"{year}-{day}-{month}{text[10:]}" if int(day) <= 12 else text


def _clock_later(hours: int) -> Callable[[str], str]:
    return lambda text: str((int(text) + 100 * hours) % 2400)


def _celsius(value: float) -> float:
    return (value - 32) / 1.8


def _code(text: str) -> str:
    return str(sum(ord(letter) * 26**place for place, letter in enumerate(text)))


NAMES = {"UA": "United", "B6": "JetBlue", "DL": "Delta"}
F, W = "flights", "weather"
KINDS = [
    Kind("miles as kilometres", F, "distance", ("unit_change",), each("distance", number(lambda x: x * 1.609344))),
    Kind("distance times 1000", F, "distance", ("unit_change",), each("distance", number(lambda x: x * 1000))),
    Kind("minutes as seconds", F, "air_time", ("unit_change",), each("air_time", number(lambda x: x * 60))),
    Kind("°F as °C", W, "temp", ("unit_change",), each("temp", number(_celsius, 2))),
    Kind("mph as m/s", W, "wind_speed", ("unit_change",), each("wind_speed", number(lambda x: x * 0.44704, 5))),
    Kind("sign flipped", F, "arr_delay", ("sign_flip",), each("arr_delay", number(lambda x: -x))),
    Kind("five hours late", F, "time_hour", ("clock_shift",), each("time_hour", _hours_later(5))),
    Kind("local clock three hours off", F, "sched_dep_time", ("clock_shift",), each("sched_dep_time", _clock_later(3))),
    Kind("day and month exchanged", F, "time_hour", ("day_month_swap",), each("time_hour", _day_and_month)),
    Kind("decimal comma", W, "temp", ("decimal_comma",), each("temp", lambda text: text.replace(".", ","))),
    Kind("sentinel -99", F, "dep_delay", ("sentinel",), each("dep_delay", lambda _: "-99")),
    Kind("sentinel 1970", F, "time_hour", ("sentinel",), each("time_hour", lambda _: "1970-01-01T00:00:00Z")),
    Kind("nulls as zeros", F, "arr_delay", ("nulls_to_zeros",), _fill_nulls),
    Kind("values lost", F, "air_time", ("values_missing",), each("air_time", lambda _: NOTHING)),
    Kind("a category renamed", F, "carrier", ("renamed", "recoded"), each("carrier", lambda t: NAMES.get(t, t))),
    Kind("re-cased", F, "dest", ("recased",), each("dest", str.lower)),
    Kind("padded", F, "carrier", ("padded",), each("carrier", lambda text: f"{text} ")),
    Kind("re-coded", F, "dest", ("recoded",), each("dest", _code)),
    Kind("mojibake", F, "tailnum", ("mojibake",), each("tailnum", lambda text: text.replace("N", "\u00c3\u2018", 1))),
    Kind("two columns swapped", F, "sched_arr_time", ("columns_swapped",), swap("sched_arr_time", "flight")),
    Kind("rows duplicated", F, "", ("rows_duplicated",), repeat),
    Kind("a region missing", F, "dest", ("region_missing",), _without_places),
    Kind("truncated file", F, "", ("truncated_file",), _cut),
    Kind("more long flights", F, "distance", ("drift",), _longer),
]  # fmt: skip
