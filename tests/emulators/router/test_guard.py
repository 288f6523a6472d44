"""ID tokens: whoever has none, a wrong one, or one for somebody else, gets what Cloud Run would answer."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from emulators.launch import StartFailed
from tests.emulators.router.bench import PROJECT, Bench
from tests.emulators.router.conftest import Cloud
from tests.waiting import until


@pytest.fixture(scope="module")
def guarded(cloud: Cloud) -> Iterator[Bench]:
    """A router that checks tokens, on real emulators."""
    variables = {**cloud.variables, "PUBSUB_EMULATOR_CONTROL": f"{cloud.pubsub_control}/_emulator"}
    with Bench(cloud.dist, cloud.repo, cloud.folder, DROPFORGE_AUTH="on", **variables) as running:
        yield running


def call(router: Bench, path: str, token: str | None = None) -> httpx.Response:
    """One call of an HTTP function."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{router.url}{path}", headers=headers, timeout=30)


def token(router: Bench, **asked: str) -> str:
    """A token from the router's own issuer, as a person gets it by curl."""
    return httpx.get(f"{router.url}/_emulator/token", params=asked).raise_for_status().text


def test_pushes_with_pubsubs_own_tokens_are_let_in(cloud: Cloud, guarded: Bench) -> None:
    """The Pub/Sub emulator signs as the service account of the function's role; the router reads its keys."""
    message = cloud.publish("jobs", "ok")
    until(lambda: bool(guarded.seen(message)))


def test_pushes_of_others_are_not(guarded: Bench) -> None:
    """A forged event would otherwise be as good as a real one."""
    message, status = guarded.push("work", "jobs", "ok")
    assert (status, guarded.seen(message)) == (403, [])
    endpoint = f"{guarded.url}/_push/work"
    stranger = token(guarded, email="mallory@example.com", audience=endpoint)
    elsewhere = token(guarded, email=f"sample@{PROJECT}.iam.gserviceaccount.com", audience=f"{guarded.url}/_push/pair")
    for shown, expected in ((stranger, 403), (elsewhere, 401)):
        answer = httpx.post(endpoint, json={}, headers={"Authorization": f"Bearer {shown}"})
        assert answer.status_code == expected


def test_private_function_wants_a_token(guarded: Bench) -> None:
    """None: 403. Of its own issuer, for this service: in; and the function cannot pass the token on."""
    assert call(guarded, "/slow/?seconds=0").status_code == 403
    assert call(guarded, "/slow/?seconds=0", token(guarded)).status_code == 200
    assert call(guarded, "/slow/?seconds=0", token(guarded, audience=f"{guarded.url}/slow/")).status_code == 200


@pytest.mark.parametrize("kept", [slice(0, 0), slice(1, None), slice(0, -6)], ids=["none", "no head", "no tail"])
def test_token_that_does_not_hold_is_a_401(guarded: Bench, kept: slice) -> None:
    """With the header that tells a client why."""
    answer = call(guarded, "/slow/?seconds=0", f"{token(guarded)[kept]}AAAAAA")
    assert (answer.status_code, "invalid_token" in answer.headers["www-authenticate"]) == (401, True)


def test_token_for_another_service_is_a_401(guarded: Bench) -> None:
    """Else a service that is called could call others in the caller's name."""
    assert call(guarded, "/slow/?seconds=0", token(guarded, audience="https://example.com")).status_code == 401


def test_public_function_wants_none(guarded: Bench) -> None:
    """What `invoker: public` says."""
    assert call(guarded, "/v1/").status_code == 200


def test_without_the_switch_everybody_is_let_in(bench: Bench) -> None:
    """The default of a laptop; and the issuer says that nobody needs it."""
    assert call(bench, "/slow/?seconds=0").status_code == 200
    assert httpx.get(f"{bench.url}/_emulator/token").status_code == 409


def test_switch_is_on_or_off(dist: Path, sample_repo: Path, tmp_path: Path) -> None:
    """`yes` would otherwise silently be no."""
    with pytest.raises(StartFailed, match=r"Expected DROPFORGE_AUTH to be 'on' or 'off'. Found 'yes'\."):
        Bench(dist, sample_repo, tmp_path, DROPFORGE_AUTH="yes").__enter__()
