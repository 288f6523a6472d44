"""Probabilities are corrected where that helps later rows, and the corrected model is compiled and reproduced."""

import numpy as np
import pyarrow as pa
import pytest

from dropforge.contracts.pipeline import Pipeline, parse
from dropforge.ml import artefact, calibrate, choose, export, fit, score, serving, training
from dropforge.ml.rows import LABEL, columns_of
from tests.ml.shop import YAML, visits


def pipeline(metric: str = "log_loss", models: str = "boosting") -> Pipeline:
    """The shop, judged by this."""
    text = YAML.replace("MODE", "static").replace("roc_auc, floor: 0.55", f"{metric}, floor: 0.7")
    return parse(text.replace("models: [boosting]", f"models: [{models}]"))


def blocks(claim: float, rows: int = 2000) -> list[calibrate.Block]:
    """Three blocks of a model that claims so many times the log-odds that are true."""
    found = []
    for seed in range(3):
        random = np.random.default_rng(seed)
        wish = random.normal(size=rows)
        labels = (random.random(rows) < 1 / (1 + np.exp(-wish))).astype(np.int8)
        found.append((labels, 1 / (1 + np.exp(-claim * wish))))
    return found


def test_what_claims_too_much_is_corrected() -> None:
    """Twice the log-odds are halved."""
    found = calibrate.correction(pipeline(), blocks(2.0))
    assert found is not None
    assert found.slope == pytest.approx(0.5, abs=0.06)
    assert found.after < found.before
    labels, given = blocks(2.0)[0]
    assert score.roc_auc(labels, found(given)) == score.roc_auc(labels, given)


def test_what_is_calibrated_is_left_alone() -> None:
    """A correction of noise would be one more thing to go wrong."""
    assert calibrate.correction(pipeline(), blocks(1.0)) is None
    assert not calibrate.suits(pipeline("roc_auc"))


@pytest.mark.parametrize("kind", ["boosting", "boosting/target", "logistic"])
def test_a_corrected_model_is_compiled_and_agrees(kind: str) -> None:
    """The correction becomes part of the numbers; nothing else serves it."""
    rows = visits(900)
    labels = rows["bought"].to_numpy().astype(np.int8)
    fitted = fit.fit(pipeline(models="boosting, logistic"), columns_of(rows), labels, kind)
    made = calibrate.corrected(fitted, calibrate.Correction(0.7, 0.1, 0, 0))
    exported = export.export(made, columns_of(rows))
    assert exported.largest_difference is not None
    assert exported.largest_difference < 1e-12, exported.reason
    assert serving.given(made, columns_of(rows)) != pytest.approx(serving.given(fitted, columns_of(rows)))
    assert artefact.dump(made) == artefact.dump(made)


@pytest.mark.parametrize(("rows", "noise", "helps"), [(3000, 2.0, False), (900, 5.0, True)])
def test_the_search_says_what_it_found_of_the_calibration(rows: int, noise: float, helps: bool) -> None:
    """With the metric that asks for it, on blocks of later rows. Few rows, mostly noise, leave boosting too sure."""
    table = visits(rows, noise=noise)
    found = choose.choose(pipeline(), table.append_column(LABEL, table["bought"].cast("int8"))).correction
    assert (found is not None) is helps
    if found is not None:
        assert found.slope < 0.5
        assert found.after < found.before - 0.05


def test_a_constant_is_not_corrected() -> None:
    """It has no log-odds to correct, also where the share of buyers grows and a correction would help."""
    random = np.random.default_rng(6)
    labels = pa.array((random.random(3000) < np.linspace(0.1, 0.9, 3000)).astype(np.int8))
    table = visits(3000).append_column(LABEL, labels)
    model, chosen = training.fit_rows(pipeline(models="constant"), table)
    assert (chosen.kind, chosen.correction) == ("constant", None)
    assert len(set(serving.given(model, columns_of(table)))) == 1
