"""From a staged batch to its verdict."""

import gzip
import io
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.errors import JobFailed, NotFound
from dropforge.contracts.events import AlertRaised, BatchAccepted, BatchQuarantined
from dropforge.contracts.verdicts import BatchVerdict
from dropforge.core import ledger
from tests.functions.drops import HEADER, PIPELINE, Died, Shop

GOOD = "1,2013-01-01T10:00:00Z,9.5,big,hello\n2,2013-01-02 11:30,NA,NA,NA\n"
MIXED = HEADER + GOOD + "x,2013-01-01T10:00:00Z,9.5,big,\nbad line\n"


def test_accepted_rows_are_typed_and_traceable(shop: Shop) -> None:
    """What models learn from has the declared types, and says which file and line each row came from."""
    verdict = shop.drop(HEADER + GOOD)
    assert (verdict.status, verdict.rows_read, verdict.rows_accepted, verdict.rows_labelled) == ("accepted", 2, 2, 1)
    first, second = shop.accepted(verdict)
    assert first == {
        "id": 1,
        "at": datetime(2013, 1, 1, 10, tzinfo=UTC),
        "amount": 9.5,
        "kind": "big",
        "note": "hello",
        "_batch_id": verdict.batch.batch_id,
        "_row": 1,
        "_line": 2,
    }
    assert (second["at"].isoformat(), second["amount"], second["kind"]) == ("2013-01-02T11:30:00+00:00", None, None)


def test_null_markers_hold_for_every_type_but_text(shop: Shop) -> None:
    """A comment that says NA says something; a number that says NA is none. Declared by `null_markers`."""
    verdict = shop.drop(HEADER + GOOD)
    assert shop.accepted(verdict)[1]["note"] == "NA"
    shop.deploy(PIPELINE.replace(b"    max_bad_share: 0.5", b"    null_markers: ['-']\n    max_bad_share: 0.5"))
    verdict = shop.drop(HEADER + "1,2013-01-01,-,-,-\n2,2013-01-01,NA,big,\n")
    assert [reason.sentence for reason in verdict.reasons] == ["Line 3: 'amount' must be a number (EUR). Found 'NA'."]
    assert shop.accepted(verdict)[0]["amount"] is None


@pytest.mark.parametrize(
    ("row", "code", "sentence"),
    [
        (",2013-01-01,1,big,", "required", "Line 2: 'id' must be given. Found nothing."),
        ("NA,2013-01-01,1,big,", "required", "Line 2: 'id' must be given. Found 'NA'."),
        ("1.5,2013-01-01,1,big,", "type", "Line 2: 'id' must be a whole number. Found '1.5'."),
        ("1e5,2013-01-01,1,big,", "type", "Line 2: 'id' must be a whole number. Found '1e5'."),
        ("99999999999999999999,2013-01-01,1,big,", "type", "Line 2: 'id' must be a whole number. Found '9999"),
        ("1,2013-01-01,nan,big,", "type", "Line 2: 'amount' must be a number (EUR). Found 'nan'."),
        ("1,2013-01-01,1e999,big,", "type", "Line 2: 'amount' must be a number (EUR). Found '1e999'."),
        ('1,2013-01-01,"1,5",big,', "type", "Line 2: 'amount' must be a number (EUR). Found '1,5'."),
        (
            "1,01/02/2013,1,big,",
            "type",
            "Line 2: 'at' must be a time such as 2013-01-31T23:59:00Z. Found '01/02/2013'.",
        ),
        (
            "1,2013-02-30,1,big,",
            "type",
            "Line 2: 'at' must be a time such as 2013-01-31T23:59:00Z. Found '2013-02-30'.",
        ),
        ("1,2013-01-01,-0.01,big,", "range", "Line 2: 'amount' must be at least 0 (EUR). Found '-0.01'."),
        ("1,2013-01-01,1000.5,big,", "range", "Line 2: 'amount' must be at most 1000 (EUR). Found '1000.5'."),
        ("1,2013-01-01,1,Big,", "allowed", "Line 2: 'kind' must be one of big, small. Found 'Big'."),
        ("1,2013-01-01,1, big,", "allowed", "Line 2: 'kind' must be one of big, small. Found ' big'."),
    ],
)
def test_a_broken_rule_is_told_with_line_column_value_and_sentence(
    shop: Shop, row: str, code: str, sentence: str
) -> None:
    """The reason of each row is for a person who has the file open, and for a program that counts."""
    verdict = shop.drop(f"{HEADER}{row}\n8,2013-01-01,1,big,\n9,2013-01-01,1,big,\n")
    assert (verdict.status, verdict.rows_accepted, verdict.rows_quarantined) == ("accepted_in_part", 2, 1)
    (bad,) = shop.quarantined(verdict)
    (reason,) = json.loads(bad["reasons"])
    assert reason["code"] == code
    assert reason["sentence"].startswith(sentence)
    assert reason["column"] in sentence


