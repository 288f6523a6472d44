"""Sessions of an online shop, spoiled: data that no threshold was chosen by, without times and with other columns.

12,330 sessions (Online Shoppers Purchasing Intention, UCI 468; Sakar et al., 2018), shuffled once and cut into twelve
files of a thousand, so that every file is as clean as any other.
"""

import csv
import gzip
import io
import os
from functools import cache
from pathlib import Path
from random import Random

from dropforge.contracts.pipeline import Column, Table
from tests.benchmarks.corruption.kinds import Kind, Rows, each, number
from tests.benchmarks.corruption.kinds import repeat as repeat_rows
from tests.benchmarks.corruption.kinds import swap as swap_columns
from tests.benchmarks.corruption.trial import Bench

DATA = Path(
    os.environ.get("DROPFORGE_SHOPPERS", Path(__file__).parents[4] / "shared" / "data" / "online_shoppers")
) / "online_shoppers_intention.csv.gz"  # fmt: skip
FILES = 12
ROWS = 1000
LAST = [f"sessions-{n:02}" for n in range(FILES - 3, FILES)]
SECONDS = ("Administrative_Duration", "Informational_Duration", "ProductRelated_Duration")
SHARES = ("BounceRates", "ExitRates")
NUMBERS = (*SECONDS, *SHARES, "PageValues", "SpecialDay")
WHOLE = ("Administrative", "Informational", "ProductRelated")


class Shoppers(Bench):
    """Judges files of sessions."""

    def table(self, _name: str) -> Table:
        """No rules beyond types: what is noticed is noticed by history."""
        columns = {name: _column(name) for name in ("session", *rows()[0])}
        return Table(columns=columns, key=["session"])

    def rows(self, name: str) -> Rows:
        """The sessions of a file."""
        at = int(name[-2:])
        return [
            {"session": str(n), **row} for n, row in enumerate(rows()[at * ROWS : (at + 1) * ROWS], start=at * ROWS)
        ]

    def before(self, name: str) -> list[str]:
        """The files before it."""
        return [f"sessions-{n:02}" for n in range(int(name[-2:]))]


@cache
def rows() -> Rows:
    """All sessions, in an order that means nothing."""
    found = list(csv.DictReader(io.StringIO(gzip.decompress(DATA.read_bytes()).decode())))
    Random(468).shuffle(found)
    return found


def _column(name: str) -> Column:
    if name in NUMBERS:
        return Column(type="number", unit="second" if name in SECONDS else None)
    return (
        Column(type="integer", required=name == "session") if name in (*WHOLE, "session") else Column(type="category")
    )


T, RENAMED = "sessions", {"New_Visitor": "New", "Returning_Visitor": "Returning"}
KINDS = [
    Kind("seconds as minutes", T, SECONDS[2], ("unit_change",), each(SECONDS[2], number(lambda x: x / 60, 4))),
    Kind("seconds as ms", T, SECONDS[0], ("unit_change",), each(SECONDS[0], number(lambda x: x * 1000, 1))),
    Kind("share as per cent", T, "ExitRates", ("unit_change",), each("ExitRates", number(lambda x: x * 100, 6))),
    Kind("sign flipped", T, "ExitRates", ("sign_flip",), each("ExitRates", number(lambda x: -x, 9))),
    Kind("decimal comma", T, "ExitRates", ("decimal_comma",), each("ExitRates", lambda text: text.replace(".", ","))),
    Kind("sentinel -1", T, SECONDS[2], ("sentinel",), each(SECONDS[2], lambda _: "-1")),
    Kind("values lost", T, "BounceRates", ("values_missing",), each("BounceRates", lambda _: "NA")),
    Kind("renamed", T, "VisitorType", ("renamed", "recoded"), each("VisitorType", lambda t: RENAMED.get(t, t))),
    Kind("re-cased", T, "Month", ("recased",), each("Month", str.upper)),
    Kind("padded", T, "VisitorType", ("padded",), each("VisitorType", lambda text: f" {text}")),
    Kind("columns swapped", T, WHOLE[0], ("columns_swapped",), swap_columns(WHOLE[0], WHOLE[2])),
    Kind("rows duplicated", T, "", ("rows_duplicated",), repeat_rows),
]  # fmt: skip
