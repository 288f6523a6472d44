"""Tests that run on the emulators and, when asked to, on the real Google Cloud as well.

    CLOUD_TEST_PROJECT=my-project python -m pytest -m cloud tests/emulators

with Application Default Credentials, and CLOUD_TEST_LOCATION (us-central1 by default). Vertex AI also wants
CLOUD_TEST_IMAGE: a serving image that it may pull. What tests make there they delete. Without the project they skip.

A module takes part by `ALSO_IN_THE_CLOUD = True`; its tests then get the fixture that their folder's conftest names
from each of both. Of Cloud Storage and Pub/Sub every test takes part that needs nothing which only an emulator has.
"""

import os

import pytest

PROJECT = os.environ.get("CLOUD_TEST_PROJECT", "")
LOCATION = os.environ.get("CLOUD_TEST_LOCATION", "us-central1")
EMULATOR, CLOUD = "emulator", "cloud"


def also_in_the_cloud(metafunc: pytest.Metafunc, fixture: str) -> None:
    """Give a module's tests the fixture twice, if the module takes part."""
    if fixture in metafunc.fixturenames and getattr(metafunc.module, "ALSO_IN_THE_CLOUD", False):
        both = [EMULATOR, pytest.param(CLOUD, marks=pytest.mark.cloud)]
        metafunc.parametrize(fixture, both, indirect=True)


def is_cloud(request: pytest.FixtureRequest) -> bool:
    """Whether the real service is asked for; skips where there is no project to ask it for."""
    wanted = getattr(request, "param", EMULATOR) == CLOUD
    if wanted:
        project()
    return wanted


def project() -> str:
    """The project; skips where none is named."""
    if not PROJECT:
        pytest.skip("CLOUD_TEST_PROJECT names no project")
    return PROJECT


def setting(name: str) -> str:
    """A further setting that the real service needs; skips where it is missing."""
    value = os.environ.get(name, "")
    if not value:
        pytest.skip(f"{name} is not set")
    return value
