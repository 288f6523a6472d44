"""A champion brought up to date by new rows alone: where that is as good, reproducibly, and served as any other."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from dropforge.contracts.estimates import Cost
from dropforge.contracts.models import Candidate
from dropforge.core import compiled
from dropforge.ml import artefact, estimate, export, fit, reproduce, score, serving, updating
from dropforge.ml.rows import LABEL, columns_of, labels_of
from tests.ml.basket import NUMBER, shop, shopped
from tests.ml.published import settle, train
from tests.ml.shop import YAML, Shop, visits

TEXT = YAML.replace("seed: 3", "seed: 3, update: true")


def labelled(rows: int, start: int = 0, flipped: bool = False) -> pa.Table:
    """Visits with labels; `flipped` where pages mean the opposite."""
    table = visits(rows, start, noise=1.0)
    bought = table["bought"].to_numpy()
    return table.append_column(LABEL, pa.array((1 - bought if flipped else bought).astype(np.int8)))


def fitted(rows: pa.Table) -> object:
    """A model of the shop."""
    return fit.fit(Shop().pipeline, columns_of(rows), labels_of(rows))


def trained(world: Shop, name: str, rows: int) -> Candidate:
    """A candidate on all that has landed, this file included."""
    return train(world, name, rows, change=shopped)


def test_an_update_learns_what_is_new() -> None:
    """The world turned: the old model is worse than a coin, the updated one is not."""
    model, new, asked = fitted(labelled(1500)), labelled(3000, 1500, True), labelled(1500, 4500, True)
    better = updating.updated(Shop().pipeline, model, new)
    areas = [score.roc_auc(labels_of(asked), serving.given(each, columns_of(asked))) for each in (model, better)]
    assert areas[0] < 0.3
    assert areas[1] > areas[0] + 0.3


def test_an_update_is_compiled_and_the_same_each_time() -> None:
    """Two on top of one another, as months come."""
    model, new = fitted(labelled(1500)), labelled(900, 1500)
    once = updating.updated(Shop().pipeline, model, new)
    twice = updating.updated(Shop().pipeline, once, labelled(900, 2400))
    assert updating.updates(twice) == 2
    assert artefact.dump(twice) == artefact.dump(updating.updated(Shop().pipeline, once, labelled(900, 2400)))
    exported = export.export(twice, columns_of(new))
    assert exported.largest_difference is not None
    assert exported.largest_difference < 1e-12
    form = compiled.load(exported.content or b"", exported.digest or "")
    (explained,) = form.explain([{"region": "north", "pages": 9.0}])
    assert explained.raw == pytest.approx(explained.base + sum(explained.contributions.values()))


@pytest.mark.parametrize("turned", [False, True])
def test_the_update_is_taken_only_where_it_is_as_good_as_a_full_training(turned: bool) -> None:
    """Where the old rows say the same as the new, learning from all of them is better; not in a world that turned."""
    old, new = labelled(600), labelled(3000, 600, turned)
    found = updating.compared(Shop().pipeline, fitted(old), old, new)
    assert found is not None
    assert (found.update > found.full + 0.01, found.full > found.update + 0.01) == (turned, not turned)
    assert found.taken is turned


@pytest.mark.parametrize("text", [TEXT, NUMBER.replace("seed: 3", "seed: 3, update: true")])
def test_it_goes_the_whole_way_and_is_reproduced(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """From lineage alone, by way of what it is an update of."""
    whole = updating.compared
    monkeypatch.setattr(
        updating, "compared", lambda *given: (found := whole(*given)) and replace(found, taken=True)
    )  # as good or not: what follows is tested
    world = shop(text)
    first = trained(world, "a.csv", 1200)
    assert settle(world, first).status == "published"
    second = trained(world, "b.csv", 3000)
    origin = second.lineage.updated_from
    assert origin is not None
    assert origin.candidate_id == first.candidate_id
    assert second.lineage.rows_train == 3000  # of 4,200: those that the first held back are new as well
    assert second.compiled_sha256 is not None, second.compiled_because
    assert reproduce.reproduce(second, world.state).same
    took = second.model_copy(update={"took": Cost(seconds=1000, memory_mb=5000)})
    again = estimate.expected(world.pipeline, second.lineage.batches, took)
    assert again == Cost(seconds=1000, memory_mb=5000)  # it read all 4,200 rows, though it learned from fewer


def test_without_a_champion_or_the_setting_everything_is_learned() -> None:
    """An update needs something that serves, and someone who wants it."""
    world = shop(YAML)
    settle(world, trained(world, "a.csv", 1200))
    assert trained(world, "b.csv", 1200).lineage.updated_from is None
    other = shop(TEXT)
    assert trained(other, "a.csv", 1200).lineage.updated_from is None


def test_updates_do_not_pile_up_for_ever() -> None:
    """Each adds trees, and the old ones are never unlearned."""
    rows = labelled(900)
    model = fitted(rows)
    for _ in range(updating.MOST_UPDATES):
        model = updating.updated(Shop().pipeline, model, rows)
    assert updating.compared(Shop().pipeline, model, rows, rows) is None
