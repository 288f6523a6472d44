"""The way of a dropped file to the served model, as a waterfall: what each function took, and what it led to."""

import argparse
import os
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from dropforge.contracts.errors import ActionRefused
from dropforge.gcp.services import Services
from dropforge.gcp.tracing import Context
from infra.commands import command, tables, waterfall
from infra.commands.command import Answer
from infra.commands.deployment import USUAL_HOME

_WIDTH = 60  # characters of a bar's scale


def main(arguments: list[str]) -> int:
    """`./deploy.sh trace`."""
    parser = command.parser("trace", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument("file", metavar="FILE", help="as it lies below the pipeline's folder of the landing bucket")
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write the waterfall as one HTML file")
    return command.run(parser.parse_args(arguments), _trace)


def _trace(services: Services, given: argparse.Namespace) -> Answer:
    found = services.landing.stat(f"{given.pipeline}/{given.file}")
    trace_id = Context.of_object(services.landing.bucket, found.name, found.generation).trace_id
    folder = Path(os.environ.get("DROPFORGE_TRACES", "").removeprefix("file:") or (given.home or USUAL_HOME) / "traces")
    bars = waterfall.bars(waterfall.read(folder, trace_id))
    if not bars:
        raise ActionRefused(
            f"Expected spans of the trace {trace_id} in {folder}. Found none. On Google Cloud, the Trace explorer "
            "of the console shows it by this id."
        )
    if given.page:
        command.file(str(given.page)).write_text(waterfall.page(f"{given.pipeline}/{given.file}", trace_id, bars))

    def show(console: Console) -> None:
        console.print(f"Trace {trace_id}, {waterfall.seconds(bars):.1f} s in all")
        tables.show(console, ("what", "after", "took", ""), [_row(bar, bars) for bar in bars], right=("after", "took"))

    return Answer({"trace_id": trace_id, "spans": [asdict(bar) for bar in bars]}, show)


def _row(bar: waterfall.Bar, bars: list[waterfall.Bar]) -> list[tables.Cell]:
    scale = _WIDTH / max(waterfall.seconds(bars), 1e-9)
    drawn = " " * int(bar.after * scale) + "█" * max(int(bar.took * scale), 1)
    style = "red" if bar.failed else "cyan"
    return ["  " * bar.depth + bar.name, f"{bar.after:.2f} s", f"{bar.took:.2f} s", (drawn, style)]
