"""Traces from a dropped file to the served model: one span a delivery, its context in the attributes of every message.

Ids are always made and handed on, for the logs link by them; spans are recorded where `DROPFORGE_TRACES` says so, and
only there is OpenTelemetry imported (a third of a second):

- `file:FOLDER` writes each span as a line of JSON into `FOLDER/<function>.jsonl`;
- an `https://` or `http://` URL takes them by OTLP, with this account's token if it is Google's
  (https://telemetry.googleapis.com/v1/traces).

A file's trace id is made of its generation, so that every delivery of it belongs to one trace, which anybody can name.
https://www.w3.org/TR/trace-context/
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dropforge.contracts.errors import SettingsInvalid

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

ATTRIBUTE = "traceparent"  # of a message
CLIENTS_OWN = "googclient_traceparent"  # as Google's clients name it; the prefix is reserved for them
_current: ContextVar["Context | None"] = ContextVar("dropforge_trace", default=None)


@dataclass(frozen=True)
class Context:
    """A place in a trace: the ids of the trace and of a span in it, 32 and 16 hexadecimal digits."""

    trace_id: str
    span_id: str

    @classmethod
    def read(cls, traceparent: object) -> Self | None:
        """What a `traceparent` says, or None where it says nothing.

        >>> Context.read(f"00-{'a' * 32}-{'b' * 16}-01").span_id
        'bbbbbbbbbbbbbbbb'
        """
        parts = str(traceparent or "").split("-")
        if len(parts) != 4 or (len(parts[1]), len(parts[2])) != (32, 16) or set(parts[1]) == {"0"}:
            return None
        try:
            int(parts[1], 16), int(parts[2], 16)
        except ValueError:
            return None
        return cls(parts[1], parts[2])

    @classmethod
    def of_object(cls, bucket: str, name: str, generation: int) -> Self:
        """Where the trace of a dropped file begins; the span is one that nobody records."""
        digest = sha256(f"{bucket}\n{name}\n{generation}".encode()).hexdigest()
        return cls(digest[:32], digest[32:48])

    @classmethod
    def new(cls) -> Self:
        """Where a trace begins that nothing led to."""
        return cls(os.urandom(16).hex(), os.urandom(8).hex())

    @property
    def traceparent(self) -> str:
        """As it is handed on."""
        return f"00-{self.trace_id}-{self.span_id}-01"

    def fields(self, project: str) -> dict[str, str]:
        """As Cloud Logging links by it."""
        return {
            "logging.googleapis.com/trace": f"projects/{project}/traces/{self.trace_id}",
            "logging.googleapis.com/spanId": self.span_id,
        }


def attributes() -> dict[str, str]:
    """What a message carries of the span in which it is published."""
    current = _current.get()
    return {ATTRIBUTE: current.traceparent} if current else {}


@contextmanager
def span(name: str, parent: Context, **known: Any) -> Iterator[Context]:
    """One span below `parent`, with what is known of it; an exception marks it as failed, and passes."""
    recorder = _tracer()
    if recorder is None:
        with _within(Context(parent.trace_id, os.urandom(8).hex())) as here:
            yield here
        return
    from opentelemetry import trace

    ids = int(parent.trace_id, 16), int(parent.span_id, 16)
    sampled = trace.TraceFlags(trace.TraceFlags.SAMPLED)
    above = trace.NonRecordingSpan(trace.SpanContext(*ids, is_remote=True, trace_flags=sampled))
    with (
        recorder.start_as_current_span(
            name,
            context=trace.set_span_in_context(above),
            kind=trace.SpanKind.CONSUMER,
            attributes={f"dropforge.{key}": str(value) for key, value in known.items() if value is not None},
        ) as made,
        _within(Context(parent.trace_id, f"{made.get_span_context().span_id:016x}")) as here,
    ):
        yield here


def failed(error: Exception) -> None:
    """Mark the span of this moment as failed by an error that ends within it, as `span` does by one that passes."""
    if _tracer() is None:
        return
    from opentelemetry import trace

    here = trace.get_current_span()
    here.record_exception(error)
    here.set_status(trace.Status(trace.StatusCode.ERROR, f"{type(error).__name__}: {error}"))


@contextmanager
def _within(here: Context) -> Iterator[Context]:
    token = _current.set(here)
    try:
        yield here
    finally:
        _current.reset(token)


@cache
def _tracer() -> "Tracer | None":
    """The means to record, or None where none are wanted."""
    wanted = os.environ.get("DROPFORGE_TRACES", "")
    if not wanted:
        return None
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    service = os.environ.get("K_SERVICE", "dropforge")
    provider = TracerProvider(resource=Resource({"service.name": service}))
    # One span a delivery: sent before it is acknowledged, for between deliveries there is no processor time.
    provider.add_span_processor(SimpleSpanProcessor(_exporter(wanted, service)))
    return provider.get_tracer("dropforge")


def _exporter(wanted: str, service: str) -> "SpanExporter":
    kind, _, folder = wanted.partition(":")
    if kind == "file":
        from dropforge.gcp.trace_file import TraceFile

        return TraceFile(Path(folder) / f"{service}.jsonl")
    if kind not in ("http", "https"):
        raise SettingsInvalid(
            f"Expected DROPFORGE_TRACES to be file:FOLDER or a URL that takes OTLP. Found {wanted!r}."
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=wanted, session=_session(wanted))


def _session(url: str) -> Any:
    import google.auth
    import requests
    from google.auth.transport.requests import AuthorizedSession

    if not url.partition("://")[2].partition("/")[0].endswith(".googleapis.com"):
        return requests.Session()
    credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/trace.append"])
    return AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # typed in part
