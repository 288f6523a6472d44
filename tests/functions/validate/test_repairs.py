"""Each repair that pipeline.yaml can say makes wrong values right: as a file comes, and when it is replayed."""

from typing import Any

import pytest

from dropforge.contracts.errors import PipelineInvalid
from dropforge.contracts.pipeline import parse
from dropforge.contracts.verdicts import BatchVerdict
from dropforge.core import quarantine
from tests.functions.drops import HEADER, PIPELINE, Shop

GOOD = "1,2013-01-01T05:00:00Z,9,big,a\n"


def shop_with(column: str, repair: str, name: str = "extra") -> bytes:
    """The shop's pipeline with one more column, of this type and repair."""
    declared = f"columns:\n      {name}: {{type: {column}, repair: {repair}}}\n"
    return PIPELINE.replace(b"columns:\n", declared.encode(), 1)


def read(column: str, repair: str, value: str) -> Any:
    """What becomes of a value under a repair."""
    shop = Shop().deploy(shop_with(column, repair))
    verdict = shop.drop(f'extra,{HEADER}"{value}",{GOOD}')
    assert verdict.status == "accepted", verdict.reasons
    found = shop.accepted(verdict)[0]["extra"]
    return found.isoformat() if hasattr(found, "isoformat") else found


@pytest.mark.parametrize(
    ("column", "repair", "value", "right"),
    [
        ("number", "{times: 0.3048}", "1000", 304.8),
        ("number", "{times: 0.5555555555, plus: -17.7777777777}", "32", pytest.approx(0, abs=1e-8)),
        ("integer", "{times: 0.621371}", "160.934", 100),
        ("integer", "{times: -1}", "-35", 35),
        ("integer", "{plus: 500, wrap: 2400}", "2130", 230),
        ("integer", "{nulls: ['-999', '']}", "-999", None),
        ("number", "{decimal: ','}", "1.234,5", 1234.5),
        ("number", "{remove: '[A-Za-z ]'}", "35 min", 35.0),
        ("category", "{trim: true, case: upper}", " ewr ", "EWR"),
        ("category", "{rename: {Newark: EWR, '1': JFK}}", "1", "JFK"),
        ("category", "{pad_zeros: 3}", "7", "007"),
        ("category", "{remove: '^0+'}", "007", "7"),
        ("text", "{mojibake: true}", "CafÃ© â€œÃ\x81â€\x9d", "Café “Á”"),
        ("date", "{dates: day_first}", "31.1.2013", "2013-01-31"),
        ("date", "{dates: month_first}", "1/31/2013", "2013-01-31"),
        ("date", "{dates: swapped}", "2013-05-01", "2013-01-05"),
        ("date", "{dates: swapped}", "2013-01-31", "2013-01-31"),
        ("timestamp", "{dates: day_first}", "31/01/2013 23:59", "2013-01-31T23:59:00+00:00"),
        ("timestamp", "{dates: epoch_seconds}", "1359676740", "2013-01-31T23:59:00+00:00"),
        ("timestamp", "{dates: epoch_milliseconds}", "1359676740000", "2013-01-31T23:59:00+00:00"),
        ("timestamp", "{shift_minutes: -300}", "2013-01-01T04:00:00Z", "2012-12-31T23:00:00+00:00"),
        ("integer", "[{nulls: ['-9']}, {times: 60}, {plus: 1}]", "2", 121),
        ("category", "{read_from: kind}", "x", "big"),
    ],
)
def test_a_repair_makes_a_wrong_value_right(column: str, repair: str, value: str, right: object) -> None:
    """What a diagnosis suggests can be said in pipeline.yaml, or it helps nobody."""
    assert read(column, repair, value) == right


@pytest.mark.parametrize(
    ("column", "repair", "value"),
    [
        ("category", "{rename: {Newark: EWR}}", "JFK"),
        ("text", "{mojibake: true}", "São Â 5 â"),
        ("category", "{pad_zeros: 2}", "123"),
        ("integer", "{nulls: ['-999']}", 9007199254740993),
    ],
)
def test_a_repair_leaves_what_is_right_as_it_is(column: str, repair: str, value: str | int) -> None:
    """In a half-spoiled column, the other half must stay."""
    assert read(column, repair, str(value)) == value


@pytest.mark.parametrize(
    ("column", "repair", "value"),
    [
        ("integer", "{times: 60}", "1e300"),
        ("integer", "{plus: 1}", "12345678901234567890"),
        ("number", "{times: 1000}", "1e307"),
        ("number", "{times: 1000, wrap: 2400}", "1e307"),
        ("timestamp", "{dates: epoch_seconds}", "9223372036855"),
        ("timestamp", "{dates: epoch_seconds}", "9223372036854775807"),
        ("timestamp", "{dates: epoch_milliseconds}", "-9223372036854775"),
    ],
)
def test_a_repair_that_leads_beyond_a_type_is_a_breach_of_that_row(column: str, repair: str, value: str) -> None:
    """One such cell must not leave its whole file without a verdict."""
    shop = Shop().deploy(shop_with(column, repair))
    verdict = shop.drop(f"extra,{HEADER}{value},{GOOD},2,2013-01-01T05:00:00Z,9,big,a\n")
    assert (verdict.rows_quarantined, [reason.code for reason in verdict.reasons]) == (1, ["type"])


