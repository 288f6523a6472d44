"""Spans that `gcp.trace_file` wrote, in the order and depth in which one led to the other."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Bar:
    """One span: how deep below what was dropped, when it began, after the first, and how long it took, in seconds."""

    name: str
    depth: int
    after: float
    took: float
    failed: bool
    detail: str


def read(folder: Path, trace_id: str) -> list[dict[str, Any]]:
    """Every recorded span of a trace."""
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        with file.open() as lines:
            found += [json.loads(line) for line in lines if trace_id in line]
    return [span for span in found if span["trace_id"] == trace_id]


def bars(spans: Iterable[dict[str, Any]]) -> list[Bar]:
    """The spans as bars, each below the one that led to it. A parent that was not recorded is the drop itself."""
    known = {span["span_id"]: span for span in spans}
    below: dict[str, list[dict[str, Any]]] = {}
    for span in sorted(known.values(), key=lambda span: span["start"]):
        parent = span["parent_span_id"]
        below.setdefault(parent if parent in known else "", []).append(span)
    first = min((span["start"] for span in known.values()), default=0.0)
    return list(_below("", 0, below, first))


def _below(parent: str, depth: int, below: dict[str, list[dict[str, Any]]], first: float) -> Iterator[Bar]:
    for span in below.get(parent, []):
        told = [f"{name.removeprefix('dropforge.')}: {value}" for name, value in span["attributes"].items()]
        yield Bar(
            name=span["name"],
            depth=depth,
            after=span["start"] - first,
            took=span["end"] - span["start"],
            failed=span["status"] == "error",
            detail="\n".join(told),
        )
        yield from _below(span["span_id"], depth + 1, below, first)


def seconds(found: list[Bar]) -> float:
    """From the first beginning to the last end."""
    return max((bar.after + bar.took for bar in found), default=0.0)


def page(title: str, trace_id: str, found: list[Bar]) -> str:
    """One HTML file, which loads nothing."""
    rows = "\n".join(_row(bar, max(seconds(found), 1e-9)) for bar in found)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Dropforge: {escape(title)}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
  color: #1c2733; background: #fff }}
.row {{ display: grid; grid-template-columns: 14rem 1fr 5rem; gap: .8rem; align-items: center;
  border-bottom: 1px solid #8883; padding: .25rem 0 }}
.scale {{ position: relative; height: 1.1rem }}
.bar {{ position: absolute; height: 100%; min-width: 3px; border-radius: 3px; background: #2a78c5 }}
.failed {{ background: #b3261e }}
.took {{ text-align: right; font-variant-numeric: tabular-nums }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e6ebf0; background: #14181d }} }}
</style>
<h1>{escape(title)}</h1>
<p>Trace {escape(trace_id)}, {seconds(found):.1f} s from the drop to the last step.</p>
{rows}
</html>
"""


def _row(bar: Bar, whole: float) -> str:
    look = "bar failed" if bar.failed else "bar"
    left, width = 100 * bar.after / whole, 100 * bar.took / whole
    return (
        f'<div class="row" title="{escape(bar.detail)}"><span style="padding-left: {bar.depth}rem">{escape(bar.name)}'
        f'</span><span class="scale"><span class="{look}" style="left: {left:.2f}%; width: {width:.2f}%"></span></span>'
        f'<span class="took">{bar.took:.2f} s</span></div>'
    )
