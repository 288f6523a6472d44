"""The table of methods tells the truth."""

import pytest
import requests

from emulators.storage.methods import METHODS, XML_METHODS, Method
from emulators.storage.routing import HANDLERS, route
from tests.emulators.launch import Emulator

HERE = [method for method in METHODS if method.status != "absent"]
ABSENT = [method for method in METHODS if method.status == "absent"]


def concrete(method: Method) -> str:
    """The method's path with some value for each placeholder."""
    return "/".join("some%2Fvalue" if part.startswith("{") else part for part in method.path.split("/"))


@pytest.mark.parametrize("method", HERE, ids=lambda method: method.name)
def test_what_is_here_has_a_route_of_its_own(method: Method) -> None:
    """Its path leads to it and not to a method of similar form; names are decoded after the path is split."""
    name, values, handler = route(method.verb, concrete(method))
    assert (name, handler) == (method.name, HANDLERS[method.name])
    assert set(values.values()) <= {"some/value"}


def test_whoever_differs_says_why() -> None:
    """And every handler is in the table, once."""
    assert [method.name for method in METHODS if method.status != "done" and not method.reason] == []
    assert sorted(HANDLERS) == sorted(method.name for method in HERE)


@pytest.mark.parametrize("method", ABSENT, ids=lambda method: method.name)
def test_what_is_absent_says_so_by_name(emulator: Emulator, method: Method) -> None:
    """501 with name and reason, where 404 would look like an object that is not there."""
    answer = requests.request(method.verb, f"{emulator.url}/storage/v1/{concrete(method)}", timeout=10)
    assert answer.status_code == 501
    assert method.name in answer.json()["error"]["message"]
    assert method.reason in answer.json()["error"]["message"]


EXISTING = [method for method in XML_METHODS if method.name not in ("storage.buckets.list", "storage.buckets.insert")]


@pytest.mark.parametrize("method", EXISTING, ids=lambda method: f"{method.verb} {method.name}")
def test_the_xml_methods_answer_in_xml(emulator: Emulator, method: Method) -> None:
    """Each is known, and says that there is no such bucket or upload rather than that there is no such method."""
    path = method.path.format(bucket="no-such-bucket-here", object="some%2Fvalue", number=1, upload="none")
    headers = {"x-goog-resumable": "start"}
    answer = requests.request(method.verb, f"{emulator.url}/{path}", headers=headers, timeout=10)
    assert answer.status_code == 404
    assert method.verb == "HEAD" or answer.text.startswith("<?xml")


def test_an_xml_request_that_is_absent_says_so(emulator: Emulator) -> None:
    """A bucket's settings are for the JSON API."""
    answer = requests.get(f"{emulator.url}/some-bucket?lifecycle", timeout=10)
    assert (answer.status_code, "NotImplemented" in answer.text) == (501, True)
