"""What happens when a file is not as declared is a policy of the table, and each does what its name says."""

import json

import pytest

from dropforge.contracts.errors import PipelineInvalid
from dropforge.contracts.pipeline import parse
from dropforge.core import dataset, ledger, pipelines
from tests.functions.drops import HEADER, PIPELINE, Shop

ROW = "1,2013-01-01,9.5,big,hello\n"


def with_rules(*rules: str, columns: tuple[str, ...] = ()) -> Shop:
    """A shop whose table has these rules beside its own, and more columns."""
    text = PIPELINE.decode().replace(
        "    max_bad_share: 0.5\n", "".join(f"    {r}\n" for r in ("max_bad_share: 0.5", *rules))
    )
    return Shop().deploy(
        text.replace("    columns:\n", "    columns:\n" + "".join(f"      {c}\n" for c in columns)).encode()
    )


WIDER = HEADER.strip() + ",extra,more\n" + ROW.strip() + ",x,\n"


def test_unexpected_columns_fail(shop: Shop) -> None:
    """The default: a new column is news that a person should decide on."""
    verdict = shop.drop(WIDER)
    assert (verdict.status, verdict.reasons[0].code) == ("quarantined", "unexpected_column")
    assert verdict.reasons[0].observed == ["extra", "more"]


def test_unexpected_columns_ignored_are_left_out() -> None:
    """Some sources add columns every week."""
    shop = with_rules("unexpected_columns: ignore")
    verdict = shop.drop(WIDER)
    assert verdict.status == "accepted"
    assert not {"extra", "more", "_rescued"} & shop.accepted(verdict)[0].keys()


def test_unexpected_columns_rescued_are_kept_beside_the_row() -> None:
    """Nothing that was delivered is lost, though nobody has declared it yet; empty values are not kept."""
    shop = with_rules("unexpected_columns: rescue")
    assert shop.accepted(shop.drop(WIDER))[0]["_rescued"] == '{"extra":"x"}'
    assert shop.accepted(shop.drop(HEADER + ROW))[0]["_rescued"] is None


def test_missing_columns_fail(shop: Shop) -> None:
    """The default: a column that is gone is a change at the source."""
    verdict = shop.drop("id,at,amount,kind\n1,2013-01-01,9.5,big\n")
    assert (verdict.status, verdict.reasons[0].code) == ("quarantined", "missing_column")


def test_missing_columns_ignored_are_empty_unless_they_are_required() -> None:
    """A row without a key is no row, whatever the policy."""
    shop = with_rules("missing_columns: ignore")
    assert shop.accepted(shop.drop("id,at,amount,kind\n1,2013-01-01,9.5,big\n"))[0]["note"] is None
    verdict = shop.drop("id,amount,kind,note\n1,9.5,big,x\n")
    assert verdict.reasons[0].sentence == "The file lacks 'at' of the 5 columns that 'sales' must have."


def test_misfit_values_rescued_become_empty_and_are_kept_beside_the_row() -> None:
    """The row still counts; what could not be read can be looked at. A key must fit all the same."""
    shop = with_rules("misfit_values: rescue")
    verdict = shop.drop(HEADER + "1,2013-01-01,cheap,big,x\ntwo,2013-01-01,2,big,x\n")
    (row,) = shop.accepted(verdict)
    assert (row["amount"], json.loads(row["_rescued"])) == (None, {"amount": "cheap"})
    assert verdict.rows_labelled == 0
    assert verdict.reasons[0].sentence == "Line 3: 'id' must be a whole number. Found 'two'."


def test_misfit_values_ignored_become_empty() -> None:
    """For who wants the row and has no use for the text."""
    shop = with_rules("misfit_values: ignore")
    (row,) = shop.accepted(shop.drop(HEADER + "1,2013-01-01,cheap,big,x\n"))
    assert (row["amount"], "_rescued" in row) == (None, False)


def test_new_columns_evolve_the_table_and_that_is_said_once() -> None:
    """They join as text; what BigQuery cannot name is rescued. Who declares one later gets it typed from then on."""
    shop = with_rules("unexpected_columns: evolve")
    verdict = shop.drop(HEADER.strip() + ",extra,%\n" + ROW.strip() + ",x,y\n")
    (row,) = shop.accepted(verdict)
    assert (row["extra"], row["_rescued"]) == ("x", '{"%":"y"}')
    assert [(one.code, one.subject) for one in verdict.warnings] == [("new_column", "extra")]
    assert shop.alerts()[-1].sentence.endswith("is new, and joined the table as text. Declare it to use it.")
    again = shop.drop(HEADER.strip() + ",extra\n" + ROW.strip().replace("1", "2", 1) + ",z\n", "shop/next.csv")
    assert (shop.accepted(again)[0]["extra"], again.warnings) == ("z", [])


def test_missing_columns_evolve_the_table_unless_they_are_its_key_or_time() -> None:
    """Even one that is required; in a file that has it, each row still needs its value."""
    shop = with_rules("missing_columns: evolve", columns=("plate: {type: category, required: true}",))
    verdict = shop.drop(HEADER + ROW)
    assert (shop.accepted(verdict)[0]["plate"], verdict.warnings[0].code) == (None, "column_left")
    with_it = shop.drop("plate," + HEADER + "N1,2" + ROW[1:] + ",3" + ROW[1:], "shop/with.csv")
    assert [reason.code for reason in with_it.reasons] == ["required"]
    assert shop.drop("id,amount,kind,note\n1,9.5,big,x\n", "shop/no-time.csv").reasons[0].code == "missing_column"


