"""Predictions under load while versions come, go and come back, and model servers are killed: none fails, none mixes.

The two long runs are `heavy`; a slice of each, with fewer changes, is in the default run. `-s` prints what they saw.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dropforge.core import champion, rollback
from dropforge.gcp.services import WallClock
from dropforge.ml import serving
from tests.emulators.launch import Emulator
from tests.functions.predict.conftest import Deployment, Predict
from tests.functions.trained import flights, trained
from tests.waiting import until

ASKED = flights()[:20]
PATIENCE_SECONDS = 900
SEEDS = (1, 2, 3)  # of the models that take turns; version 1 is that of seed 1, and so on


class Moves:
    """Publications and rollbacks of one pipeline, by the code that `publish` and the command line run."""

    def __init__(self, deployment: Deployment, pipeline: str) -> None:
        self._of = deployment
        self._pipeline = pipeline
        self.done: list[str] = []

    def publish(self, seed: int) -> None:
        """Make a model serve, as `publish` does once the judge has let it through."""
        state, vertex, pipeline = self._of.state, self._of.vertex, self._pipeline
        candidate = trained(seed).candidate.model_copy(update={"pipeline": pipeline})
        folder = replace(trained(seed), candidate=candidate).store(state)
        digests = candidate.artefact_sha256, candidate.compiled_sha256
        registered = vertex.register(pipeline, candidate.candidate_id, folder, *digests)
        deployed = vertex.deploy(pipeline, *registered)
        now, generation = champion.current(state, pipeline)
        pointer = self._of.pointer(candidate, deployed, replaced=now.candidate_id if now else None)
        champion.crown(state, pointer, generation)
        champion.follow(state, vertex, pipeline)
        self.done.append(f"published {deployed.version}")

    def back(self) -> None:
        """Roll back to what served before, and end the hold."""
        given = self._of.state, self._of.vertex, WallClock()
        found = rollback.rollback(self._pipeline, "a test", "to see", *given)
        rollback.release(self._pipeline, "a test", "go on", self._of.state, WallClock())
        self.done.append(f"back to {found.version}")


@contextmanager
def traffic(predict: Predict, pipeline: str, folder: Path, connections: int) -> Iterator[dict[str, Any]]:
    """Callers while the block lasts; what came of them stands in the yielded dictionary after it."""
    says = {str(seed): serving.predict(trained(seed).model, ASKED) for seed in SEEDS}
    questions = folder / "questions.json"
    questions.write_text(json.dumps({"instances": ASKED, "says": says}))
    program = Path(__file__).with_name("traffic.py")
    port, path = predict.url.rpartition(":")[2], f"/v1/pipelines/{pipeline}:predict"
    command = [sys.executable, str(program), port, path, str(questions), str(connections)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    found: dict[str, Any] = {}
    try:
        yield found
        found.update(json.loads(process.communicate(timeout=60)[0]))
    finally:
        process.kill()
        process.wait()


def answered(predict: Predict) -> int:
    """How many predictions the function has answered, by its own log."""
    with predict.log.open("rb") as log:
        return sum(b'"status":200' in line for line in log)


def kill_servers(vertex: Emulator) -> int:
    """`kill -9` every model server that runs now."""
    pids = [process["pid"] for process in vertex.control("GET", "/health").json()["processes"]]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return len(pids)


def moving(moves: Moves, rounds: int, between: Callable[[], object]) -> None:
    """Two changes a round: a publication of another model, and back from it."""
    for number in range(rounds):
        moves.publish(SEEDS[1 + number % 2])
        between()
        moves.back()
        between()


def held(found: dict[str, Any], moves: Moves) -> None:
    """No failure, no answer of another version than it names, and every version was seen."""
    print({**found, "moves": len(moves.done)})
    assert (found["failed"], found["wrong"]) == (0, 0), found["examples"]
    assert {"1", "2"} <= set(found["versions"])


@pytest.mark.parametrize(
    ("predictions", "rounds"), [(1_500, 1), pytest.param(100_000, 5, marks=pytest.mark.heavy)], ids=["slice", "whole"]
)
def test_no_prediction_fails_across_deploys_and_rollbacks(
    predict: Predict, deployment: Deployment, tmp_path: Path, predictions: int, rounds: int
) -> None:
    """100,000 predictions across ten changes of what serves: each is answered, by the version that it names."""
    pipeline = f"rolling-{rounds}"
    moves = Moves(deployment, pipeline)
    moves.publish(1)
    began = answered(predict)

    def share_asked() -> None:
        """Wait until this change has had its share of the predictions."""
        wanted = began + predictions * len(moves.done) // (2 * rounds + 1)
        until(lambda: answered(predict) >= wanted, PATIENCE_SECONDS, pause=0.2)

    with traffic(predict, pipeline, tmp_path, 8) as found:
        share_asked()
        moving(moves, rounds, share_asked)
        until(lambda: answered(predict) >= began + predictions, PATIENCE_SECONDS, pause=0.2)
    held(found, moves)
    assert found["answered"] >= predictions


@pytest.mark.parametrize(
    ("seconds", "pause"), [(8, 1), pytest.param(600, 20, marks=pytest.mark.heavy)], ids=["slice", "ten minutes"]
)
def test_no_prediction_fails_while_servers_are_killed_too(
    predict: Predict, deployment: Deployment, vertex_emulator: Emulator, tmp_path: Path, seconds: int, pause: int
) -> None:
    """What was in flight in a killed server is asked again by `predict`, so that no caller sees it."""
    pipeline = f"killed-{seconds}"
    moves = Moves(deployment, pipeline)
    moves.publish(1)
    killed = 0
    stop = threading.Event()
    threading.Timer(seconds, stop.set).start()
    with traffic(predict, pipeline, tmp_path, 8) as found:
        while not stop.is_set() or killed == 0:
            moving(moves, 1, lambda: time.sleep(pause))
            killed += kill_servers(vertex_emulator)
            time.sleep(pause)
    print({"killed": killed})
    held(found, moves)
