"""The events' shapes, from pushes kept as files: beside each `*.push.json` lies the event that it must become."""

import json
from pathlib import Path

import pytest
from cloudevents.http import from_http

from emulators.router.cloudevents import Push, finalized, published

CORPUS = Path(__file__).with_name("corpus")


@pytest.mark.parametrize("name", sorted(path.name.removesuffix(".push.json") for path in CORPUS.glob("*.push.json")))
def test_push_becomes_the_event_that_eventarc_sends(name: str) -> None:
    """Read back with the CloudEvents SDK, as functions-framework does."""
    push = Push.parse((CORPUS / f"{name}.push.json").read_bytes())
    event = finalized(push) if name.startswith("storage") else published(push, "projects/sample/topics/jobs")
    read = from_http(event.headers, event.body)
    assert {**read.get_attributes(), "data": read.get_data()} == json.loads((CORPUS / f"{name}.event.json").read_text())


@pytest.mark.parametrize("body", [b"", b"[]", b'{"message": null}', b'{"message": {}, "subscription": "s"}'])
def test_what_is_no_push_is_refused(body: bytes) -> None:
    """The message says what a push looks like."""
    with pytest.raises(ValueError, match="Expected a wrapped Pub/Sub push"):
        Push.parse(body)


@pytest.mark.parametrize("data", ["bm8ganNvbg==", "?", "WzFd"])
def test_message_that_is_no_notification_is_refused(data: str) -> None:
    """Somebody may publish to the transport topic by hand."""
    message = {"messageId": "1", "data": data, "attributes": {"bucketId": "b", "objectId": "o"}}
    push = Push.parse(json.dumps({"message": message, "subscription": "s"}).encode())
    with pytest.raises(ValueError, match="Expected a notification in the format JSON_API_V1"):
        finalized(push)
