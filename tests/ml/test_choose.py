"""The kind of model is chosen by what came later, and changed only for good reason."""

import numpy as np
import pyarrow as pa
import pytest

from dropforge.contracts.pipeline import Pipeline, parse
from dropforge.ml import artefact, choose, fit, serving
from dropforge.ml.recipes import RECIPES
from dropforge.ml.rows import LABEL, columns_of
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
    given = {"logistic": iter(logistic), "boosting": iter([0.6] * 3), "constant": iter([0.5] * 3)}
    monkeypatch.setattr(choose, "_reached", lambda _, kind, *__: next(given[kind]))
    assert choose.choose(pipeline(), labelled(600)).kind == chosen


def test_nothing_is_tried_where_there_is_nothing_to_choose() -> None:
    """It would cost time and tell nothing."""
    assert choose.choose(pipeline("logistic"), labelled(600)) == choose.Choice("logistic", {})
    assert choose.choose(pipeline(), labelled(100)) == choose.Choice("boosting", {})


@pytest.mark.parametrize("kind", RECIPES)
def test_every_kind_gives_the_same_bytes_and_serves(kind: str) -> None:
    """Whatever is chosen must be reproducible, and answer a request with what is missing or was never seen."""
    table = visits(500)
    labels = table["bought"].to_numpy().astype(np.int8)
    first, second = (fit.fit(pipeline(), columns_of(table), labels, kind) for _ in range(2))
    assert artefact.dump(first)[1] == artefact.dump(second)[1]
    (given,) = serving.predict(first, [{"region": "atlantis", "at": "2024-02-01T10:00:00Z"}])
    assert 0 < given < 1
