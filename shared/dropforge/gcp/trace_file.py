"""Spans as lines of JSON in a file, for a machine without a collector."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class TraceFile(SpanExporter):
    """Appends; several processes may write one file, for a line is one write."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write the spans. Raises nothing: a full disk must not fail the work that is told of."""
        try:
            with self._path.open("ab", buffering=0) as file:
                for span in spans:
                    file.write(json.dumps(_line(span)).encode() + b"\n")
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def _line(span: ReadableSpan) -> dict[str, Any]:
    """Names as OTLP's; times in seconds since the epoch."""
    context, parent = span.get_span_context(), span.parent
    assert context is not None, "the SDK exports spans that have begun"
    return {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "parent_span_id": f"{parent.span_id:016x}" if parent else "",
        "service": span.resource.attributes.get("service.name"),
        "name": span.name,
        "start": (span.start_time or 0) / 1e9,
        "end": (span.end_time or 0) / 1e9,
        "status": span.status.status_code.name.lower(),
        "attributes": dict(span.attributes or {}),
    }
