"""The report of a pipeline: self-contained, honest about leaks, and usable at 200 columns."""

import re

import pytest

from dropforge.contracts.batch import Batch, Source
from dropforge.core import pipelines
from dropforge.core.ledger import Line
from dropforge.core.report import courses, whole
from dropforge.core.report.course import Arrival, Course
from tests.core.profile.measuring import profiled, table_of
from tests.functions.drops import HEADER, Shop


def report(shop: Shop) -> str:
    """The shop's, as it stands."""
    pipeline, _ = pipelines.load(shop.state, "shop")
    return whole(pipeline, courses(shop.state, pipeline))


def month(number: int, rows: int = 240, note: str = "a") -> str:
    """A file of sales; `kind` knows the answer."""
    lines = (
        f"{number * 1000 + n},2013-{number:02}-{n % 28 + 1:02},{n % 20},{'big' if n % 20 > 10 else 'small'},{note}"
        for n in range(rows)
    )
    return HEADER + "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def shop() -> Shop:
    """Ten months; in the last the amounts are ten times as high, and someone tries to inject a script."""
    made = Shop().deploy()
    for number in range(1, 10):
        made.drop(month(number), f"shop/{number}.csv")
    made.drop(re.sub(r"(-\d\d),(\d+),", r"\1,\g<2>0,", month(10, note="<script>alert(1)</script>")), "shop/10.csv")
    return made


def test_it_needs_nothing_from_elsewhere_and_escapes_what_it_shows(shop: Shop) -> None:
    """It is mailed, archived and printed; and values are whatever someone dropped."""
    html = report(shop)
    assert not re.search(r"(src|href|url|@import)\s*[=(]", html)
    assert "http" not in html
    assert "<script>alert" not in html


def test_it_tells_what_was_unusual_of_each_batch(shop: Shop) -> None:
    """The newest first, with the cause in one sentence."""
    html = report(shop)
    assert "<td>10.csv</td><td>&#x27;amount&#x27;: " in html
    assert "multiplied by 10." in html


def test_it_warns_of_a_leak_and_says_what_follows(shop: Shop) -> None:
    """Whoever reads it first should not be the one who wonders why nothing is trained."""
    assert "Training refuses it unless 'allowed_leaks' names it" in report(shop)


def test_an_empty_pipeline_has_a_report_too() -> None:
    """The first thing that one tries."""
    assert "Nothing has arrived yet." in report(Shop().deploy())


def test_two_hundred_columns_stay_usable() -> None:
    """Every column has its card, one can look for it, and the file stays small enough to mail."""
    names = [f"c{n}" for n in range(200)]
    profile = profiled(
        {name: [str(n * at % 97) for n in range(60)] for at, name in enumerate(names)},
        table_of(**dict.fromkeys(names, "number")),
    )
    pipeline, _ = pipelines.load(Shop().deploy().state, "shop")
    arrivals = [Arrival(line(n), profile, None, None) for n in range(40)]
    html = whole(pipeline, [Course("sales", [one.line for one in arrivals], arrivals)])
    assert html.count("data-name=") == 200
    assert "Find a column" in html
    assert len(html) < 3_000_000


def line(number: int) -> Line:
    """A batch in the ledger, one a day."""
    return Line(
        batch=Batch(pipeline="shop", table="sales", batch_id=f"{number:03}"),
        status="accepted",
        source=Source(bucket="landing", name=f"shop/{number}.csv", generation=1),
        rows_read=60,
        rows_accepted=60,
        rows_quarantined=0,
        rows_labelled=0,
        accepted_generation=1,
        first_time="",
        last_time="",
        decided=f"2013-0{1 + number // 28}-{1 + number % 28:02}T00:00:00+00:00",
    )
