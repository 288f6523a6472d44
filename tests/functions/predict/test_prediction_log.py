"""What `predict` hands on of answers and labels: through a real Pub/Sub, from a real process, also a killed one."""

import json
import os
import signal
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dropforge.contracts import logged, places
from dropforge.contracts.events import Event, LabelsGiven, PredictionsLogged, parse
from dropforge.contracts.settings import Settings
from dropforge.gcp.vertex import Inline
from tests.emulators.launch import Emulator
from tests.functions.predict.conftest import Deployment, Predict, running
from tests.functions.trained import trained
from tests.waiting import until

KEY = {"time_hour": "2013-01-01T10:00:00Z", "carrier": "UA", "flight": 1545, "origin": "EWR"}


class Seen[E: Event]:
    """The messages of one topic that have come since the last look, as events."""

    def __init__(self, pubsub: Emulator, kind: type[E]) -> None:
        self._url = f"{pubsub.control_url}/v1/projects/predict-test/subscriptions/{kind.topic}"
        self._kind = kind
        self.events: list[E] = []

    def look(self) -> list[E]:
        """Everything so far, of this object's life."""
        found = self._call("pull", {"maxMessages": 100, "returnImmediately": True}).get("receivedMessages", [])
        if found:
            self._call("acknowledge", {"ackIds": [each["ackId"] for each in found]})
        self.events += [parse(self._kind, b64decode(each["message"]["data"])) for each in found]
        return self.events

    def until(self, enough: Callable[[list[E]], bool], seconds: float = 30) -> list[E]:
        """Everything, once it is enough."""
        until(lambda: enough(self.look()), seconds)
        return self.events

    def _call(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(f"{self._url}:{verb}", json=body, timeout=10)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def heard(pubsub_emulator: Emulator) -> Seen[PredictionsLogged]:
    """The log, without what earlier tests left in it."""
    return emptied(Seen(pubsub_emulator, PredictionsLogged))


@pytest.fixture
def labelled(pubsub_emulator: Emulator) -> Seen[LabelsGiven]:
    """The labels, without what earlier tests left."""
    return emptied(Seen(pubsub_emulator, LabelsGiven))


def emptied[E: Event](seen: Seen[E]) -> Seen[E]:
    """What came late from a test before is waited for, and forgotten."""
    known = -1
    while known != len(seen.look()):  # half a second brought nothing: five times as long as predict gathers
        known = len(seen.events)
        time.sleep(0.5)
    seen.events.clear()
    return seen


def rules(deployment: Deployment, pipeline: str, said: str) -> None:
    """Deploy a pipeline with a `logging` section, and publish a model for it."""
    text = deployment.state.read(places.pipeline_yaml("flights"))[0] + f"\nlogging: {said}\n".encode()
    deployment.state.create(places.pipeline_yaml(pipeline), text)
    platform = Inline.connect(Settings.read(deployment.variables), deployment.state)
    deployment.publish(trained(), pipeline, platform)


@pytest.fixture
def killable(deployment: Deployment, dist: Path, tmp_path: Path) -> Iterator[Predict]:
    """A process of one's own."""
    with running(dist, tmp_path / "log", {**deployment.variables, "DROPFORGE_PREDICT_BACKEND": "inline"}) as function:
        yield function


def test_each_answer_is_logged_with_its_id_version_and_instance(
    inline: Predict, heard: Seen[PredictionsLogged]
) -> None:
    """What a later label is held against is what the caller was told."""
    asked = trained().instances[:3]
    told = inline.ask({"instances": asked}).json()["predictions"]
    (event,) = heard.until(bool)
    assert [row.id for row in event.rows] == [each["id"] for each in told]
    assert [row.answer["probability"] for row in event.rows] == [each["probability"] for each in told]
    assert [row.instance for row in event.rows] == asked
    assert {(row.version, row.candidate_id, row.key) for row in event.rows} == {
        (told[0]["version"], "candidate1", None)
    }


def test_many_requests_become_few_messages(inline: Predict, heard: Seen[PredictionsLogged]) -> None:
    """A message for each request would cost more than the prediction."""
    for instance in trained().instances[:40]:
        inline.ask({"instances": [instance]})
    events = heard.until(lambda found: sum(len(event.rows) for event in found) == 40)
    assert len(events) < 40


def test_a_key_names_the_row_in_every_way_of_writing_it(
    inline: Predict, heard: Seen[PredictionsLogged], labelled: Seen[LabelsGiven]
) -> None:
    """A label knows the key as the source of the rows writes it."""
    answer = inline.ask({"instances": trained().instances[:1], "parameters": {"keys": [KEY]}}).json()
    other = {**KEY, "flight": 1545.0, "time_hour": "2013-01-01T11:00:00+01:00"}
    url = f"{inline.url}/v1/pipelines/flights:label"
    assert requests.post(url, json={"labels": [{"key": other, "label": True}]}, timeout=20).json() == {"labels": 1}
    (row,) = heard.until(bool)[0].rows
    (label,) = labelled.until(bool)[0].rows
    assert row.key == label.key
    assert logged.partition_of_id(answer["predictions"][0]["id"]) == logged.partition_of_key(str(row.key))


def test_masked_columns_and_requests_out_of_the_sample_never_leave(
    deployment: Deployment, inline: Predict, heard: Seen[PredictionsLogged]
) -> None:
    """What is personal is not kept, and what is not wanted costs nothing."""
    rules(deployment, "masked", "{masked: [carrier, dest]}")
    rules(deployment, "unlogged", "{share: 0}")
    instance = trained().instances[0]
    assert inline.ask({"instances": [instance]}, "unlogged").ok
    assert inline.ask({"instances": [instance]}, "masked").ok
    (event,) = heard.until(bool)
    assert event.pipeline == "masked"
    assert event.rows[0].instance == {**instance, "carrier": None, "dest": None}


def test_with_loss_none_an_answer_that_was_given_is_logged_though_the_process_is_killed(
    deployment: Deployment, killable: Predict, heard: Seen[PredictionsLogged]
) -> None:
    """Killed at once after the answer: what was answered is in Pub/Sub."""
    rules(deployment, "lossless", "{loss: none}")
    told = killable.ask({"instances": trained().instances[:1]}, "lossless").json()
    os.kill(killable.pid, signal.SIGKILL)
    (event,) = heard.until(bool)
    assert event.rows[0].id == told["predictions"][0]["id"]


def test_with_loss_bounded_a_killed_process_loses_no_more_than_its_last_moment(
    killable: Predict, heard: Seen[PredictionsLogged]
) -> None:
    """What was answered before the last chunk went out is there; nothing is there twice."""
    ids = [answer(killable) for _ in range(30)]
    heard.until(lambda found: ids[-1] in of(found))
    late = [answer(killable) for _ in range(5)]
    os.kill(killable.pid, signal.SIGKILL)
    time.sleep(0.5)
    found = of(heard.look())
    assert found[: len(ids)] == ids
    assert len(found) == len(set(found))
    assert set(found) <= {*ids, *late}


def test_a_process_that_is_asked_to_end_publishes_first(killable: Predict, heard: Seen[PredictionsLogged]) -> None:
    """Cloud Run ends instances all the time, and says so ten seconds before."""
    last = answer(killable)
    os.kill(killable.pid, signal.SIGTERM)
    assert of(heard.until(bool)) == [last]


def test_while_pubsub_takes_nothing_answers_go_on_and_their_log_follows(
    inline: Predict, pubsub_emulator: Emulator, heard: Seen[PredictionsLogged]
) -> None:
    """The log must not be what a prediction fails of."""
    with pubsub_emulator.fault("google.pubsub.v1.Publisher.Publish", "error", status=503, times=3):
        last = answer(inline)
        heard.until(lambda found: last in of(found))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Expected a body"),
        ({"labels": []}, "Expected a body"),
        ({"labels": [{"id": "x", "label": True}]}, "Label 0: expected the 'id' of a prediction"),
        (
            {"labels": [{"key": {"a": 1}, "label": "yes"}]},
            "Label 0: expected 'label' to be true or false. Found 'yes'.",
        ),
        ({"labels": [{"label": True}]}, "Label 0: expected an object with 'label' and one of 'id' and 'key'."),
        ({"labels": [{"key": {}, "label": True}]}, "Label 0: expected 'key' as an object"),
    ],
)
def test_a_label_that_breaks_the_form_is_refused_with_where_and_what(
    inline: Predict, given: dict[str, Any], said: str
) -> None:
    """All or none is taken, so that a caller can mend the request and send it whole."""
    answer = requests.post(f"{inline.url}/v1/pipelines/flights:label", data=json.dumps(given), timeout=20)
    assert (answer.status_code, said in answer.json()["detail"]) == (400, True), answer.text


def answer(function: Predict) -> str:
    """Ask for one prediction; returns its id."""
    found: str = function.ask({"instances": trained().instances[:1]}).json()["predictions"][0]["id"]
    return found


def of(events: list[PredictionsLogged]) -> list[str]:
    """The ids that were logged, in their order."""
    return [row.id for event in events for row in event.rows]
