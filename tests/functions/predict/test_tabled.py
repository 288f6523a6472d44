"""Static and hybrid answers over HTTP: real bundle, real lookup files, and the same doubles as the model's."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dropforge.contracts import places
from dropforge.contracts.answers import Answers
from dropforge.contracts.models import Champion
from dropforge.contracts.served import ServedField
from dropforge.contracts.settings import Settings
from dropforge.core.serving import lookup
from dropforge.core.serving.identity import Identity
from dropforge.gcp.vertex import Inline
from dropforge.ml import serving
from functions.predict.answering.recent import Recent
from tests.functions.predict.conftest import Deployment, Predict, running
from tests.functions.trained import FLIGHTS, Trained, flights, trained

KEY = [ServedField("flight", "integer", required=True)]
MODEL = trained()
HEAD, TAIL = flights()[:20], flights()[20:40]


@pytest.fixture(scope="module")
def function(deployment: Deployment, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Predict]:
    """`predict`, which answers by itself where no table does."""
    variables = {**deployment.variables, "DROPFORGE_PREDICT_BACKEND": "inline"}
    with running(dist, tmp_path_factory.mktemp("tabled") / "log", variables) as function:
        yield function


def publish(deployment: Deployment, pipeline: str, model: Trained = MODEL) -> Champion:
    """Make a model serve inline."""
    settings = Settings.read({**deployment.variables, "DROPFORGE_PREDICT_BACKEND": "inline"})
    return deployment.publish(model, pipeline, Inline.connect(settings, deployment.state))


def table(deployment: Deployment, pipeline: str, mode: str, model: Trained = MODEL, add: float = 0.0) -> None:
    """What `materialize` writes: answers to the head, by features and by flight number. `add` marks them."""
    by_features, by_key = Identity("features", model.candidate.signature), Identity("key", KEY)
    entries = {}
    for number, (row, probability) in enumerate(zip(HEAD, serving.predict(model.model, HEAD), strict=True)):
        entries[by_features.of(row)] = entries[by_key.of({"flight": number})] = probability + add
    content, digest = lookup.dump(entries)
    candidate = model.candidate.candidate_id
    said = Answers(pipeline, candidate, mode, KEY, digest, len(HEAD), len(entries))
    deployment.state.create(places.answers(pipeline, candidate, f"{digest}.lookup"), content)
    deployment.state.create(places.answers(pipeline, candidate, "answers.json"), said.dump())


def told(function: Predict, pipeline: str, rows: list[Any], **parameters: Any) -> list[Any]:
    """The probability of each row, or its error."""
    answer = function.ask({"instances": rows, "parameters": parameters}, pipeline)
    assert answer.status_code == 200, answer.text
    return [found.get("probability", found.get("error")) for found in answer.json()["predictions"]]


def test_static_dynamic_and_hybrid_give_the_same_doubles(function: Predict, deployment: Deployment) -> None:
    """However they are asked: by features, in another notation of them, by key, again from the cache, or mixed."""
    for mode in ("dynamic", "static", "hybrid"):
        publish(deployment, f"mode-{mode}")
        if mode != "dynamic":
            table(deployment, f"mode-{mode}", mode)
    expected = trained().probabilities
    otherwise = [
        {**row, "distance": float(row["distance"]), "time_hour": row["time_hour"].replace("Z", "+00:00")}
        for row in HEAD
    ]
    for mode in ("dynamic", "static", "hybrid"):
        assert told(function, f"mode-{mode}", HEAD) == expected[:20]
        assert told(function, f"mode-{mode}", otherwise) == expected[:20]
    for mode in ("static", "hybrid"):
        assert told(function, f"mode-{mode}", [{"flight": number} for number in range(20)], by="key") == expected[:20]
    for mode in ("dynamic", "hybrid", "hybrid"):
        assert told(function, f"mode-{mode}", [*TAIL, *HEAD]) == expected[20:40] + expected[:20]


def test_answers_come_from_the_table_and_only_the_tail_from_the_model(
    function: Predict, deployment: Deployment
) -> None:
    """Marked answers show where each came from; without this the test above could pass with no table at all."""
    publish(deployment, "marked")
    table(deployment, "marked", "hybrid", add=1e-9)
    expected = trained().probabilities
    assert told(function, "marked", HEAD + TAIL) == [each + 1e-9 for each in expected[:20]] + expected[20:40]


def test_a_static_pipeline_refuses_what_is_not_in_its_table(function: Predict, deployment: Deployment) -> None:
    """Static means that no model runs; the caller hears which instance has no answer."""
    publish(deployment, "strict")
    table(deployment, "strict", "static")
    answer = function.ask({"instances": [HEAD[0], TAIL[0]]}, "strict")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/instances/1")
    first, second = told(function, "strict", [HEAD[0], TAIL[0]], partial=True)
    assert first == trained().probabilities[0]
    assert second[0]["found"] == "one that is not in the table"


@pytest.mark.parametrize("key", [{"flight": 99}, {"flight": "x"}, {"fligth": 1}, {}])
def test_an_unknown_key_is_told(function: Predict, deployment: Deployment, key: dict[str, Any]) -> None:
    """A hybrid pipeline has no features to ask the model with."""
    if not list(deployment.state.list("champions/keyed.json")):
        publish(deployment, "keyed")
        table(deployment, "keyed", "hybrid")
    answer = function.ask({"instances": [key], "parameters": {"by": "key"}}, "keyed")
    assert (answer.status_code, answer.json()["errors"][0]["instance"]) == (400, 0)


def test_a_key_where_there_is_no_table_is_to_be_asked_again(function: Predict, deployment: Deployment) -> None:
    """The table comes some seconds after its version; features are answered at once."""
    said = FLIGHTS.read_bytes() + b"\nserving: {mode: hybrid, key: [flight]}\n"
    deployment.state.create(places.pipeline_yaml("untabled"), said)
    publish(deployment, "untabled")
    answer = function.ask({"instances": [{"flight": 1}], "parameters": {"by": "key"}}, "untabled")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_a_key_where_there_never_will_be_a_table_is_refused(function: Predict) -> None:
    """A dynamic pipeline makes none: to ask again would be in vain."""
    answer = function.ask({"instances": [{"flight": 1}], "parameters": {"by": "key"}})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/parameters/by")
    assert "the serving mode of 'flights' is 'dynamic'" in answer.json()["detail"]


def test_a_new_version_never_gets_an_old_answer(function: Predict, deployment: Deployment) -> None:
    """Through a change of version, with tables and cache filled, each answer is that of the version it names."""
    publish(deployment, "moving")
    table(deployment, "moving", "hybrid")
    asked, other = HEAD + TAIL, trained(2)
    says = {"1": trained().probabilities[:40], "2": serving.predict(other.model, asked)}
    told(function, "moving", asked)
    table(deployment, "moving", "hybrid", other)
    publish(deployment, "moving", other)
    seen: set[str] = set()
    until = time.monotonic() + 20
    while "2" not in seen and time.monotonic() < until:
        body = function.ask({"instances": asked}, "moving").json()
        version = body["modelVersionId"]
        seen.add(version)
        assert {found["version"] for found in body["predictions"]} == {version}
        assert [found["probability"] for found in body["predictions"]] == says[version]
        time.sleep(0.05)
    assert seen == {"1", "2"}


def test_under_load_no_answer_is_of_another_version_than_it_names(function: Predict, deployment: Deployment) -> None:
    """Four callers never stop while versions come and go: no table and no cache may mix two of them."""
    asked, models = HEAD + TAIL, {"odd": MODEL, "even": trained(2)}
    says = {name: serving.predict(model.model, asked) for name, model in models.items()}
    for model in models.values():
        table(deployment, "busy", "hybrid", model)
    publish(deployment, "busy", models["odd"])
    stop = threading.Event()

    def ask() -> set[str]:
        seen = set()
        while not stop.is_set():
            body = function.ask({"instances": asked}, "busy").json()
            seen.add(body["modelVersionId"])
            name = "odd" if int(body["modelVersionId"]) % 2 else "even"
            assert [found["probability"] for found in body["predictions"]] == says[name]
        return seen

    with ThreadPoolExecutor(4) as pool:
        callers = [pool.submit(ask) for _ in range(4)]
        try:
            for version in ("2", "1"):
                publish(deployment, "busy", models["odd" if int(version) % 2 else "even"])
                until = time.monotonic() + 60
                while function.ask({"instances": asked[:1]}, "busy").json()["modelVersionId"] != version:
                    assert time.monotonic() < until
        finally:
            stop.set()
        assert all(caller.result() == {"1", "2"} for caller in callers)


def test_a_bounded_cache_keeps_what_is_asked_for() -> None:
    """And no more than its bound, however long it runs."""
    recent: Recent[int, str] = Recent(10)
    recent.set(0, "popular")
    for number in range(1, 1000):
        recent.set(number, "once")
        assert recent.get(0) == "popular"
        assert len(recent) <= 10
    assert recent.get(1) is None
