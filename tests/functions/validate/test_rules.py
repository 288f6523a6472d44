"""Rules that look beyond one value: other tables, the file's period, freshness, row counts, columns that went empty."""

from datetime import UTC, datetime, timedelta

import pytest

from dropforge.contracts.errors import PipelineInvalid
from dropforge.contracts.pipeline import parse
from dropforge.core import quarantine
from tests.functions.drops import HEADER, PIPELINE, Shop

KINDS = b"""
  kinds:
    key: [name]
    columns:
      name: {type: category, required: true}
"""
WITH_KINDS = PIPELINE.replace(b"allowed: [big, small]", b"references: kinds.name").replace(
    b"label:", KINDS[1:] + b"label:"
)


def with_rule(rule: str) -> Shop:
    """The shop with one more rule of its table."""
    return Shop().deploy(PIPELINE.replace(b"max_bad_share: 0.5", f"max_bad_share: 0.5\n    {rule}".encode()))


def row(number: int, at: str = "2013-01-05", kind: str = "big", amount: str = "9") -> str:
    """One row of a sale."""
    return f"{number},{at},{amount},{kind},x\n"


def test_a_value_must_be_in_the_table_that_it_references() -> None:
    """A sale of a kind that nobody knows is a mistake, or a kind that has yet to come."""
    shop = Shop().deploy(WITH_KINDS)
    shop.drop("name\nbig\nsmall\n", "shop/kinds/kinds.csv")
    verdict = shop.drop(HEADER + row(1) + row(2, kind="huge") + row(3, kind=""))
    assert [reason.code for reason in verdict.reasons] == ["reference"]
    assert verdict.reasons[0].sentence == "Line 3: 'kind' must be one that 'kinds' has as 'name'. Found 'huge'."
    assert len(shop.accepted(verdict)) == 2


def test_rows_that_came_before_what_they_reference_pass_by_a_replay() -> None:
    """Files come in any order; until then the rows wait. A redelivery does not look again, a replay does."""
    shop = Shop().deploy(WITH_KINDS)
    first = shop.drop(HEADER + row(1) + row(2))
    assert first.status == "quarantined"
    (held,) = quarantine.held(shop.state, "shop")
    assert shop.judge_again(held) is None
    shop.drop("name\nbig\n", "shop/kinds/kinds.csv")
    assert shop.validate(first.batch) == first
    for accepted in (2, None):
        (held,) = quarantine.held(shop.state, "shop")
        again = shop.judge_again(held)
        assert (again.rows_accepted if again else None) == accepted


def test_the_time_of_a_row_must_lie_in_the_period_that_the_name_tells() -> None:
    """May's file with rows of June was cut wrong; a few hours of slack are for files cut by local time."""
    rule = "period: {name: '(?P<year>[0-9]{4})-(?P<month>[0-9]{2})', slack_hours: 6}"
    days = ("2013-01-01T00:00:00Z", "2012-12-31T17:59:59Z", "2013-02-01T05:59:59Z", "2013-02-01T06:00:00Z")
    verdict = with_rule(rule).drop(HEADER + "".join(map(row, range(4), days)), "shop/sales-2013-01.csv")
    assert verdict.rows_quarantined == 2
    assert verdict.reasons[0].sentence == (
        "2 rows, the first: Line 3: 'at' must be from 2013-01-01 to before 2013-02-01. Found '2012-12-31T17:59:59Z'."
    )


def test_a_name_that_tells_no_period_is_a_reason_to_refuse() -> None:
    """Else a typo in the name would switch the rule off."""
    rule = "period: {name: '(?P<year>[0-9]{4})-(?P<month>[0-9]{2})'}"
    verdict = with_rule(rule).drop(HEADER + row(1), "shop/sales-2013-13.csv")
    assert (verdict.status, verdict.reasons[0].code) == ("quarantined", "no_period")


@pytest.mark.parametrize("period", ["0001", "9999", "0001-01", "9999-12", "0001-01-01", "9999-12-31"])
def test_a_name_at_the_end_of_time_tells_no_period(period: str) -> None:
    """A year beyond the last, or slack before the first, cannot be reckoned with; the file still gets its verdict."""
    parts = "(?P<year>[0-9]{4})(-(?P<month>[0-9]{2}))?(-(?P<day>[0-9]{2}))?"
    verdict = with_rule(f"period: {{name: '{parts}', slack_hours: 6}}").drop(HEADER + row(1), f"shop/{period}.csv")
    assert (verdict.status, verdict.reasons[0].code) == ("quarantined", "no_period")


@pytest.mark.parametrize(("hours", "status"), [(47, "accepted"), (49, "quarantined")])
def test_a_file_whose_newest_row_is_old_is_refused(hours: int, status: str) -> None:
    """Yesterday's export delivered again is no news. Measured against the moment at which the file came."""
    newest = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="seconds")
    verdict = with_rule("max_age_hours: 48").drop(HEADER + row(1) + row(2, newest))
    assert verdict.status == status
    assert status == "accepted" or verdict.reasons[0].code == "stale"


@pytest.mark.parametrize(("rule", "code"), [("min_rows: 3", "too_few_rows"), ("max_rows: 1", "too_many_rows")])
def test_a_file_of_too_few_or_too_many_rows_is_refused_until_it_is_released(rule: str, code: str) -> None:
    """Half a file is often well-formed. A person may know better."""
    shop = with_rule(rule)
    verdict = shop.drop(HEADER + row(1) + row(2))
    assert (verdict.status, verdict.reasons[0].code) == ("quarantined", code)
    (held,) = quarantine.held(shop.state, "shop")
    released = shop.judge_again(held, "release", "a short day")
    assert released is not None
    assert released.status == "accepted"


def test_a_column_that_went_empty_is_a_reason_to_refuse() -> None:
    """Not required of each row, but of most."""
    shop = Shop().deploy(PIPELINE.replace(b"unit: EUR,", b"unit: EUR, max_null_share: 0.5,"))
    assert shop.drop(HEADER + row(1) + row(2, amount="")).status == "accepted"
    verdict = shop.drop(HEADER + row(3) + row(4, amount="NA") + row(5, amount=""))
    assert verdict.reasons[0].sentence == "'amount' has no value in 66.7% of the rows. Expected at most 50.0%."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("max_bad_share: 0.5", "min_rows: 5\n    max_rows: 4", "'min_rows' must not exceed 'max_rows'"),
        ("max_bad_share: 0.5", "period: {name: 'x'}", "needs the group (?P<year>...)"),
        ("    time: at\n", "    max_age_hours: 3\n", "'max_age_hours' needs a 'time'"),
        ("allowed: [big, small]", "references: gone.name", "which is no column of another table"),
        ("allowed: [big, small]", "references: sales.note", "which is no column of another table"),
        ("unit: EUR", "max_null_share: 1.4", "less than or equal to 1"),
    ],
)
def test_rules_that_make_no_sense_are_refused_when_they_are_deployed(old: str, new: str, said: str) -> None:
    """Not when the first file comes in at night."""
    with pytest.raises(PipelineInvalid) as raised:
        parse(PIPELINE.replace(old.encode(), new.encode()))
    assert said in str(raised.value)
