"""Which mode of serving is cheapest for the traffic that a pipeline has, with the numbers.

Reads the log of predictions, the rows that a table of answers would hold, and the compiled form of the model that
serves. Times are measured on this machine, on rows of the log. Prices are list prices unless given by --price.
"""

import argparse
from dataclasses import asdict
from typing import Any

from rich.console import Console

from dropforge.contracts.errors import ActionRefused
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import Pipeline
from dropforge.core import candidates, champion, pipelines
from dropforge.core.ports import Objects
from dropforge.core.serving import advice, newest, predictor, traffic
from dropforge.core.serving.cost import Prices
from dropforge.core.serving.identity import Identity
from dropforge.core.serving.traffic import Traffic
from dropforge.gcp.services import Services
from infra.commands import command, tables
from infra.commands.command import Answer

MOST_ASKED = 200_000  # rows of the log that are read, the newest


def main(arguments: list[str]) -> int:
    """`./deploy.sh recommend`."""
    parser = command.parser("recommend", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument("--price", action="append", default=[], metavar="NAME=DOLLARS", help=f"instead of {Prices()}")
    return command.run(parser.parse_args(arguments), _recommend)


def _recommend(services: Services, given: argparse.Namespace) -> Answer:
    prices = Prices().but(given.price)
    pipeline, _ = pipelines.load(services.state, given.pipeline)
    candidate = _serving(services.state, given.pipeline)
    _refuse_masked(pipeline, candidate)
    asked = traffic.read(services.state, given.pipeline, candidate.signature, MOST_ASKED)
    if asked is None:
        raise ActionRefused(f"Expected predictions of {given.pipeline} in its log. Found none: ask it first.")
    if not asked.names:
        raise ActionRefused(
            f"Expected rows that the model of {given.pipeline} takes in the log of predictions. "
            f"Found {asked.left_out:,} that it does not, such as keys, and no others."
        )
    tabled, rows = _tabled(pipeline, candidate, services.state)
    model = predictor.of(candidate, services.state)
    modes = advice.modes(asked, tabled, rows, candidate, model, prices)
    told = {
        "recommended": modes[0].name,
        "now": pipeline.serving.mode,
        "asked": len(asked.names),
        "left_out": asked.left_out,
        "distinct": asked.distinct,
        "commonest_percent": round(100 * asked.share_of_commonest(0.01), 1),
        "rows_a_second": round(asked.a_second, 3),
        "table_rows": rows,
        "modes": [asdict(mode) for mode in modes],
        "prices": asdict(prices),
    }
    return Answer(told, lambda console: _show(console, told, asked))


def _serving(state: Objects, pipeline: str) -> Candidate:
    now, _ = champion.current(state, pipeline)
    found = candidates.find(state, pipeline, now.candidate_id) if now else None
    if found is None:
        raise ActionRefused(f"Expected a published model of {pipeline}. Found none.", pipeline=pipeline)
    if found.compiled_sha256 is None:
        raise ActionRefused(
            f"The model of {pipeline} has no compiled form, so only 'dynamic' is possible: {found.compiled_because}"
        )
    return found


def _refuse_masked(pipeline: Pipeline, candidate: Candidate) -> None:
    """Without a masked column different rows look the same, and none is found in a table."""
    taken = {field.name for field in candidate.signature}
    masked = [name for name in pipeline.logging.masked if name in taken]
    if masked:
        raise ActionRefused(
            f"Expected a log of predictions with all that the model of {pipeline.pipeline} takes. Found `masked: "
            f"[{', '.join(masked)}]` in its pipeline.yaml: how often the same row is asked cannot be seen.",
            pipeline=pipeline.pipeline,
        )


def _tabled(pipeline: Pipeline, candidate: Candidate, state: Objects) -> tuple[set[bytes], int]:
    """The names of the rows that a table would hold, and how many rows there are."""
    identity, rows = Identity("features", candidate.signature), 0
    names: set[bytes] = set()
    for block in newest.blocks(pipeline, state):
        rows += len(block)
        names.update(identity.of(row) for row in block)
    return names, rows


def _show(console: Console, told: dict[str, Any], asked: Traffic) -> None:
    console.print(
        f"{told['asked']:,} rows asked, {told['distinct']:,} different ones, {told['rows_a_second']:g} a second; the "
        f"commonest hundredth of them gets {told['commonest_percent']} %, the commonest tenth "
        f"{100 * asked.share_of_commonest(0.1):.1f} %."
    )
    if told["left_out"]:
        console.print(f"{told['left_out']:,} more are not counted: they are keys, or no rows that the model takes.")
    columns = ("mode", "answers", "adds (µs)", "table (MB)", "$ a million, inline", "$ a million, endpoint")
    rows = [_row(mode) for mode in told["modes"]]
    tables.show(console, columns, rows, right=columns[1:])
    best = told["recommended"]
    now = "as it is now" if best == told["now"] else f"now it is {told['now']}"
    console.print(f"Cheapest that answers everything: [bold]{best}[/bold] ({now}).")


def _row(mode: dict[str, Any]) -> list[tables.Cell]:
    return [
        mode["name"],
        f"{100 * mode['answers']:.1f} %",
        f"{1e6 * mode['seconds']:.1f}",
        f"{mode['table_bytes'] / 1e6:.1f}",
        f"{mode['dollars']:.3f}",
        f"{mode['dollars_endpoint']:.3f}",
    ]