@pytest.mark.parametrize("amount", ["1", "+1", "007.50", ".5", "1e2", " 12 ", "1."])
def test_numbers_as_people_and_programs_write_them_pass(shop: Shop, amount: str) -> None:
    """Strict is not pedantic: the value is not in doubt."""
    verdict = shop.drop(f"{HEADER}12.0,2013-01-01T10:00:00.25+05:30,{amount},big,\n")
    assert shop.accepted(verdict)[0]["amount"] == float(amount)
    assert shop.accepted(verdict)[0]["id"] == 12


def test_a_row_tells_all_that_is_wrong_with_it(shop: Shop) -> None:
    """Who repairs a row wants to do it once."""
    verdict = shop.drop(HEADER + "x,y,-1,huge,\n" + GOOD)
    (bad,) = shop.quarantined(verdict)
    assert [reason["column"] for reason in json.loads(bad["reasons"])] == ["id", "at", "amount", "kind"]
    assert json.loads(bad["raw"]) == {"id": "x", "at": "y", "amount": "-1", "kind": "huge", "note": None}


def test_of_equal_keys_the_first_good_row_stays(shop: Shop) -> None:
    """A row whose key another has is quarantined and says where the other is; a bad row takes no key."""
    rows = "1,never,1,big,\n1,2013-01-01,2,big,\n2,2013-01-01,3,big,\n1,2013-01-01,4,big,\n"
    verdict = shop.drop(HEADER + rows)
    assert [row["amount"] for row in shop.accepted(verdict)] == [2.0, 3.0]
    doubled = json.loads(shop.quarantined(verdict)[1]["reasons"])[0]
    assert doubled["sentence"] == "Line 5: the key (id 1) must be unique. Line 3 has it too."


def test_quarantine_keeps_rows_and_unreadable_lines_in_the_order_of_the_file(shop: Shop) -> None:
    """Counts reconcile, and nothing of the file is lost."""
    verdict = shop.drop(MIXED)
    assert (verdict.rows_read, verdict.rows_accepted, verdict.rows_quarantined) == (4, 2, 2)
    rows = shop.quarantined(verdict)
    assert [(row["row"], row["line"]) for row in rows] == [(3, 4), (4, 5)]
    assert json.loads(rows[1]["raw"]) == {"_text": "bad line"}
    assert {(row["pipeline"], row["table"], row["batch_id"]) for row in rows} == {
        ("shop", "sales", verdict.batch.batch_id)
    }
    assert {row["source"] for row in rows} == {"gs://landing/shop/sales.csv"}


def test_files_for_one_bigquery_table_have_one_schema_whatever_the_rows(shop: Shop) -> None:
    """A column must not be REQUIRED because this file happens to fill it: BigQuery would refuse the next."""

    def schema(place: str) -> pa.Schema:
        return pq.read_schema(io.BytesIO(shop.state.read(place)[0]))

    bad = [MIXED, HEADER + "only rejects\n", HEADER.replace("id", "key") + GOOD, HEADER + GOOD + GOOD]
    quarantined = [schema(places.quarantined_rows(shop.drop(content).batch)) for content in bad]
    good = [HEADER + GOOD, HEADER + GOOD.split("\n")[0], HEADER + GOOD.split("\n")[1]]
    accepted = [schema(places.accepted_rows(shop.drop(content).batch)) for content in good]
    for schemas in (quarantined, accepted):
        assert all(one.equals(schemas[0]) for one in schemas)
        assert all(field.nullable for field in schemas[0])


