"""Write the report of a pipeline, or of one batch, into an HTML file that opens anywhere.

A batch is named by its id, or by the end of its file's name; of several, the newest that was decided on is meant."""

import argparse
import sys
import webbrowser
from pathlib import Path

from rich.console import Console

from dropforge.contracts import places
from dropforge.contracts.errors import ActionRefused, NotFound
from dropforge.core import ledger, pipelines
from dropforge.core.ports import Objects
from dropforge.core.report import courses, whole
from dropforge.gcp.services import Services
from infra.commands import command
from infra.commands.command import Answer


def main(arguments: list[str]) -> int:
    """`./deploy.sh report`."""
    parser = command.parser("report", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument("batch", metavar="BATCH", nargs="?", help="a batch's id, or the end of its file's name")
    parser.add_argument("--output", metavar="FILE", help="where to write it (default: report-NAME.html here)")
    parser.add_argument("--no-open", action="store_true", help="do not show it in a browser")
    return command.run(parser.parse_args(arguments), _report)


def _report(services: Services, given: argparse.Namespace) -> Answer:
    if given.batch:
        line = _line(services.state, given.pipeline, given.batch)
        html, name = _of_batch(services.state, line), line.batch.batch_id
    else:
        pipeline, _ = pipelines.load(services.state, given.pipeline)
        html, name = whole(pipeline, courses(services.state, pipeline)).encode(), given.pipeline
    path = command.file(given.output or f"report-{name}.html").resolve()
    path.write_bytes(html)
    if sys.stdout.isatty() and not given.no_open and not given.json:
        webbrowser.open(path.as_uri())
    return Answer({"file": str(path), "bytes": len(html)}, lambda console: _show(console, path))


def _show(console: Console, path: Path) -> None:
    console.print(f"Written to {command.plain(path)}.")


def _line(state: Objects, pipeline: str, named: str) -> ledger.Line:
    lines = sorted(ledger.lines(state, pipeline), key=lambda line: line.decided)
    found = [line for line in lines if line.batch.batch_id == named or line.source.name.endswith(named)]
    if not found:
        raise ActionRefused(
            f"Expected a batch of {pipeline!r}. Found none whose id is {named!r} or whose file's name ends so; "
            f"`./deploy.sh loads {pipeline}` lists them."
        )
    return found[-1]


def _of_batch(state: Objects, line: ledger.Line) -> bytes:
    try:
        return state.read(places.batch_report(line.batch))[0]
    except NotFound as error:
        raise ActionRefused(
            f"The batch {line.batch.batch_id} ({line.source.uri}) is {line.status} and has no report: only "
            "files that could be read have one, as they were dropped."
        ) from error
