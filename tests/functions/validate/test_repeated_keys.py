"""A key that comes again in another file: the newest row wins or, as a policy, the first stays."""

import json
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest

from dropforge.contracts import places
from dropforge.contracts.verdicts import BatchVerdict
from dropforge.core import ledger, pipelines
from dropforge.core.dataset import read_rows
from dropforge.core.validation import held_against
from tests.functions.drops import HEADER, PIPELINE, Died, Shop

FILES = {
    "a": "1,2013-01-01,1,big,a\nx,2013-01-01,1,big,a\n2,2013-01-01,1,big,a\n",
    "b": "2,2013-01-09,2,big,b\n3,2013-01-01,2,big,b\n2,2013-01-01,2,big,again\n",
    "c": "1,2013-01-01,3,big,c\n2,2013-01-01,3,big,c\n3,2013-01-01,3,big,c\n4,2013-01-01,3,big,c\n",
}


def strict(key: str = "[id]") -> Shop:
    """A shop that takes every key once."""
    rules = f"    repeated_keys: quarantine\n    key: {key}\n"
    return Shop().deploy(PIPELINE.replace(b"    key: [id]\n", rules.encode()))


def learned(shop: Shop) -> list[tuple[int, str]]:
    """Key and note of what models would learn from."""
    pipeline, _ = pipelines.load(shop.state, "shop")
    rows = read_rows(pipeline, list(ledger.lines(shop.state, "shop")), shop.state).to_pylist()
    return sorted((row["id"], row["note"]) for row in rows)


def said(shop: Shop, verdict: BatchVerdict) -> list[str]:
    """The reasons of every quarantined row."""
    return [json.loads(row["reasons"])[0]["sentence"] for row in shop.quarantined(verdict)]


def test_by_default_the_newest_row_of_a_key_wins(shop: Shop) -> None:
    """A corrected file needs nothing but to be dropped."""
    for name, rows in FILES.items():
        last = shop.drop(HEADER + rows, f"shop/{name}.csv")
    assert last.status == "accepted"
    assert learned(shop) == [(1, "c"), (2, "c"), (3, "c"), (4, "c")]


def test_a_key_that_another_file_brought_is_quarantined_and_says_where_it_is() -> None:
    """Three of four rows do not refuse the fourth, though at most half may be bad."""
    shop = strict()
    for name in "ab":
        shop.drop(HEADER + FILES[name], f"shop/{name}.csv")
    verdict = shop.drop(HEADER + FILES["c"], "shop/c.csv")
    assert (verdict.status, verdict.rows_accepted) == ("accepted_in_part", 1)
    assert said(shop, verdict) == [
        "Line 2: the key (id 1) must be unique. Line 2 of gs://landing/shop/a.csv has it too.",
        "Line 3: the key (id 2) must be unique. Line 4 of gs://landing/shop/a.csv has it too.",
        "Line 4: the key (id 3) must be unique. Line 3 of gs://landing/shop/b.csv has it too.",
    ]


@pytest.mark.parametrize("order", list(permutations("abc")), ids="".join)
def test_what_models_learn_is_the_same_in_whatever_order_files_are_judged(order: tuple[str, ...]) -> None:
    """Pub/Sub promises no order; by then the files have landed as a, b, c."""
    shop = strict()
    staged = {name: shop.ingest(shop.put(HEADER + rows, f"shop/{name}.csv")) for name, rows in FILES.items()}
    for name in order:
        found = staged[name]
        assert found is not None
        shop.validate(found.batch)
    assert learned(shop) == [(1, "a"), (2, "a"), (3, "b"), (4, "c")]


def test_a_file_that_only_repeats_is_quarantined_as_a_whole() -> None:
    """Nothing of it is new, and an alert says so."""
    shop = strict()
    shop.drop(HEADER + FILES["a"], "shop/a.csv")
    verdict = shop.drop(HEADER + "1,2013-01-01,3,small,\n", "shop/b.csv")
    assert (verdict.status, verdict.reasons[0].code, verdict.reasons[1].code) == (
        "quarantined",
        "too_many_bad_rows",
        "repeated_key",
    )


def test_a_delivery_that_died_is_repeated_against_the_same_history() -> None:
    """Its rows may be written already; another answer would part them from their verdict."""
    shop = strict()
    late = shop.ingest(shop.put(HEADER + FILES["a"], "shop/a.csv"))
    early = shop.ingest(shop.put(HEADER + FILES["c"], "shop/c.csv"))
    assert late is not None and early is not None
    at = 1
    while not any(info.name == places.accepted_rows(early.batch) for info in shop.state.list("")):
        with pytest.raises(Died):
            shop.dying(at, after=True).validate(early.batch)
        at += 1
    shop.validate(late.batch)
    verdict = shop.validate(early.batch)
    assert verdict.rows_accepted == len(shop.accepted(verdict)) == 4
    assert learned(shop)[:2] == [(1, "a"), (2, "a")]


def test_only_files_whose_times_meet_are_looked_into_where_time_is_of_the_key(tmp_path: Path) -> None:
    """A year of history costs a new month nothing: its rows are not even fetched."""
    shop = strict("[id, at]")
    shop.drop(HEADER + "1,2013-01-01,1,big,\n", "shop/a.csv")
    shop.drop(HEADER + "1,2013-02-01T10:00:00Z,1,big,\n", "shop/b.csv")
    staged = shop.ingest(shop.put(HEADER + "1,2013-02-01T10:00:00Z,2,big,\n1,2013-03-01,1,big,\n", "shop/c.csv"))
    assert staged is not None
    held_before = held_against(staged, shop.state, tmp_path)
    at = int(datetime(2013, 2, 1, 10, tzinfo=UTC).timestamp()) * 1_000_000
    assert [source for source, _ in held_before(at, at + 1)] == ["gs://landing/shop/b.csv"]
    assert len(list(held_before(None, None))) == 2
    assert said(shop, shop.validate(staged.batch))[0].endswith("Line 2 of gs://landing/shop/b.csv has it too.")
