"""Small corrections of entities over one model of all: where they help, never where they do not, and served exactly."""

import numpy as np
import pyarrow as pa
import pytest

from dropforge.contracts.errors import PipelineInvalid
from dropforge.contracts.pipeline import parse
from dropforge.core import compiled
from dropforge.ml import artefact, export, reproduce, serving, stored, training
from dropforge.ml.personal.correction import Plan, Rows, fitted
from dropforge.ml.rows import LABEL, columns_of
from tests.ml.basket import CLASSES, NUMBER, shopped
from tests.ml.published import settle, train
from tests.ml.shop import YAML, Shop, visits

ROWS = 4000
BINARY = YAML.replace("metric: roc_auc, floor: 0.55", "metric: log_loss, floor: 0.69")
ONE_OUTPUT = {"binary": BINARY, "number": NUMBER}
TEXTS = {**ONE_OUTPUT, "classes": CLASSES}


def personal(text: str, mode: str = "static") -> str:
    """The pipeline with a correction for each visitor."""
    text = text.replace("seed: 3", "seed: 3, per: visitor").replace("[boosting]", "[KIND]").replace("MODE", mode)
    kind = "ridge" if "kind: number" in text else "logistic"
    return text.replace("KIND", kind).replace("      pages:", "      visitor: {type: category}\n      pages:")


def apart(rows: pa.Table, differ: bool = True) -> pa.Table:
    """The visits of ten people and now and then of nobody known, who `differ` in what pages mean to them."""
    random = np.random.default_rng(rows["id"][0].as_py())
    who = random.integers(0, 10, rows.num_rows)
    table = shopped(rows).append_column(
        "visitor", pa.array([f"v{each}" for each in who.tolist()], mask=random.random(rows.num_rows) < 0.02)
    )
    pages = np.nan_to_num(table["pages"].to_numpy(), nan=6.0) - 6
    taste = np.where(differ, who - 4.5, 0.0)
    wish = taste / 2 + (0.3 + taste / 10) * pages + random.logistic(size=len(who))
    changes = {
        "bought": pa.array((wish > 0).astype(int)),
        "spent": pa.array(wish * 3 + 20),
        "goods": pa.array(np.array(["books", "shoes", "tea"])[np.digitize(wish, [-1, 1])].tolist()),
    }
    for name, values in changes.items():
        table = table.set_column(table.column_names.index(name), name, values)
    return table


def labelled(text: str, rows: pa.Table) -> pa.Table:
    """With the label that the pipeline learns."""
    name = parse(text).label.column
    kinds = {"bought": pa.int8(), "spent": pa.float64(), "goods": pa.string()}
    return rows.append_column(LABEL, rows[name].cast(kinds[name]))


@pytest.mark.parametrize("task", TEXTS)
def test_entities_that_differ_are_told_apart_and_served_exactly(task: str) -> None:
    """Chosen on later rows; the compiled form agrees with the artefact, which is the same each time."""
    text = personal(TEXTS[task])
    rows = labelled(text, apart(visits(ROWS)))
    model, chosen = training.fit_rows(parse(text), rows)
    assert chosen.personal is not None
    assert chosen.personal.plan
    assert len(model.entities) == 10
    assert artefact.dump(model) == artefact.dump(training.fit_rows(parse(text), rows)[0])
    exported = export.export(model, columns_of(rows))
    assert exported.content is not None, exported.reason
    assert exported.largest_difference is not None
    assert exported.largest_difference < 1e-9


@pytest.mark.parametrize("task", TEXTS)
def test_who_is_not_known_is_answered_by_the_common_model(task: str) -> None:
    """A new visitor, and one who does not say who he is, in both forms."""
    text = personal(TEXTS[task])
    rows = labelled(text, apart(visits(ROWS)))
    model, _ = training.fit_rows(parse(text), rows)
    asked = [{"region": "north", "pages": 9.0, "visitor": who} for who in ("v1", "nobody", None)]
    expected = serving.predict(model.common, asked)
    found = serving.predict(model, asked)
    assert found[1:] == expected[1:]
    assert found[0] != expected[0]
    form = export.compile_(model, columns_of(rows))
    assert np.array(form.predict(asked)) == pytest.approx(np.array(found))


@pytest.mark.parametrize("task", TEXTS)
def test_an_answer_of_one_entity_is_explained_exactly(task: str) -> None:
    """What columns add makes up the whole, with what the entity itself adds."""
    text = personal(TEXTS[task])
    rows = labelled(text, apart(visits(ROWS)))
    form = export.compile_(training.fit_rows(parse(text), rows)[0], columns_of(rows))
    (explained,) = form.explain([{"region": "north", "pages": 9.0, "visitor": "v9", "at": "2024-01-01T00:00:00Z"}])
    assert explained.contributions["visitor"] != 0
    assert explained.raw == pytest.approx(explained.base + sum(explained.contributions.values()))
    content, digest = compiled.dump(form)
    assert compiled.dump(compiled.load(content, digest)) == (content, digest)


@pytest.mark.parametrize("task", TEXTS)
def test_entities_that_are_alike_stay_with_the_common_model(task: str) -> None:
    """Corrections of noise would make later answers worse."""
    text = personal(TEXTS[task])
    model, chosen = training.fit_rows(parse(text), labelled(text, apart(visits(ROWS), differ=False)))
    assert chosen.personal is not None
    assert chosen.personal.plan == ""
    assert not hasattr(model, "entities")


def test_few_rows_move_an_entity_less_than_many() -> None:
    """The same evidence in each row: the prior holds few of them back."""

    def shift(rows: int) -> float:
        given = Rows(np.zeros((rows, 1)), np.zeros((rows, 0)), np.tile([1, 1, 1, 0], rows // 4))
        return fitted("binary", given, Plan("shift", 10.0), 1.0).shifts[0]

    shifts = [shift(rows) for rows in (4, 40, 400)]
    assert shifts == sorted(shifts)
    assert 0 < shifts[0] < 0.15
    assert shifts[2] == pytest.approx(np.log(3), abs=0.2)


def test_it_goes_the_whole_way_and_is_reproduced() -> None:
    """Judged as any other, from lineage alone the same, and a request may say who asks."""
    shop = Shop(text=personal(BINARY))
    first = train(shop, "a.csv", ROWS, change=apart)
    assert settle(shop, first).status == "published"
    assert first.personal is not None
    assert first.personal.plan
    assert first.compiled_sha256 is not None, first.compiled_because
    assert [(field.name, field.required) for field in first.signature][-1] == ("visitor", False)
    assert reproduce.reproduce(first, shop.state).same
    assert len(stored.model(shop.state, first).entities) == 10


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("per: nobody", "'per' must name a category of 'visits'. 'nobody' is no column of it."),
        ("per: pages", "'pages' is a number of it"),
        ("per: visitor, group: visitor", "'per' and 'group' both name 'visitor'"),
    ],
)
def test_an_entity_must_be_a_category_of_the_table(wrong: str, said: str) -> None:
    """Said when it is deployed."""
    with pytest.raises(PipelineInvalid, match=said):
        parse(personal(BINARY).replace("per: visitor", wrong))
