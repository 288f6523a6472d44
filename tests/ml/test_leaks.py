"""A feature that knows the answer trains nothing, until a person says that it is known in time."""

import pytest

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.errors import LabelLeaks
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.telling import Telling, Tellings
from dropforge.core import leaks
from dropforge.core.twins import MemoryObjects
from dropforge.ml import trigger
from tests.functions.drops import HEADER
from tests.functions.drops import Shop as Drops
from tests.ml.shop import YAML, Shop


def told(state: MemoryObjects, batch: Batch, auc: float, rows: int = 500) -> Batch:
    """A batch in which `pages` tells so much about the label."""
    columns = [Telling(column="pages", auc=auc, feature=True), Telling(column="at", auc=1.0, feature=False)]
    found = Tellings(batch=batch, positives=rows // 2, negatives=rows // 2, columns=columns)
    state.create(places.telling(batch), found.model_dump_json().encode())
    return batch


def batch(batch_id: str) -> Batch:
    """One of the shop's."""
    return Batch(pipeline="shop", table="visits", batch_id=batch_id)


def allowing(text: str) -> Pipeline:
    """The shop's pipeline with a line more."""
    return Shop(text=f"{YAML}{text}").pipeline


def test_a_leak_is_refused_by_name_and_with_what_to_do() -> None:
    """A model that saw it would shine until it serves."""
    state = MemoryObjects()
    with pytest.raises(LabelLeaks, match=r"'pages' \(area under the curve 0\.970\) .*'allowed_leaks'") as refused:
        leaks.refuse(state, allowing(""), [told(state, batch("a"), 0.99), told(state, batch("b"), 0.95)])
    assert refused.value.fields["columns"] == ["pages"]


def test_what_a_person_allows_is_trained_on() -> None:
    """Some honest features are that good."""
    state = MemoryObjects()
    leaks.refuse(state, allowing("allowed_leaks: [pages]\n"), [told(state, batch("a"), 0.99)])


def test_few_rows_or_one_odd_batch_are_no_leak() -> None:
    """Any column tells a few rows apart; and the average over all batches counts."""
    state = MemoryObjects()
    leaks.refuse(state, allowing(""), [told(state, batch("few"), 1.0, rows=20)])
    leaks.refuse(state, allowing(""), [told(state, batch("odd"), 0.99), told(state, batch("usual"), 0.7, rows=5000)])


def test_validation_writes_what_training_reads() -> None:
    """The contract between the two, by the real step: `kind` is 'big' exactly where the amount is above 10."""
    shop = Drops().deploy()
    lines = [f"{n},2013-01-{n % 28 + 1:02},{50 if n % 2 else 5},{'big' if n % 2 else 'small'},a" for n in range(400)]
    verdict = shop.drop(HEADER + "\n".join(lines) + "\n")
    (found,) = leaks.tellings(shop.state, [verdict.batch])
    assert (found.positives, found.negatives) == (200, 200)
    assert [one.column for one in leaks.suspected([found])] == ["kind"]


def test_a_leak_found_in_accepted_batches_stops_the_training() -> None:
    """Before a row is read."""
    shop = Shop()
    landed = shop.land("a.csv")
    told(shop.state, Batch(pipeline="shop", table="visits", batch_id=landed.batch_id), 0.99)
    with pytest.raises(LabelLeaks):
        trigger.on_request("shop", "r", "a test", "it asked", shop.state, shop.topics, shop.clock)