def test_changed_types_evolve_the_table_by_a_column_beside() -> None:
    """The typed column keeps its type, so models and BigQuery never see it change; the text is not lost."""
    shop = with_rules("misfit_values: evolve")
    verdict = shop.drop(HEADER + "1,2013-01-01,cheap,big,x\n2,2013-01-01,3,big,x\ntwo,2013-01-01,2,big,x\n")
    assert [(row["amount"], row["amount__text"]) for row in shop.accepted(verdict)] == [(None, "cheap"), (3.0, None)]
    assert verdict.reasons[0].sentence == "Line 4: 'id' must be a whole number. Found 'two'."
    assert [(one.code, one.subject) for one in verdict.warnings] == [("type_changed", "amount")]
    clean = shop.accepted(shop.drop(HEADER + "3,2013-01-01,9.5,big,x\n", "shop/clean.csv"))
    assert "amount__text" not in clean[0]


@pytest.mark.parametrize("policy", ["unexpected_columns", "missing_columns", "misfit_values"])
def test_training_sees_the_declared_columns_whatever_evolved(policy: str) -> None:
    """What a model learns from changes by pipeline.yaml alone."""
    shop = with_rules(f"{policy}: evolve")
    shop.drop(
        "id,at,amount,kind,note,extra\n1,2013-01-01,cheap,big,x,y\n2,2013-01-02,5,big,x,y\n"
        if policy != "missing_columns"
        else "id,at,amount,kind\n1,2013-01-01,9,big\n2,2013-01-02,5,big\n"
    )
    pipeline, _ = pipelines.load(shop.state, "shop")
    rows = dataset.read_rows(pipeline, list(ledger.lines(shop.state, "shop")), shop.state)
    assert rows.column_names == [*pipeline.main.columns, "__label__", "_batch_id", "_row"]
    assert rows.schema.field("amount").type == "double"


def test_a_range_still_holds_for_values_that_fit() -> None:
    """Rescue is for what cannot be read, not for what is wrong."""
    verdict = with_rules("misfit_values: rescue").drop(HEADER + ROW + "2,2013-01-01,5000,big,x\n")
    assert verdict.reasons[0].code == "range"


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("{type: category, pattern: 'N[0-9]+'}", "N1x", "Line 2: 'plate' must be of the form N[0-9]+. Found 'N1x'."),
        ("{type: text, min_length: 3}", "ab", "Line 2: 'plate' must be at least 3 characters long. Found 'ab'."),
        ("{type: text, max_length: 3}", "abcd", "Line 2: 'plate' must be at most 3 characters long. Found 'abcd'."),
    ],
)
def test_patterns_and_lengths_hold_where_a_value_is_given(column: str, value: str, sentence: str) -> None:
    """The whole text must match; an empty value is only a matter of 'required'."""
    shop = with_rules(columns=(f"plate: {column}",))
    head = "plate," + HEADER
    verdict = shop.drop(f"{head}{value},{ROW},{ROW.replace('1', '2', 1)}N22,{ROW.replace('1', '3', 1)}")
    assert [reason.sentence for reason in verdict.reasons] == [sentence]


def test_columns_in_order_must_not_decrease() -> None:
    """A drop-off before its pick-up is impossible; at the same moment it is not, nor is one that is not known."""
    shop = with_rules("in_order: [[at, until, paid]]", columns=("until: {type: timestamp}", "paid: {type: timestamp}"))
    head = "until,paid," + HEADER
    rows = [
        "2013-01-02,,1,2013-01-03,1,big,\n",
        "2013-01-03,2013-01-02,2,2013-01-03,1,big,\n",
        ",2013-01-01,3,2013-01-03,1,big,\n",
        "2013-01-03,2013-01-03,4,2013-01-03,1,big,\n",
    ]
    verdict = shop.drop(head + "".join(rows))
    assert [reason.sentence for reason in verdict.reasons] == [
        "Line 2: 'until' must be no less than 'at' is. Found '2013-01-02'.",
        "Line 3: 'paid' must be no less than 'until' is. Found '2013-01-02'.",
    ]


def test_a_decimal_comma_is_read_as_one_where_the_file_has_them(shop: Shop) -> None:
    """Found from the file, so that 1,5 is neither fifteen nor an error; whole numbers stay strict."""
    verdict = shop.drop((HEADER + "1,2013-01-01,1_5,big,a\n2,2013-01-01,7,big,a\n").replace(",", ";").replace("_", ","))
    assert [row["amount"] for row in shop.accepted(verdict)] == [1.5, 7.0]


@pytest.mark.parametrize(
    ("rule", "column", "said"),
    [
        ("in_order: [[at, note]]", "x: {type: text}", "'in_order' needs columns that are all numbers or all times"),
        ("in_order: [[at, gone]]", "x: {type: text}", "'in_order' names the column 'gone'"),
        ("null_markers: []", "x: {type: integer, pattern: a}", "'pattern' is for columns of type category or text"),
        ("null_markers: []", "x: {type: text, pattern: '('}", "'pattern' is no regular expression"),
        ("null_markers: []", "x: {type: text, pattern: 'a(?=b)'}", "must do without look-around"),
        ("null_markers: []", "Amount: {type: text}", "twice when case is ignored"),
        ("null_markers: []", "_row: {type: text}", "String should match pattern"),
        ("unexpected_columns: adapt", "x: {type: text}", "Input should be 'fail', 'ignore', 'rescue' or 'evolve'"),
    ],
)
def test_rules_that_make_no_sense_are_refused_when_they_are_deployed(rule: str, column: str, said: str) -> None:
    """Not when the first file comes in at night."""
    state = with_rules(rule, columns=(column,)).state
    with pytest.raises(PipelineInvalid, match=said.replace("(", r"\(")):
        parse(state.read("pipelines/shop/pipeline.yaml")[0])
