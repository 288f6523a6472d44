"""The compiled predictor is scikit-learn's, double for double, or it does not serve."""

import json
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline as Steps

from dropforge.contracts.errors import ArtefactTampered, RequestInvalid
from dropforge.core import compiled
from dropforge.core.compiled import Compiled, generated
from dropforge.ml import export, serving
from dropforge.ml.encoder import Encoder, Input
from tests.functions.trained import flights, trained

FITTED = cast(Compiled, compiled.load(trained().compiled, trained().candidate.compiled_sha256 or ""))
HASTENED = cast(Compiled, compiled.load(trained().compiled, trained().candidate.compiled_sha256 or ""))
HASTENED.hasten()


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def test_ten_thousand_rows_get_the_same_doubles() -> None:
    """One unit in the last place would show in the rehearsal before a publication, and in every cache key."""
    rows = flights(3, 10_000)
    assert FITTED.predict(rows) == HASTENED.predict(rows) == serving.predict(trained().model, rows)


NUMBERS = ["distance", "sched_dep_time", "temp", "wind_speed", "precip"]
anything = st.fixed_dictionaries(
    {name: st.none() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, width=64) for name in NUMBERS}
    | {name: st.none() | st.sampled_from(["AA", "EV", "JFK", "ATL", "", "ß"]) for name in ("carrier", "origin", "dest")}
    | {
        "time_hour": st.none()
        | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda when: when.isoformat())
        | st.datetimes(timezones=st.timezones()).map(lambda when: when.isoformat())
    }
)


@settings(deadline=None, max_examples=300)
@given(anything)
def test_any_instance_gets_the_same_double(instance: dict[str, Any]) -> None:
    """Missing and unknown values, other zones and years, infinities: whatever the encoder takes."""
    try:
        expected = serving.predict(trained().model, [instance])
    except (OverflowError, ValueError):
        return  # a time at the edge of the calendar, which no zone can show
    assert FITTED.predict([instance]) == HASTENED.predict([instance]) == expected


def test_trees_too_deep_to_be_functions_are_walked() -> None:
    """Python's parser ends at two hundred brackets; a model that grows deeper must still serve."""
    splits = generated.DEEPEST + 1
    inner = [2 * split + 2 for split in range(splits - 1)] + [2 * splits]
    left = [child for split in range(splits) for child in (2 * split + 1, 0)] + [0]
    right = [child for below in inner for child in (below, 0)] + [0]
    value = [float(node) for node in range(len(left))]
    zeros = [0] * len(left)
    trees = compiled.Trees(zeros, [float(-node) for node in zeros], [False] * len(left), left, right, value, [0], 0.5)
    deep = Compiled([compiled.Column("a", "a", "number")], trees, numbers=True)
    expected = deep.predict([{"a": 1.0}, {"a": -1.0}])
    deep.hasten()
    assert deep.predict([{"a": 1.0}, {"a": -1.0}]) == expected == [0.5 + value[-1], 0.5 + value[1]]


def test_a_column_that_training_never_saw_moves_nothing() -> None:
    """The encoder makes it 0 in every row; so must the compiled form."""
    inputs = [Input("a", "a", "number"), Input("b", "b", "number")]
    rows: list[dict[str, Any]] = [{"a": float(index % 7), "b": None} for index in range(200)]
    labels = np.array([row["a"] > 3 for row in rows], dtype=np.int8)
    steps = Steps([("encode", Encoder(inputs)), ("model", HistGradientBoostingClassifier(max_iter=5))])
    steps.fit(columns(rows), labels)
    made = export.compile_(steps, columns(rows))
    asked: list[dict[str, Any]] = [{"a": 2.0, "b": 9.0}, {"a": 6.0}, {"a": None, "b": 1.0}]
    assert made.predict(asked) == serving.predict(steps, asked)


def test_equal_models_give_equal_bytes_and_back() -> None:
    """The digest names it, so a second export of the same model must be the same file."""
    again = export.export(trained().model, columns(flights()))
    assert (again.content, again.digest) == (trained().compiled, trained().candidate.compiled_sha256)
    assert again.largest_difference == 0.0
    assert compiled.dump(FITTED)[0] == trained().compiled


def test_a_form_that_disagrees_may_not_serve() -> None:
    """An export that is silently wrong for some splits is the known failure of other tools."""
    model = trained(2).model
    wrong = cast(Compiled, export.compile_(model, columns(flights())))
    trees = wrong.trees.__dict__ | {"baseline": wrong.trees.baseline + 1e-3}
    off = compiled.Compiled(wrong.columns, compiled.Trees(**trees))
    found = export.tried(off, model, columns(flights()))
    assert (found.content, found.digest) == (None, None)
    assert found.reason.startswith("It differs from scikit-learn by up to 0.0002")


def test_what_cannot_be_compiled_says_why() -> None:
    """The reason is stored with the candidate, and shown when scikit-learn serves instead."""
    steps = Steps([("encode", Encoder([Input("a", "a", "number")])), ("model", KNeighborsClassifier())])
    found = export.export(steps, {"a": [1.0]})
    assert found.content is None
    assert "Expected an encoder before one of HistGradientBoostingClassifier" in found.reason


@pytest.mark.parametrize("spoil", [lambda said: said | {"baseline": 0.0}, lambda said: said | {"format": 99}])
def test_other_content_than_the_registrys_is_refused(spoil: Any) -> None:
    """The digest is what ties it to the model that was judged."""
    content = json.dumps(spoil(json.loads(trained().compiled))).encode()
    with pytest.raises(ArtefactTampered):
        compiled.load(content, trained().candidate.compiled_sha256 or "")


def test_a_value_that_cannot_be_read_names_its_row_and_column() -> None:
    """As the encoder does."""
    with pytest.raises(RequestInvalid, match=r"Row 1, column 'distance': expected a number. Found 'far'"):
        FITTED.predict([flights()[0], {**flights()[0], "distance": "far"}])


def test_a_time_may_be_a_time() -> None:
    """The trial on export gives datetimes, a request gives text."""
    row = flights()[0]
    moment = datetime.fromisoformat(row["time_hour"])
    assert moment.tzinfo == UTC
    assert FITTED.predict([{**row, "time_hour": moment}]) == FITTED.predict([row])
