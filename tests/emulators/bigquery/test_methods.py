"""The table of calls tells the truth about the adopted emulator."""

import requests

from emulators.bigquery.methods import ABSENT, DIFFERS, Methods, statuses
from emulators.bigquery.server import DISCOVERY
from tests.emulators.launch import Emulator


def test_every_call_of_the_service_is_in_the_table(emulator: Emulator) -> None:
    """By the discovery document that the adopted emulator carries."""
    methods = Methods.of(requests.get(emulator.url + DISCOVERY, timeout=10).json())
    assert {name for _, _, name in methods.table} == statuses().keys()


def test_what_is_called_absent_has_no_route_and_all_else_has_one(emulator: Emulator) -> None:
    """A new release of local-bigquery shows here what it has learned."""
    methods = Methods.of(requests.get(emulator.url + DISCOVERY, timeout=10).json())
    paths = requests.get(f"{emulator.url}/openapi.json", timeout=10).json()["paths"]
    routes = {(verb.upper(), path) for path, verbs in paths.items() for verb in verbs}
    served = {
        name
        for method, pattern, name in methods.table
        for verb, path in routes
        if verb == method and pattern.fullmatch(path)
    }
    assert {name for name in statuses() if name.removeprefix("bigquery.") not in ABSENT} == served


def test_an_absent_call_answers_501_by_name(emulator: Emulator) -> None:
    """Nobody has to guess what is missing."""
    answer = requests.post(f"{emulator.url}/bigquery/v2/projects/test-project/datasets/d:undelete", json={}, timeout=10)
    assert (answer.status_code, "bigquery.datasets.undelete" in answer.text) == (501, True)


def test_whatever_differs_says_how() -> None:
    """`test_known_gaps` holds each difference of behaviour, and fails once it is gone."""
    assert all([*DIFFERS.values(), *ABSENT.values()])
