"""The edge of every event function: from a CloudEvent to a step's inputs, and from a step's errors to a delivery's end.

@functions_framework.cloud_event
def validate(event: CloudEvent) -> None:
    with delivery("validate", event) as services:
        validate_batch(message(event, BatchStaged).batch, services.state, services.warehouse, services.topics)
"""

import binascii
import logging
import re
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

from dropforge.contracts.batch import Source
from dropforge.contracts.errors import EventInvalid, Permanent, Transient
from dropforge.contracts.events import AlertRaised, Event, FileMissed, parse
from dropforge.contracts.settings import Settings
from dropforge.gcp import logs, tracing
from dropforge.gcp.services import Services

STORAGE = "google.cloud.storage.object.v1.finalized"
PUBSUB = "google.cloud.pubsub.topic.v1.messagePublished"

log = logs.logger("edge")


class CloudEvent(Protocol):
    """What is used of `cloudevents.http.CloudEvent`."""

    @property
    def data(self) -> Any:
        """The payload."""

    def get(self, key: str, default: Any = None) -> Any:
        """An attribute, such as `id` or `type`."""


@cache
def services() -> Services:
    """The services of this process."""
    return Services(Settings.read())


def source(event: CloudEvent) -> Source:
    """The object generation to take in: of a Cloud Storage event, or of the message that makes up for a lost one.

    Raises:
        EventInvalid: it is neither.
    """
    return message(event, FileMissed).source if event.get("type") == PUBSUB else storage_source(event)


def happened(event: CloudEvent) -> datetime:
    """When the event came to be, with a time zone; a repeated delivery has the time of the first.

    Raises:
        EventInvalid: it does not say.
    """
    try:
        said = datetime.fromisoformat(str(event.get("time")))
    except ValueError as error:
        raise EventInvalid(f"Expected the event's time: {error}.", event=event.get("id")) from error
    return said if said.tzinfo else said.replace(tzinfo=UTC)


def storage_source(event: CloudEvent) -> Source:
    """The object generation that a Cloud Storage event is about. In the event, the generation is a string.

    Raises:
        EventInvalid: it is another kind of event, or lacks what such an event has.
    """
    data = _data(event, STORAGE)
    bucket, name, generation = (data.get(key) for key in ("bucket", "name", "generation"))
    if not (bucket and name and isinstance(generation, str) and generation.isdecimal()):
        raise EventInvalid(
            f"Expected bucket, name and a generation in digits. Found {bucket!r}, {name!r} and {generation!r}.",
            event=event.get("id"),
        )
    return Source(bucket=bucket, name=name, generation=int(generation))


def message[E: Event](event: CloudEvent, kind: type[E]) -> E:
    """The event of `kind` that a Pub/Sub message carries.

    Raises:
        EventInvalid: it is another kind of event or message, or cannot be read.
    """
    body = _data(event, PUBSUB).get("message")
    if not isinstance(body, Mapping):
        raise EventInvalid(f"Expected a 'message' with data. Found {body!r}.", event=event.get("id"))
    schema = _attributes(event).get("schema", kind.schema_name)
    if schema != kind.schema_name:
        raise EventInvalid(
            f"Expected a message of schema {kind.schema_name!r}. Found {schema!r}.", event=event.get("id")
        )
    try:
        data = b64decode(body.get("data") or "", validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise EventInvalid(f"Expected the message's data in base64: {error}.", event=event.get("id")) from error
    return parse(kind, data)


def schema(event: CloudEvent) -> str:
    """The schema that a Pub/Sub message names, or nothing: for a function that takes several."""
    return str(_attributes(event).get("schema", ""))


@contextmanager
def delivery(function: str, event: CloudEvent) -> Iterator[Services]:
    """Run one delivery: yields the services, logs start and end, and decides by the error whether it is repeated.

    A permanent error is logged, raised as an alert, and then acknowledged: it ends here. Anything else goes on to the
    caller, so that the platform delivers again.
    """
    have = services()
    about = _about(event)
    with (
        tracing.span(function, _led_by(event), **about) as here,
        logs.context(function=function, **about, **here.fields(have.settings.project)),
    ):
        began = time.monotonic()
        log.info(f"{function} was given {about['event_type']} {about['event_id']}.")
        try:
            yield have
        except Permanent as error:
            alert = _alert(function, error, about)
            have.topics.publish(alert)  # before the acknowledgement: if this fails, the delivery is repeated
            tracing.failed(error)
            log.log(
                logging.ERROR,
                f"{function} gave up: {error}",
                extra=_ended(began, "acknowledged", error, alert=alert.code),
            )
        except Transient as error:
            log.warning(f"{function} will be tried again: {error}", extra=_ended(began, "repeated", error))
            raise
        except Exception as error:
            log.exception(f"{function} failed.", extra=_ended(began, "repeated", error))
            raise
        else:
            log.info(f"{function} is done.", extra=_ended(began, "done"))


def _ended(began: float, outcome: str, error: Exception | None = None, **more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"outcome": outcome, "seconds": round(time.monotonic() - began, 3), **more}
    if error is not None:
        fields["error"] = logs.error_fields(error)
    return {"fields": fields}


def _alert(function: str, error: Permanent, about: dict[str, Any]) -> AlertRaised:
    fields = error.fields
    code = fields.get("code") or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()
    subject = fields.get("source") or fields.get("object") or about.get("subject") or about["event_id"]
    return AlertRaised(
        pipeline=str(fields.get("pipeline") or about.get("pipeline") or "unknown"),
        severity="error",
        code=str(code),
        subject=str(subject),
        sentence=f"{function}: {error.message}",
    )


def _data(event: CloudEvent, kind: str) -> Mapping[str, Any]:
    if event.get("type") != kind:
        raise EventInvalid(f"Expected an event of type {kind}. Found {event.get('type')!r}.", event=event.get("id"))
    if not isinstance(event.data, Mapping):
        raise EventInvalid(f"Expected the event's data as an object. Found {event.data!r}.", event=event.get("id"))
    return event.data


def _about(event: CloudEvent) -> dict[str, Any]:
    """What every log line of a delivery says of it; never raises, whatever the event looks like."""
    about: dict[str, Any] = {"event_id": event.get("id"), "event_type": event.get("type")}
    data = event.data if isinstance(event.data, Mapping) else {}
    body = data.get("message")
    if isinstance(body, Mapping):
        about["message_id"] = body.get("messageId")
        about["pipeline"] = _attributes(event).get("pipeline")
        about["delivery_attempt"] = data.get("deliveryAttempt")
    elif isinstance(data.get("name"), str):
        about["pipeline"] = data["name"].partition("/")[0]
        about["subject"] = f"gs://{data.get('bucket')}/{data['name']}"
    return about


def _led_by(event: CloudEvent) -> tracing.Context:
    """What led to an event: the object that was dropped, or else the W3C trace context that came along.

    A storage event's own context is passed over: it is another for each delivery, and nobody could name it.
    """
    try:
        dropped = storage_source(event)
    except EventInvalid:
        told = _attributes(event)
        given = told.get(tracing.ATTRIBUTE) or told.get(tracing.CLIENTS_OWN) or event.get("traceparent")
        return tracing.Context.read(given) or tracing.Context.new()
    return tracing.Context.of_object(dropped.bucket, dropped.name, dropped.generation)


def _attributes(event: CloudEvent) -> Mapping[str, Any]:
    body = event.data.get("message") if isinstance(event.data, Mapping) else None
    found = body.get("attributes") if isinstance(body, Mapping) else None
    return found if isinstance(found, Mapping) else {}
