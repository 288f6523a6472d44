"""The kind of model is chosen by what came later, and changed only for good reason."""

import numpy as np
import pyarrow as pa
import pytest

from dropforge.contracts.pipeline import Pipeline, parse
from dropforge.ml import artefact, choose, fit, serving
from dropforge.ml.recipes import RECIPES
from dropforge.ml.rows import LABEL, columns_of
from tests.ml.basket import CLASSES
from tests.ml.shop import YAML, visits


def pipeline(models: str = "boosting, logistic, constant") -> Pipeline:
    """The shop, with these kinds to try."""
    return parse(YAML.replace("MODE", "dynamic").replace("models: [boosting]", f"models: [{models}]"))


def labelled(rows: int, noise: float = 1.0) -> pa.Table:
    """Visits with labels."""
    table = visits(rows, noise=noise)
    return table.append_column(LABEL, table["bought"].cast(pa.int8()))


def test_a_line_is_chosen_where_the_truth_is_a_line_and_rows_are_few() -> None:
    """Boosting needs rows; what a straight line explains, a line learns from fewer."""
    choice = choose.choose(pipeline(), labelled(600, noise=2.0))
    assert choice.kind == "logistic"
    assert choice.tried["logistic"] > choice.tried["boosting"] > choice.tried["constant"] == 0.5


@pytest.mark.parametrize(("logistic", "chosen"), [([0.9, 0.9, 0.59], "boosting"), ([0.61, 0.61, 0.61], "logistic")])
def test_the_preferred_kind_stays_unless_another_is_better_in_every_block(
    monkeypatch: pytest.MonkeyPatch, logistic: list[float], chosen: str
) -> None:
    """One block is weather; changing the kind of model for it is noise."""
    given = {"boosting": iter([0.6] * 3), "logistic": iter(logistic), "constant": iter([0.5] * 3)}
    none = np.zeros(0)
    monkeypatch.setattr(choose, "_reached", lambda _, kind, *__: choose._Tried(next(given[kind]), none, none))
    monkeypatch.setattr(choose, "recipes", lambda _: list(given))
    assert choose.choose(pipeline(), labelled(600)).kind == chosen
    assert next(given["constant"]) == 0.5  # it was out after the first block, and cost no more


def test_nothing_is_tried_where_there_is_nothing_to_choose() -> None:
    """It would cost time and tell nothing."""
    assert choose.choose(pipeline("logistic"), labelled(600)) == choose.Choice("logistic", {})
    assert choose.choose(pipeline(), labelled(100)) == choose.Choice("boosting", {})


def test_categories_of_many_values_are_encoded_by_the_label_where_that_predicts_better() -> None:
    """A rank of five hundred names says nothing, the mean of their labels says all; the later rows decide."""
    random = np.random.default_rng(4)
    names = random.integers(0, 500, 6000)
    wish = random.permutation(np.linspace(-3, 3, 500))[names]
    table = visits(6000).set_column(2, "region", pa.array([f"region {name}" for name in names]))
    labels = pa.array((wish + random.logistic(size=6000) > 0).astype(np.int8))
    choice = choose.choose(pipeline("boosting"), table.append_column(LABEL, labels))
    assert choice.kind == "boosting/target"
    assert choice.tried["boosting/target"] > choice.tried["boosting"] + 0.02


def test_the_search_is_bounded_by_rows_not_by_a_clock() -> None:
    """Half the time pays for half the rows; the same rows give the same choice on a slow day."""
    slow = pipeline().model_copy(update={"training": pipeline().training.model_copy(update={"search_seconds": 0.2})})
    assert choose.most_rows(pipeline(), 4) == choose.MOST_ROWS
    assert choose.most_rows(slow, 4) == 0.2 * choose.ROWS_A_SECOND // (4 * 3)


def test_every_class_counts_the_same_where_the_metric_says_so() -> None:
    """A class of one row in thirty is never answered by a model that minds likelihood only."""
    text = CLASSES.replace("MODE", "static").replace("metric: log_loss", "metric: macro_f1").replace("1.05", "0.3")
    random = np.random.default_rng(1)
    rows = visits(6000)
    pages = np.nan_to_num(rows["pages"].to_numpy(), nan=6.0)
    goods = np.where(pages + 3 * random.normal(size=6000) > 15, "rare", "usual")
    table = rows.append_column(LABEL, pa.array(goods.tolist()))
    tried = choose.choose(parse(text), table).tried
    assert tried["boosting/balanced"] > tried["boosting"] + 0.05


@pytest.mark.parametrize("kind", RECIPES)
def test_every_kind_gives_the_same_bytes_and_serves(kind: str) -> None:
    """Whatever is chosen must be reproducible, and answer a request with what is missing or was never seen."""
    table = visits(500)
    labels = table["bought"].to_numpy().astype(np.int8)
    first, second = (fit.fit(pipeline(), columns_of(table), labels, kind) for _ in range(2))
    assert artefact.dump(first)[1] == artefact.dump(second)[1]
    (given,) = serving.predict(first, [{"region": "atlantis", "at": "2024-02-01T10:00:00Z"}])
    assert 0 < given < 1
