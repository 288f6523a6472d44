"""HTTP functions behind the router: the function sees what was asked, the caller what was answered."""

import os
from pathlib import Path

import httpx
import pytest

from tests.emulators.router.bench import Bench


def test_request_passes_whole(bench: Bench) -> None:
    """Method, path, query, headers and body, nothing rewritten."""
    answer = httpx.put(f"{bench.url}/v1/pipelines/a:predict?x=1&y=%2F", headers={"X-Asked": "yes"}, content="body")
    told = answer.json()
    assert (told["method"], told["path"], told["query"]) == ("PUT", "/v1/pipelines/a:predict", "x=1&y=%2F")
    assert (told["header"], told["body"]) == ("yes", "body")


def test_shared_code_is_the_bundles_copy(bench: Bench, dist: Path) -> None:
    """The router runs what would be deployed, never the source tree."""
    assert httpx.get(f"{bench.url}/v1/").json()["dropforge"] == str(dist / "web" / "dropforge" / "__init__.py")


@pytest.mark.parametrize("streamed", [False, True], ids=["content-length", "chunked"])
def test_bodies_pass_as_streams(bench: Bench, streamed: bool) -> None:
    """Ten megabytes up and down, with a length and without."""
    body = os.urandom(10_000_000)
    pieces = (body[start : start + 100_000] for start in range(0, len(body), 100_000))
    answer = httpx.post(f"{bench.url}/v1/bytes", content=pieces if streamed else body, timeout=30)
    assert answer.status_code == 201
    assert answer.headers["x-length"] == str(len(body))
    assert answer.content == body


def test_head_has_no_body_and_the_next_request_works(bench: Bench) -> None:
    """A response to HEAD announces a length that never comes."""
    with httpx.Client(base_url=bench.url) as client:
        assert client.head("/v1/").content == b""
        assert client.get("/v1/").status_code == 200


def test_connections_to_the_instance_are_kept(bench: Bench) -> None:
    """Many requests, one after the other, need no new instance and no error."""
    with httpx.Client(base_url=bench.url) as client:
        assert {client.post("/v1/x", content=str(n)).json()["body"] for n in range(50)} == {str(n) for n in range(50)}
    assert bench.function("web")["failures"] == 0


def test_path_of_no_function_is_404(bench: Bench) -> None:
    """Only what the flow declares is reachable."""
    assert httpx.get(f"{bench.url}/elsewhere/").status_code == 404


def test_push_that_is_none_of_the_functions_subscriptions_is_refused(bench: Bench) -> None:
    """The message says which were expected."""
    body = {"message": {"messageId": "1", "data": ""}, "subscription": "projects/p/subscriptions/other"}
    answer = httpx.post(f"{bench.url}/_push/work", json=body)
    assert answer.status_code == 400
    assert "eventarc-work-jobs-sub" in answer.text
