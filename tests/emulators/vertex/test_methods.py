"""The table of calls tells the truth."""

import asyncio

import pytest
import requests

from emulators.vertex.absences import REASONS
from emulators.vertex.methods import example, implemented, methods
from emulators.vertex.server import VertexEmulator
from tests.emulators.launch import Emulator

TABLE = methods()


def test_the_table_and_the_handlers_name_the_same_calls() -> None:
    """What is said to be done is done, and what is done is said."""
    emulator = VertexEmulator(None)
    try:
        assert set(emulator.handlers) == set(implemented())
    finally:
        asyncio.run(emulator.close())


def test_every_call_that_is_implemented_is_one_of_the_service() -> None:
    """No call is made up."""
    assert set(implemented()) <= {method.name for method in TABLE}


def test_a_difference_and_an_absence_have_reasons_and_no_reason_is_left_over() -> None:
    """The documentation tells the user what to expect, and why."""
    assert all(method.reason for method in TABLE if method.status != "done")
    assert set(REASONS.values()) == {method.reason for method in TABLE if method.status == "absent"}


@pytest.mark.parametrize("service", sorted({method.rpc.partition(".")[0] for method in TABLE}))
def test_every_absent_call_answers_501_by_name(emulator: Emulator, service: str) -> None:
    """Nobody has to guess what is missing."""
    for method in TABLE:
        if method.status == "absent" and method.rpc.startswith(f"{service}."):
            answer = requests.request(method.verb, emulator.url + example(method.path), json={}, timeout=10)
            assert answer.status_code == 501, method
            assert method.name in answer.json()["error"]["message"]