def test_a_repair_is_for_the_files_that_it_names() -> None:
    """One bad month must not force a change and its undoing around the next good one."""
    shop = Shop().deploy(shop_with("integer", "{files: 'march-*', times: 60}"))
    march = shop.drop(f"extra,{HEADER}2,{GOOD}", "shop/march-1.csv")
    may = shop.drop(f"extra,{HEADER}2,2{GOOD}", "shop/may.csv")
    assert [shop.accepted(verdict)[0]["extra"] for verdict in (march, may)] == [120, 2]


def test_swapped_columns_are_exchanged() -> None:
    """Each is read from the other; what a message shows is what was read."""
    swapped = PIPELINE.replace(b"allowed: [big, small]", b"allowed: [big, small], repair: {read_from: note}")
    swapped = swapped.replace(b"note: {type: text}", b"note: {type: text, repair: {read_from: kind}}")
    shop = Shop().deploy(swapped)
    verdict = shop.drop(HEADER + "1,2013-01-01,9,hello,big\n2,2013-01-01,9,hello,bulky\n")
    assert [(row["kind"], row["note"]) for row in shop.accepted(verdict)] == [("big", "hello")]
    assert verdict.reasons[0].sentence == "Line 3: 'kind' must be one of big, small. Found 'bulky'."


def test_a_column_that_was_renamed_in_the_header_is_read_by_its_new_name() -> None:
    """It is then neither missing nor unexpected."""
    shop = Shop().deploy(PIPELINE.replace(b"unit: EUR,", b"unit: EUR, repair: {read_from: price},"))
    verdict = shop.drop((HEADER + GOOD).replace("amount", "price"))
    assert (verdict.status, shop.accepted(verdict)[0]["amount"]) == ("accepted", 9.0)


RIGHT = HEADER + "1,2013-01-01,9,big,a\n2,2013-01-02,8,big,b\n"
SPOILED = {  # rows, and what in the pipeline is changed into what
    "unit": ("1,2013-01-01,9000,big,a\n2,2013-01-02,8000,big,b\n", "unit: EUR", "unit: EUR, repair: {times: 0.001}"),
    "case": (
        "1,2013-01-01,9,Big ,a\n2,2013-01-02,8,BIG,b\n",
        "allowed: [",
        "repair: {trim: true, case: lower}, allowed: [",
    ),
    "dates": ("1,1/1/2013,9,big,a\n2,2/1/2013,8,big,b\n", "timestamp", "timestamp, repair: {dates: day_first}"),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_a_repaired_and_replayed_file_equals_the_undisturbed_one(kind: str) -> None:
    """Counts reconcile, a second replay changes nothing, and the rows are those that should have come."""
    rows, declared, repaired = SPOILED[kind]
    shop, calm = Shop().deploy(), Shop().deploy()
    assert shop.drop(HEADER + rows).status == "quarantined"
    verdict = replayed(shop.deploy(PIPELINE.replace(declared.encode(), repaired.encode(), 1)))
    assert verdict is not None
    assert without_batch(shop.accepted(verdict)) == without_batch(calm.accepted(calm.drop(RIGHT)))
    (held,) = quarantine.held(shop.state, "shop")
    assert (held.state, held.rows_accepted, held.reconciles) == ("settled", 2, True)
    assert replayed(shop) is None


def replayed(shop: Shop) -> BatchVerdict | None:
    """The verdict on what is left of the only file, judged again by the present rules."""
    (held,) = quarantine.held(shop.state, "shop")
    return shop.judge_again(held)


def without_batch(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, but for the batch that brought them."""
    return [{name: value for name, value in row.items() if name != "_batch_id"} for row in rows]


@pytest.mark.parametrize(
    ("column", "repair", "said"),
    [
        ("text", "{times: 2}", "'repair' with 'times' is for columns of type integer or number. Got type 'text'."),
        ("integer", "{case: upper}", "'repair' with 'case' is for columns of type category or text."),
        ("text", "{dates: swapped}", "'repair' with 'dates' is for columns of type timestamp or date."),
        ("date", "{shift_minutes: 60}", "'repair' with 'shift_minutes' is for columns of type timestamp."),
        ("integer", "{files: x}", "'repair' says nothing that is to be changed."),
        ("integer", "{times: 0}", "'times' must not be 0"),
        ("text", "{remove: '('}", "'remove' is no regular expression"),
        ("text", "{trimm: true}", "Did you mean 'trim'?"),
    ],
)
def test_a_repair_that_makes_no_sense_is_refused_when_it_is_deployed(column: str, repair: str, said: str) -> None:
    """Before a replay of a thousand files, not in it."""
    with pytest.raises(PipelineInvalid) as raised:
        parse(shop_with(column, repair))
    assert said in str(raised.value)
