"""Numbers and classes, from the label in pipeline.yaml to what serves: the same way that yes and no take."""

import numpy as np
import pyarrow as pa
import pytest

from dropforge.contracts import places
from dropforge.contracts.errors import NotEnoughData, PipelineInvalid
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import parse
from dropforge.core import catalogue, champion, compiled
from dropforge.ml import beside, card, fit, prequential, publishing, reproduce, serving, trigger
from dropforge.ml.rows import given_of
from tests.ml.basket import CLASSES, NUMBER, TEXTS, shop, shopped
from tests.ml.published import settle, train
from tests.ml.shop import Shop


def trained(world: Shop, name: str = "a.csv", rows: int = 900) -> Candidate:
    """A candidate on all that has landed, this file included."""
    return train(world, name, rows, change=shopped)


def without_shoes(rows: pa.Table) -> pa.Table:
    """The rows, of which those with shoes are not known."""
    names = [None if name == "shoes" else name for name in rows["goods"].to_pylist()]
    return rows.set_column(rows.column_names.index("goods"), "goods", pa.array(names))


@pytest.mark.parametrize("kind", TEXTS)
def test_a_model_of_it_is_trained_judged_published_and_replaced(kind: str) -> None:
    """The whole way, the rehearsal on a server and a second version that is compared with the first included."""
    world = shop(TEXTS[kind])
    assert settle(world, trained(world)).status == "published"
    second = settle(world, trained(world, "b.csv", 3000))
    assert second.status == "published", second.reasons
    now, _ = champion.current(world.state, "shop")
    assert now is not None
    assert now.version == "2"
    assert {comparison.slice for comparison in second.comparisons} >= {"all", "region=north", "region=south"}


@pytest.mark.parametrize("kind", TEXTS)
def test_the_compiled_form_says_the_same_and_is_reproduced(kind: str) -> None:
    """Or it would not serve; and the version must come out of its lineage again, byte for byte."""
    world = shop(TEXTS[kind])
    candidate = trained(world)
    assert candidate.compiled_because == "It agrees with scikit-learn on 900 rows."
    assert reproduce.reproduce(candidate, world.state).same


def test_metrics_are_those_of_the_task() -> None:
    """A number has no ROC curve, and classes no unit."""
    assert set(trained(shop(NUMBER)).metrics["all"]) == {"rows", "rmse", "mae", "r2"}
    of_classes = trained(shop(CLASSES))
    assert set(of_classes.metrics["all"]) == {"rows", "log_loss", "macro_f1", "accuracy", "roc_auc", "brier"}
    assert of_classes.classes == ["books", "shoes", "tea"]


@pytest.mark.parametrize("kind", TEXTS)
def test_the_card_and_the_monitor_measure_it(kind: str) -> None:
    """Calibration by deciles, every metric with an interval; and a share of right answers to watch."""
    world = shop(TEXTS[kind])
    candidate = trained(world)
    settle(world, candidate)
    page = card.card(world.pipeline, catalogue.find(world.state, "shop", "1"), world.state)
    assert all(metric in page for metric in candidate.metrics["all"] if metric != "rows")
    rows = publishing.holdout_rows(world.state, candidate)
    seen = prequential.of_rows(world.pipeline, rows, given_of(rows), candidate)["all"]
    assert 0.5 < seen.accuracy < 1
    assert len(seen.observations) >= 3
    assert seen.positives is None


def test_within_says_how_close_a_number_must_be_to_be_right() -> None:
    """A person knows what error matters; by default it is what the model itself errs on average."""
    world = shop(NUMBER + "monitoring: {within: 0.001}\n")
    candidate = trained(world)
    rows = publishing.holdout_rows(world.state, candidate)
    assert prequential.of_rows(world.pipeline, rows, given_of(rows), candidate)["all"].accuracy < 0.05


def test_a_class_that_only_one_of_the_two_knows_is_given_nothing_by_the_other() -> None:
    """Classes come and go, and both models must be measured on the same ones."""
    world = shop(CLASSES)
    candidate = trained(world)
    rows = publishing.holdout_rows(world.state, candidate)
    labels = np.array(["tea", "wine"] * 50)
    pages = {"region": ["north"] * 100, "pages": np.arange(100.0), "at": ["2024-01-01T10:00:00Z"] * 100}
    older = fit.fit(world.pipeline, pages, labels)
    both = beside.holdout(rows, [], candidate, given_of(rows), older, {})
    assert both.champion is not None
    assert both.challenger.shape == both.champion.shape == (rows.num_rows, 4)
    assert (both.challenger[:, 3] == 0).all()
    assert (both.champion[:, :2] == 0).all()


def test_two_classes_have_two_probabilities() -> None:
    """scikit-learn has one set of trees for them, and the compiled form must not lose the other class."""
    world = shop(CLASSES)
    world.land("a.csv", 900, change=lambda rows: without_shoes(shopped(rows)))
    candidate = trigger.on_request("shop", "r", "a test", "it asked", world.state, world.topics, world.clock)
    assert candidate.classes == ["books", "tea"]
    content, _ = world.state.read(places.candidate("shop", candidate.candidate_id, "predictor.json"))
    (given,) = compiled.load(content, candidate.compiled_sha256 or "").predict([{"region": "north", "pages": 12.0}])
    assert len(given) == 2
    assert sum(given) == pytest.approx(1)


def test_labels_that_name_rows_are_no_classes() -> None:
    """A thousand classes would be a thousand models; most likely the column is an id."""
    world = shop(CLASSES)
    names = np.array([f"order {number // 6}" for number in range(900)])
    with pytest.raises(NotEnoughData, match=r"Expected at most 100 classes\. Found 150"):
        fit.fit(world.pipeline, {"pages": np.arange(900.0)}, names)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("metric: mae", "metric: roc_auc"), "'metric' must be one of rmse, mae, r2 for a regression label"),
        (("models: [boosting]", "models: [logistic]"), "'models' must be of boosting, ridge, constant"),
        (
            ("column: spent, kind", "column: region, kind"),
            "the kind 'number', but 'region' is a category",
        ),
        (("kind: number}", "kind: number, above: 3}"), "exactly one of 'above', 'equals' and 'kind'"),
        (("training:", "monitoring: {metric: brier}\ntraining:"), "watch only the accuracy of a regression"),
        (("kind: number", "kind: classes"), "'label' is of the kind 'classes', which are a category"),
    ],
)
def test_what_does_not_suit_the_label_is_refused(change: tuple[str, str], said: str) -> None:
    """Before anything is trained: the deployment says it."""
    with pytest.raises(PipelineInvalid, match=said):
        parse(NUMBER.replace("MODE", "static").replace(*change))


def test_a_served_row_is_what_the_model_says() -> None:
    """One artefact transforms and predicts, whatever it predicts."""
    world = shop(NUMBER)
    candidate = trained(world)
    settle(world, candidate)
    (version,) = world.platform.versions["shop"].values()
    (answer,) = world.answer(version, [{"region": "north", "pages": 10.0, "at": "2024-02-01T10:00:00Z"}])
    assert isinstance(answer, dict)
    assert answer["value"] == pytest.approx(25, abs=5)
    assert serving.classes(object()) == []
