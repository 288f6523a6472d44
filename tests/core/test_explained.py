"""What an explanation says is the Shapley value by its definition, and adds up to the answer."""

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from dropforge.contracts import pipeline as pipelines
from dropforge.contracts.errors import NotExplainable
from dropforge.core import compiled
from dropforge.core.compiled import Compiled, Linear, Trees
from dropforge.core.compiled.classes import Classes
from dropforge.core.compiled.trees import both
from dropforge.ml import export, fit, serving
from tests.core.test_compiled import FITTED, columns
from tests.functions.trained import FLIGHTS, flights, trained

LABELS = np.array([row["sched_dep_time"] > 1300 for row in flights()], dtype=np.int8)


def made(kind: str) -> tuple[Any, compiled.Predictor]:
    """A fitted pipeline of this kind, and its compiled form as it comes back from storage."""
    pipeline = pipelines.parse(FLIGHTS.read_bytes())
    model = fit.fit(pipeline, columns(flights()), LABELS, kind)
    found = export.export(model, columns(flights()))
    assert found.content is not None, found.reason
    return model, compiled.load(found.content, found.digest or "")


def expected_of(trees: Trees, known: set[int], row: list[float], node: int) -> float:
    """The answer below a node where only the features `known` are, by the definition."""
    if not trees.left[node]:
        return trees.value[node]
    left, right = trees.left[node], trees.right[node]
    feature = trees.feature[node]
    if feature in known:
        given = both(row)[feature + (len(row) if trees.missing_left[node] else 0)]
        threshold = trees.threshold[node]
        way = left if given <= (math.inf if threshold is None else threshold) else right
        return expected_of(trees, known, row, way)
    shares = [trees.cover[child] / trees.cover[node] for child in (left, right)]
    return sum(
        share * expected_of(trees, known, row, child) for share, child in zip(shares, (left, right), strict=True)
    )


def by_definition(names: list[str], worth: Callable[[frozenset[str]], float]) -> dict[str, float]:
    """Shapley values of a game, over all coalitions; what each is worth is asked once."""
    coalitions = [frozenset(known) for size in range(len(names) + 1) for known in combinations(names, size)]
    worths = {known: worth(known) for known in coalitions}
    found = dict.fromkeys(names, 0.0)
    for name in names:
        others = [other for other in names if other != name]
        for size in range(len(names)):
            weight = 1 / (len(names) * math.comb(len(names) - 1, size))
            for known in combinations(others, size):
                found[name] += weight * (worths[frozenset({*known, name})] - worths[frozenset(known)])
    return found


@pytest.mark.parametrize("row", flights(5, 3))
def test_a_column_gets_its_shapley_value_by_the_definition(row: dict[str, Any]) -> None:
    """The fast way over leaves is worth nothing if it is not the sum over all coalitions. The weekday and the day of
    the year are both of `time_hour`, which is one player."""
    trees, names = FITTED.trees, [column.column for column in FITTED.columns]
    encoded = FITTED.encoding.encoded(row, 0)
    one = Trees(**trees.__dict__ | {"roots": trees.roots[:3]})
    used = {trees.feature[node] for node in range(trees.roots[3]) if trees.left[node]}
    players = list(dict.fromkeys(names[feature] for feature in used))

    def worth(known: frozenset[str]) -> float:
        features = {feature for feature in used if names[feature] in known}
        return sum(expected_of(one, features, encoded, root) for root in one.roots)

    (found,) = Compiled(FITTED.columns, one).explain([row])
    expected = by_definition(players, worth)
    assert {name: found.contributions[name] for name in players} == pytest.approx(expected, abs=1e-12)
    assert all(value == 0 for name, value in found.contributions.items() if name not in players)


@pytest.mark.parametrize("kind", ["boosting", "logistic", "constant"])
def test_contributions_add_up_to_the_answer(kind: str) -> None:
    """Otherwise part of the answer would be explained by nothing."""
    model, form = made(kind)
    rows = flights(7, 200)
    for found, probability in zip(form.explain(rows), serving.predict(model, rows), strict=True):
        assert found.base + sum(found.contributions.values()) == pytest.approx(found.raw, abs=1e-9)
        assert 1 / (1 + math.exp(-found.raw)) == pytest.approx(probability, abs=1e-12)


def test_a_linear_model_is_compiled_to_what_scikit_learn_says() -> None:
    """Missing, unknown and rare values too: without a compiled form it could be neither served inline nor explained."""
    model, form = made("logistic")
    rows = flights(8, 2000)
    assert isinstance(form, Linear)
    assert form.predict(rows) == pytest.approx(serving.predict(model, rows), abs=1e-12)


def test_a_linear_contribution_is_what_a_column_adds_beyond_its_average() -> None:
    """By the definition, for a sum: two rows that differ in one column differ in its contribution only."""
    _, form = made("logistic")
    row = flights()[0]
    here, there = form.explain([row, {**row, "distance": row["distance"] + 100}])
    moved = {name for name in here.contributions if here.contributions[name] != there.contributions[name]}
    assert moved == {"distance"}
    difference = there.contributions["distance"] - here.contributions["distance"]
    assert difference == pytest.approx(there.raw - here.raw, abs=1e-12)
    average = np.mean([each.contributions["distance"] for each in form.explain(flights())])
    assert average == pytest.approx(0, abs=1e-9)


def test_of_classes_the_score_of_the_likeliest_is_explained() -> None:
    """Of three, its own trees; of two, which share one sum, the first class's score is the second's negated."""
    thirds = [Trees(**FITTED.trees.__dict__ | {"roots": FITTED.trees.roots[part::3]}) for part in range(3)]
    form = Classes([Compiled(FITTED.columns, trees) for trees in thirds])
    rows = flights(11, 30)
    for row, found, shares in zip(rows, form.explain(rows), form.predict(rows), strict=True):
        assert found == form.parts[shares.index(max(shares))].explain([row])[0]
    two = Classes([FITTED])
    for found, (first, second), plain in zip(two.explain(rows), two.predict(rows), FITTED.explain(rows), strict=True):
        sign = 1 if second > first else -1
        assert (found.raw, found.base) == (sign * plain.raw, sign * plain.base)
        assert found.base + sum(found.contributions.values()) == pytest.approx(found.raw, abs=1e-9)


def test_a_form_from_before_explanations_says_so() -> None:
    """It still predicts; only what it lacks is refused."""
    trees = Trees(**FITTED.trees.__dict__ | {"cover": []})
    old = Compiled(FITTED.columns, trees)
    assert old.predict(flights()[:1]) == FITTED.predict(flights()[:1])
    with pytest.raises(NotExplainable, match="Train it again"):
        old.explain(flights()[:1])


@pytest.mark.reference
def test_features_get_what_the_shap_library_says() -> None:
    """TreeSHAP by its authors, where it is installed: each feature a player of its own, path-dependent."""
    shap = pytest.importorskip("shap")
    model = trained().model
    rows = flights(9, 100)
    matrix = model.named_steps["encode"].transform(columns(rows))
    explainer = shap.TreeExplainer(model.named_steps["model"], feature_perturbation="tree_path_dependent")
    renamed = [compiled.Column(**each.__dict__ | {"column": each.name}) for each in FITTED.columns]
    shapley = Compiled(renamed, FITTED.trees).shapley
    found = [list(shapley.of(both(row)).values()) for row in matrix.tolist()]
    np.testing.assert_allclose(found, explainer.shap_values(matrix), atol=1e-9)
    assert shapley.base == pytest.approx(float(np.ravel(explainer.expected_value)[0]), abs=1e-9)
