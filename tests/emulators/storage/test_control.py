"""The control plane of this emulator: seed, reset, faults."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from google.api_core.exceptions import ServiceUnavailable, TooManyRequests
from google.cloud import storage

from tests.emulators.launch import Emulator
from tests.emulators.storage.conftest import Connect

Fault = Callable[..., AbstractContextManager[None]]


def test_a_seed_makes_buckets_and_objects_and_a_reset_forgets_them(log: Path, connect: Connect) -> None:
    """One call sets the stage of a test, another clears it."""
    with Emulator("storage", log) as own:
        objects = [
            {"bucket": "seeded", "name": "a", "text": "hello", "metadata": {"k": "v"}},
            {"bucket": "seeded", "name": "b", "base64": "AAE="},
        ]
        seed = {"buckets": ["seeded", {"name": "another", "labels": {"a": "b"}}], "objects": objects}
        assert own.control("POST", "/seed", seed).status_code == 200
        client = connect(own)
        found = {blob.name: blob.download_as_bytes() for blob in client.list_blobs("seeded")}
        assert found == {"a": b"hello", "b": b"\x00\x01"}
        assert own.control("GET", "/health").json()["objects"] == 2
        own.control("POST", "/reset")
        assert list(client.list_buckets()) == []


def test_a_seed_that_cannot_be_read_is_refused(emulator: Emulator) -> None:
    """With what was expected."""
    answer = emulator.control("POST", "/seed", {"bucket": ["x"]})
    assert (answer.status_code, "buckets" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize(("status", "error"), [(503, ServiceUnavailable), (429, TooManyRequests)])
def test_an_ordered_error_is_given_once(
    bucket: storage.Bucket, fault: Fault, status: int, error: type[Exception]
) -> None:
    """Without retries the caller sees it; the next call is well."""
    with fault("storage.objects.list", "error", status=status):
        with pytest.raises(error):
            list(bucket.list_blobs(retry=None))
        assert list(bucket.list_blobs(retry=None)) == []


def test_the_client_retries_what_it_may(bucket: storage.Bucket, fault: Fault) -> None:
    """Two errors in a row on a conditional write, which is safe to repeat."""
    with fault("storage.objects.insert", "error", times=2):
        bucket.blob("object").upload_from_string("x", if_generation_match=0)
    assert bucket.blob("object").exists()


def test_a_lost_answer_shows_as_a_failed_precondition(bucket: storage.Bucket, fault: Fault) -> None:
    """The write was done, the answer lost; the client's own retry meets its first attempt. Callers must expect this."""
    with fault("storage.objects.insert", "lose_answer"), pytest.raises(Exception, match="412"):
        bucket.blob("object").upload_from_string("mine", if_generation_match=0)
    assert bucket.blob("object").download_as_text() == "mine"


def test_a_delayed_call_holds_up_no_other(bucket: storage.Bucket, fault: Fault) -> None:
    """While one waits, another passes."""
    bucket.blob("object").upload_from_string("x")
    ended: list[str] = []

    def listing() -> None:
        list(bucket.list_blobs())
        ended.append("listing")

    with fault("storage.objects.list", "delay", delay_seconds=1.0):
        waiting = threading.Thread(target=listing)
        waiting.start()
        time.sleep(0.2)
        bucket.blob("object").download_as_bytes()
        ended.append("download")
        waiting.join()
    assert ended == ["download", "listing"]


@pytest.mark.parametrize("action", ["drop", "double", "reorder"])
def test_a_fault_without_meaning_is_refused(emulator: Emulator, action: str) -> None:
    """Consumed without effect, it would make a test pass that proves nothing."""
    answer = emulator.control("POST", "/faults", {"operation": "storage.objects.insert", "action": action})
    assert (answer.status_code, "storage.notifications.publish" in answer.json()["error"]) == (400, True)
