"""`materialize` on stores in memory: what it writes is what the model says, once."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from dropforge.contracts import places
from dropforge.contracts.answers import Answers
from dropforge.contracts.errors import PipelineInvalid
from dropforge.contracts.events import ModelPublished
from dropforge.contracts.pipeline import parse
from dropforge.core import compiled, pipelines
from dropforge.core.serving.identity import Identity
from dropforge.core.serving.lookup import Lookup, checked
from functions.materialize import steps
from tests.ml.published import settle, train
from tests.ml.shop import YAML, Shop, visits

HYBRID = YAML.replace("MODE", "dynamic") + "serving: {mode: hybrid, key: [id], days: 5}\n"
LAST = "2024-01-13T11:30:00+00:00"  # of 600 visits, one each half hour


@pytest.fixture(scope="module")
def shop() -> Shop:
    """A shop that serves in hybrid mode, and has published one version."""
    shop = Shop()
    assert settle(shop, train(shop, "a.csv")).status == "published"
    for info in list(shop.state.list(places.batch_verdicts("shop"))):
        content, generation = shop.state.read(info.name)
        shop.state.replace(info.name, content, generation, {**info.metadata, "last_time": LAST})
    pipelines.deploy(shop.state, HYBRID.encode(), "pipeline.yaml")
    return shop


def published(shop: Shop) -> ModelPublished:
    """The event of the version that serves."""
    candidate = next(iter(shop.platform.versions["shop"]))
    return ModelPublished(pipeline="shop", candidate_id=candidate, version="1")


def test_each_row_and_each_key_of_the_newest_days_gets_the_models_answer(shop: Shop, tmp_path: Path) -> None:
    """Bit for bit: whoever asks the table must not be able to tell that it was not the model."""
    event = published(shop)
    steps.on_published(event, shop.state)
    place = places.answers("shop", event.candidate_id, "answers.json")
    said = Answers.read(shop.state.read(place)[0], place)
    file = tmp_path / "lookup"
    content, _ = shop.state.read(places.answers("shop", event.candidate_id, f"{said.sha256}.lookup"))
    file.write_bytes(checked(content, said.sha256))
    lookup = Lookup(file)
    record, _ = shop.state.read(places.candidate("shop", event.candidate_id, "predictor.json"))
    model = compiled.load(record, sha256(record).hexdigest())
    rows = visits(600).to_pylist()
    newest = [row for row in rows if rows[-1]["at"] - row["at"] <= timedelta(days=5)]
    by_key, by_features = Identity("key", said.key), Identity("features", shop.pipeline.signature())
    expected = model.predict([{name: row[name] for name in ("region", "pages", "at")} for row in newest])
    assert len(newest) == 241
    assert [lookup.get(by_key.of(row)) for row in newest] == expected
    assert [lookup.get(by_features.of(row)) for row in newest] == expected
    assert lookup.get(by_key.of(rows[0])) is None


def test_a_repeat_writes_nothing(shop: Shop) -> None:
    """Pub/Sub delivers at least once; a table that changes under its version gives two answers to one question."""
    steps.on_published(published(shop), shop.state)
    before = {info.name: info.generation for info in shop.state.list("answers/")}
    shop.land("later.csv")
    steps.on_published(published(shop), shop.state)
    assert {info.name: info.generation for info in shop.state.list("answers/")} == before
    assert len(before) == 2


def test_dynamic_serving_has_no_table() -> None:
    """It costs nothing where nobody asked for it."""
    shop = Shop()
    steps.on_published(ModelPublished(pipeline="shop", candidate_id="c", version="1"), shop.state)
    assert list(shop.state.list("answers/")) == []


@pytest.mark.parametrize(
    ("serving", "told"),
    [
        ("{mode: static}", "need a 'key'"),
        ("{mode: dynamic, key: [id]}", "has none"),
        ("{mode: hybrid, key: [ip]}", "no column of 'visits'"),
        ("{mode: fast}", "serving.mode"),
        ("{mode: hybrid, key: [id], dayz: 3}", "Did you mean 'days'"),
    ],
)
def test_what_pipeline_yaml_says_of_serving_is_strict(serving: str, told: str) -> None:
    """A typing error must not turn into the default."""
    with pytest.raises(PipelineInvalid, match=told):
        parse(YAML.replace("MODE", "static") + f"serving: {serving}\n")