def test_too_many_bad_rows_quarantine_the_whole_batch(shop: Shop) -> None:
    """A file that is mostly wrong is wrong: its good-looking rows are not to be trusted either."""
    verdict = shop.drop(HEADER + GOOD + "x,,,,\ny,,,,\nz,,,,\n")
    assert (verdict.status, verdict.rows_accepted, verdict.rows_quarantined) == ("quarantined", 0, 5)
    assert verdict.reasons[0].sentence == (
        "3 of 5 rows (60.0%) break a rule; 50.0% may. "
        "Most often: 3 rows, the first: Line 4: 'at' must be given. Found nothing."
    )
    assert [len(json.loads(row["reasons"])) for row in shop.quarantined(verdict)] == [1, 1, 3, 3, 3]


def test_a_quarantined_batch_alerts_with_the_cause_in_one_sentence(shop: Shop) -> None:
    """Nobody reads a verdict that nobody was told of."""
    verdict = shop.drop("nothing\nuseful\n", "shop/odd.csv")
    alert, quarantined = shop.topics.published[-2:]
    assert isinstance(alert, AlertRaised)
    assert alert.sentence.startswith("gs://landing/shop/odd.csv was quarantined. The file lacks 'id', 'at', 'amount'")
    assert quarantined == BatchQuarantined(**verdict.batch.model_dump())


def test_the_ledger_tells_every_verdict_from_a_listing(shop: Shop) -> None:
    """Training counts labelled rows and finds generations without opening each verdict."""
    verdict = shop.drop(MIXED)
    (line,) = ledger.lines(shop.state, "shop")
    assert line.batch == verdict.batch
    assert (line.rows_read, line.rows_accepted, line.rows_quarantined, line.rows_labelled) == (4, 2, 2, 1)
    assert line.accepted_generation == verdict.accepted_generation
    assert (line.first_time, line.last_time) == ("2013-01-01T10:00:00+00:00", "2013-01-02T11:30:00+00:00")


def test_rows_are_loaded_under_job_ids_that_come_from_the_batch(shop: Shop) -> None:
    """BigQuery itself refuses to run a job id twice."""
    batch = shop.drop(MIXED).batch
    assert shop.loaded_rows() == {
        places.load_job_id(batch, "accepted"): (f"gs://state/{places.accepted_rows(batch)}", "shop__sales"),
        places.load_job_id(batch, "quarantined"): (f"gs://state/{places.quarantined_rows(batch)}", "quarantine"),
    }


def test_a_second_delivery_changes_nothing_and_publishes_again(shop: Shop) -> None:
    """Delivery is at least once."""
    verdict = shop.drop(MIXED)
    before = shop.everything()
    assert shop.validate(verdict.batch) == verdict
    assert shop.everything() == before
    assert shop.topics.published[-2:] == [BatchAccepted(**verdict.batch.model_dump())] * 2


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 13))
def test_dying_at_any_write_is_repaired_by_the_next_delivery(shop: Shop, at: int, after: bool) -> None:
    """Profile, examination, content taken, both kinds of rows, report, verdict, event, two loads, history: at any."""
    calm = Shop().deploy()
    calm.drop(MIXED)
    batch = _staged(shop, MIXED)
    with pytest.raises(Died):
        shop.dying(at, after).validate(batch)
    shop.validate(batch)
    assert shop.everything() == calm.everything()
    assert shop.topics.published[-1] == BatchAccepted(**batch.model_dump())


