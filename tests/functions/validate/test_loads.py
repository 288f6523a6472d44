"""The load history: one line for each file, in a command's answer and as a row that SQL can ask."""

from dropforge.contracts import places
from dropforge.contracts.batch import Source
from dropforge.core import loads, quarantine
from tests.functions.drops import HEADER, PIPELINE, Shop

GOOD = "1,2013-01-01,9.5,big,hello\n2,2013-01-02,9.5,big,hello\n"


def test_a_load_tells_what_came_and_what_became_of_it(shop: Shop) -> None:
    """The first error with its line and column is what a person asks for first."""
    verdict = shop.drop(HEADER + GOOD + "\n3,2013-01-03,5000,big,x\nshort\n")
    (told,) = loads.newest(shop.state, "shop")
    assert (told.source, told.source_generation, told.format) == ("gs://landing/shop/sales.csv", 1, "csv")
    assert (told.rows_parsed, told.rows_accepted, told.rows_quarantined, told.status) == (4, 2, 2, "accepted_in_part")
    assert (told.first_error_code, told.first_error_line, told.first_error_column) == ("range", 5, "amount")
    assert told.first_error == "Line 5: 'amount' must be at most 1000 (EUR). Found '5000'."
    assert told.staged_at < told.decided_at
    (row,) = shop.rows(places.load_record(verdict.batch))
    assert row == told.model_dump() | {name: row[name] for name in ("staged_at", "decided_at")}
    uri, table = shop.warehouse.jobs[places.load_job_id(verdict.batch, "load")]
    assert (uri, table) == (f"gs://state/{places.load_record(verdict.batch)}", "loads")


def test_a_line_that_cannot_be_read_may_be_the_first_error(shop: Shop) -> None:
    """In the order of the file, whichever rule it broke."""
    shop.drop(HEADER + "short\n" + GOOD + "3,2013-01-03,5000,big,x\n")
    (told,) = loads.newest(shop.state, "shop")
    assert (told.first_error_code, told.first_error_line, told.first_error_column) == ("wrong_field_count", 2, None)


def test_a_file_that_is_no_table_is_in_the_history_too(shop: Shop) -> None:
    """With the sentence of its verdict, and no row."""
    shop.drop(b"%PDF-1.7\n")
    (told,) = loads.newest(shop.state, "shop")
    assert (told.status, told.rows_parsed, told.first_error_code) == ("quarantined", 0, "not_a_table")


def test_repeated_content_is_in_the_history_as_skipped(shop: Shop) -> None:
    """It says which file had the content before; the newest load comes first."""
    shop.drop(HEADER + GOOD)
    shop.drop(HEADER + GOOD, "shop/again.csv")
    assert [(one.source, one.status) for one in loads.newest(shop.state, "shop")] == [
        ("gs://landing/shop/again.csv", "skipped"),
        ("gs://landing/shop/sales.csv", "accepted"),
    ]
    assert "has the content of gs://landing/shop/sales.csv" in (loads.newest(shop.state, "shop")[0].first_error or "")


def test_who_dropped_a_file_is_told_where_the_writer_says_so(shop: Shop) -> None:
    """Storage events do not say; metadata of the object does, as `./deploy.sh drop` writes it."""
    content = (HEADER + GOOD + "3,2013-01-03,5000,big,x\n").encode()
    generation = shop.landing.create("shop/a.csv", content, {"dropped-by": "ben"})
    staged = shop.ingest(Source(bucket="landing", name="shop/a.csv", generation=generation))
    assert staged is not None
    shop.validate(staged.batch)
    shop.deploy(PIPELINE.replace(b"max: 1000", b"max: 9000"))
    (held,) = quarantine.held(shop.state, "shop")
    assert shop.judge_again(held) is not None
    assert [(one.brought_by, bool(one.replay_of)) for one in loads.newest(shop.state, "shop")] == [
        ("ann", True),
        ("ben", False),
    ]


def test_a_second_delivery_adds_no_second_line(shop: Shop) -> None:
    """The row is written once, under a job id that loads once."""
    verdict = shop.drop(HEADER + GOOD)
    before = shop.rows(places.load_record(verdict.batch)), dict(shop.warehouse.jobs)
    shop.validate(verdict.batch)
    assert (shop.rows(places.load_record(verdict.batch)), shop.warehouse.jobs) == before
