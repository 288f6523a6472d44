"""Each criterion by itself: what it refuses, and what it must let through."""

from typing import Any

import numpy as np
import pytest

from dropforge.contracts.pipeline import Success
from dropforge.ml.judge import judge
from dropforge.ml.judgement import Holdout, Judgement

ROWS = 4000
RANDOM = np.random.default_rng(11)
WISH = RANDOM.normal(size=ROWS)
LABELS = (WISH + RANDOM.logistic(size=ROWS) > 0.8).astype(np.int8)
REGION = np.array(["north", "south", "east", "tiny"])[np.arange(ROWS) % 40 // 13]  # tiny: one row in forty
SLICES = {"region": REGION.tolist()}


def model(noise: float, seed: int = 0) -> np.ndarray:
    """Probabilities of a model that sees the wish through noise."""
    seen = WISH + noise * np.random.default_rng(seed).normal(size=ROWS)
    given: np.ndarray = 1 / (1 + np.exp(0.8 - seen))
    return given


def judged(challenger: np.ndarray, champion: np.ndarray | None = None, **success: Any) -> Judgement:
    """A judgement under usual criteria, save those given."""
    criteria = Success(**{"metric": "roc_auc", "floor": 0.6, "slice_margin": 0.05, "min_slice_rows": 200, **success})
    return judge(criteria, ["region"], Holdout(LABELS, SLICES, challenger, champion))


def against(judgement: Judgement) -> list[str]:
    """The codes of the reasons, without those that are only worth knowing."""
    notes = ("first", "better", "small_slices")
    return [reason.code for reason in judgement.reasons if reason.code not in notes]


def test_a_better_model_passes_and_says_by_how_much() -> None:
    """Reasons are given for a yes as well."""
    judgement = judged(model(0.2), model(1.0))
    assert judgement.passed
    assert judgement.reasons[0].code == "better"
    assert "better than the champion's" in judgement.reasons[0].sentence
    overall = judgement.comparisons[0]
    assert (overall.slice, overall.rows, overall.passed) == ("all", ROWS, True)
    assert overall.difference == pytest.approx(overall.challenger - (overall.champion or 0))


def test_an_equal_model_is_not_churned() -> None:
    """A change that brings nothing still risks something."""
    assert against(judged(model(0.5, 1), model(0.5, 2))) == ["not_better"]
    assert against(judged(model(0.5), model(0.5))) == ["not_better"]


def test_an_equal_model_passes_where_the_fresher_is_preferred() -> None:
    """Data drift: of two equals, the one that knows the last week is the safer bet."""
    assert judged(model(0.5, 1), model(0.5, 2), prefer="fresher", tolerance=0.02).passed
    assert "not_better" in against(judged(model(1.0), model(0.3), prefer="fresher", tolerance=0.02))


def test_a_gain_that_may_be_chance_is_undecided_and_says_how_many_rows_would_tell() -> None:
    """A refusal would say that the model is no better; nobody knows that."""
    few = slice(0, 600)
    columns = {"region": SLICES["region"][few]}
    criteria = Success(metric="roc_auc", floor=0.6, slice_margin=0.05, min_slice_rows=200)
    judgement = judge(criteria, ["region"], Holdout(LABELS[few], columns, model(0.4)[few], model(0.6, 2)[few]))
    assert judgement.status == "undecided"
    (reason,) = [reason for reason in judgement.reasons if reason.code == "not_proven"]
    assert "That may be chance: were it so on some" in reason.sentence
    assert judged(model(0.5, 1), model(0.5, 2), floor=0.99).status == "refused"


def test_a_holdout_of_one_class_is_undecided() -> None:
    """Too few rows are no fault of the model."""
    ones = Holdout(np.ones(50, dtype=np.int8), {}, model(0.2)[:50], model(1.0)[:50])
    found = judge(Success(metric="roc_auc", floor=-1, slice_margin=1), [], ones)
    assert "too_few_rows" in [reason.code for reason in found.reasons]


def test_a_gain_that_was_asked_for_must_be_reached() -> None:
    """Better, and surely so, is not enough where the pipeline asks for more."""
    assert judged(model(0.2), model(0.6)).passed
    assert against(judged(model(0.2), model(0.6), gain=0.2)) == ["not_better"]


def test_the_first_model_must_beat_a_constant() -> None:
    """There is always something to compare with."""
    assert judged(model(0.5)).passed
    noise = np.random.default_rng(3).random(ROWS)
    assert against(judged(noise, floor=0.4)) == ["no_better_than_constant"]


def test_the_floor_holds_for_better_models_too() -> None:
    """Better than a bad champion may still be bad."""
    assert "below_floor" in against(judged(model(0.2), model(3.0), floor=0.95))
    assert "below_floor" in against(judged(model(0.2), model(3.0), metric="log_loss", floor=0.1))


def test_a_region_that_gets_worse_is_refused_by_name() -> None:
    """Better overall is how harm to one region hides."""
    good, bad = model(0.2), 1 - model(0.2)
    judgement = judged(np.where(REGION == "south", bad, good), model(6.0), floor=0.5)
    assert against(judgement) == ["worse_in_slice"]
    (reason,) = [reason for reason in judgement.reasons if reason.code == "worse_in_slice"]
    assert reason.subject == "region=south"
    assert reason.observed < -0.05


def test_many_slices_do_not_make_a_refusal_by_chance() -> None:
    """Forty small regions: without correction, noise alone would find a worse one almost always."""
    columns = {"region": [str(index % 40) for index in range(ROWS)]}
    criteria = Success(metric="roc_auc", floor=0.6, slice_margin=0.0, min_slice_rows=50)
    judgement = judge(criteria, ["region"], Holdout(LABELS, columns, model(0.4, 1), model(0.6, 2)))
    assert len(judgement.comparisons) == 41
    assert min(comparison.difference or 0 for comparison in judgement.comparisons) < 0
    assert judgement.passed


def test_small_slices_are_pooled_and_named() -> None:
    """What is too small to judge must not vanish from the verdict."""
    alone = judged(model(0.2), model(1.0))
    (note,) = [reason for reason in alone.reasons if reason.code == "small_slices"]
    assert note.sentence.endswith("too few rows even together, and not judged: region=tiny.")
    together = judged(model(0.2), model(1.0), min_slice_rows=1301)
    assert [comparison.slice for comparison in together.comparisons] == ["all", "region=(4 small slices)"]


def test_a_slice_that_vanished_is_a_reason() -> None:
    """Silence about a region is not proof that it is well served."""
    criteria = Success(metric="roc_auc", floor=0.6, slice_margin=0.05, min_slice_rows=200)
    then = {"all": 4000, "region=north": 900, "region=west": 800, "region=far": 20}
    judgement = judge(criteria, ["region"], Holdout(LABELS, SLICES, model(0.2), model(1.0), then))
    assert against(judgement) == ["slice_vanished"]
    assert "region=west" in [reason.subject for reason in judgement.reasons]


def test_what_is_no_probability_is_refused_before_anything_is_measured() -> None:
    """A NaN would poison every mean."""
    broken = model(0.2)
    broken[7] = np.nan
    assert against(judged(broken, model(1.0))) == ["not_a_probability"]
    assert against(judged(model(0.2) * 2)) == ["not_a_probability"]


def test_a_model_that_has_seen_the_label_is_too_good() -> None:
    """A leak looks like the best model ever."""
    leak = np.clip(LABELS * 0.98 + 0.01 + RANDOM.normal(scale=0.01, size=ROWS), 0, 1)
    assert against(judged(leak, model(0.2))) == ["too_good"]