def test_rules_changed_in_between_do_not_tear_a_batch_apart(shop: Shop) -> None:
    """Rows written under the old rules must not get a verdict under the new: a batch keeps those it was read by."""
    batch = _staged(shop, HEADER + "1,2013-01-01,5,big,\n2,2013-01-01,7,big,\n")
    with pytest.raises(Died):
        shop.dying(2, after=True).validate(batch)
    shop.deploy(PIPELINE.replace(b"max: 1000", b"max: 6"))
    verdict = shop.validate(batch)
    assert (verdict.rows_accepted, len(shop.accepted(verdict)), verdict.pipeline_generation) == (2, 2, 1)


def test_a_failed_load_leaves_the_verdict_and_is_tried_again(shop: Shop) -> None:
    """BigQuery being away must not decide anything about the data."""

    class Away:
        def load(self, uri: str, table: str, job_ids: object) -> int:
            raise JobFailed(f"{uri} {table} {job_ids}")

    batch = _staged(shop, MIXED)
    there, shop.warehouse = shop.warehouse, Away()
    with pytest.raises(JobFailed):
        shop.validate(batch)
    shop.warehouse = there
    assert shop.validate(batch).rows_accepted == 2
    assert len(shop.loaded_rows()) == 2


def test_equal_files_give_equal_bytes() -> None:
    """A repeat that finds an object in its place must be able to trust it."""
    contents = []
    for _ in range(2):
        shop = Shop().deploy()
        verdict = shop.drop(HEADER + "".join(f"{n},2013-01-01,{n % 999},big,note {n}\n" for n in range(130_000)))
        contents.append(shop.state.read(places.accepted_rows(verdict.batch))[0])
    assert contents[0] == contents[1]
    assert verdict.rows_accepted == 130_000


def test_a_batch_that_is_not_staged_is_delivered_again(shop: Shop) -> None:
    """The event may overtake the object it speaks of."""
    with pytest.raises(NotFound, match="is not staged"):
        shop.validate(Batch(pipeline="shop", table="sales", batch_id="0" * 20))


def _staged(shop: Shop, content: str) -> Batch:
    staged = shop.ingest(shop.put(content))
    assert staged is not None
    return staged.batch


def test_verdict_refuses_counts_that_do_not_reconcile(shop: Shop) -> None:
    """The contract itself holds the most important promise."""
    verdict = shop.drop(MIXED).model_dump()
    with pytest.raises(ValueError, match="do not reconcile"):
        BatchVerdict.model_validate(verdict | {"rows_accepted": 3})


def test_the_same_content_under_another_name_is_skipped_and_said(shop: Shop) -> None:
    """Uploaded again, compressed or renamed: the rows must not count twice, nor must a person wonder."""
    first = shop.drop(HEADER + GOOD, "shop/may.csv")
    before = shop.loaded_rows()
    again = shop.drop(gzip.compress((HEADER + GOOD).encode()), "shop/may-again.csv.gz")
    assert (again.status, again.rows_read, again.accepted_generation) == ("skipped", 0, None)
    assert shop.loaded_rows() == before
    assert [event for event in shop.topics.published if isinstance(event, BatchAccepted)] == [
        BatchAccepted(**first.batch.model_dump())
    ]
    assert shop.alerts()[-1].sentence == (
        "gs://landing/shop/may-again.csv.gz was skipped. It has the content of gs://landing/shop/may.csv "
        "(generation 1), which was accepted before, so it is not loaded again."
    )


def test_content_that_was_quarantined_may_come_again(shop: Shop) -> None:
    """After the rules were put right, the same file must get another chance."""
    assert shop.drop(HEADER + "1,2013-01-01,5000,big,\n").status == "quarantined"
    shop.deploy(PIPELINE.replace(b"max: 1000", b"max: 9000"))
    assert shop.drop(HEADER + "1,2013-01-01,5000,big,\n").status == "accepted"


def test_repeated_content_is_loaded_where_the_table_says_so(shop: Shop) -> None:
    """Some sources send equal files that mean something each time."""
    shop.deploy(PIPELINE.replace(b"max_bad_share: 0.5", b"repeated_content: load"))
    assert [shop.drop(HEADER + GOOD, f"shop/{name}.csv").status for name in "ab"] == ["accepted", "accepted"]
