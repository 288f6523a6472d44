"""The report opens anywhere, escapes what it shows, and says what matters first."""

import re
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.pipeline import parse
from dropforge.core import engine
from dropforge.core.report import telling
from tests.functions.drops import HEADER, PIPELINE, Shop


@pytest.fixture
def shop() -> Shop:
    """A deployment in memory."""
    return Shop().deploy()


def _html(shop: Shop, rows: str) -> str:
    verdict = shop.drop(rows)
    content: bytes = shop.state.read(places.batch_report(verdict.batch))[0]
    return content.decode()


def test_a_report_needs_nothing_from_elsewhere(shop: Shop) -> None:
    """It is mailed, archived and printed: no script, style, image or font may come over a network."""
    html = _html(shop, HEADER + "1,2013-01-01,5,big,a\n2,2013-01-02,50,small,b\n")
    assert not re.search(r"(src|href|url|@import)\s*[=(]", html)
    assert "http" not in html
    assert html.count("<svg") == 3


def test_texts_of_the_data_are_escaped(shop: Shop) -> None:
    """A value is whatever someone dropped."""
    html = _html(shop, HEADER + "1,2013-01-01,5,big,<script>alert(1)</script>\n")
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_broken_rules_are_told_in_words(shop: Shop) -> None:
    """The same sentence as in the verdict."""
    html = _html(shop, HEADER + "1,2013-01-01,5,big,a\n2,2013-01-02,5000,small,b\n")
    assert "Line 3: &#x27;amount&#x27; must be at most 1000 (EUR). Found &#x27;5000&#x27;." in html


def test_a_feature_that_knows_the_answer_is_a_suspected_leak() -> None:
    """By hand: `kind` is 'big' exactly where the amount is above 10, so its area is 1."""
    kinds = ["big" if n % 2 else "small" for n in range(200)]
    amounts = [20.0 if n % 2 else 1.0 for n in range(200)]
    columns = {"id": list(range(200)), "at": [None] * 200, "amount": amounts, "kind": kinds, "note": [""] * 200}
    with tempfile.TemporaryDirectory() as folder, engine.opened(Path(folder)) as database:
        pq.write_table(pa.table(columns), Path(folder) / "rows.parquet")
        batch = Batch(pipeline="shop", table="sales", batch_id="b")
        measured = telling(database, parse(PIPELINE), batch, str(Path(folder) / "rows.parquet"))
    found = measured.columns
    assert (measured.positives, measured.negatives) == (100, 100)
    assert (found[0].column, found[0].auc, found[0].leak) == ("kind", 1.0, True)
    assert [one.leak for one in found if one.column != "kind"] == [False, False]
