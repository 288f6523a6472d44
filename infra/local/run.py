"""`./deploy.sh local`: everything on this machine, and the example dropped into it month after month."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from dropforge.contracts.pipeline import Pipeline
from dropforge.core import pipelines
from dropforge.core.ports import Objects
from functions import build
from infra.local import example, follow, provision
from infra.local.board import Board
from infra.local.service import ROOT, StartFailed
from infra.local.stack import PORTS, Stack, only_one

PATIENCE_SECONDS = 300

Patience = Callable[[Callable[[], bool], str], None]


class Stuck(Exception):
    """A file or a training came no further; the message says where to look."""


def main(arguments: list[str]) -> int:
    """Start, drop, follow, report; then stay until Ctrl-C, or end with `--once`."""
    given = _parser().parse_args(arguments)
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    ports = dict.fromkeys(PORTS, 0) if given.free_ports else None
    board = Board("flights, month by month")
    with only_one(given.home), Stack(given.home, board.say, ports=ports) as stack:
        try:
            return _run(stack, board, given)
        except StartFailed as error:
            print(f"Dropforge could not start. {error}", file=sys.stderr)
            return 1
        except Stuck as error:
            print(str(error), file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            board.say("stopping")
            return 130 if given.once else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./deploy.sh local", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the report instead of staying up")
    parser.add_argument("--months", type=int, default=12, help="how many months of flights to drop (default: all 12)")
    parser.add_argument("--no-example", action="store_true", help="start everything, but drop nothing")
    parser.add_argument("--home", type=Path, default=ROOT / ".dropforge", help="folder of state and logs")
    parser.add_argument("--report", type=Path, help="also write the end table to this file, as JSON")
    parser.add_argument("--picture", type=Path, help="also draw what retraining was worth, as SVG")
    parser.add_argument("--free-ports", action="store_true", help="take free ports instead of the usual ones")
    return parser


def _run(stack: Stack, board: Board, given: argparse.Namespace) -> int:
    board.say("building the functions' bundles")
    build.build()
    stack.start_emulators()
    os.environ.update(stack.environment())

    # Clients read the environment when they are imported or made, so these wait for it.
    from dropforge.contracts.settings import Settings
    from dropforge.gcp.services import Services
    from infra.local import report, warehouse

    settings = Settings.read()
    provision.buckets_and_dataset(settings)
    services = Services(settings)
    landing, state = services.landing, services.state
    folder = ROOT / "examples" / "flights"
    rules = folder / "pipeline.yaml"
    pipeline, _, _ = pipelines.deploy(state, rules.read_bytes(), where=str(rules))
    stack.start_functions()

    def patience(look: Callable[[], bool], what: str) -> None:
        """Call `look` until it returns True; a service that dies meanwhile is started again."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not look():
            for name in stack.revive():
                board.say(f"[red]{name} had died[/] and was started again; what was under way is delivered again")
            if time.monotonic() > deadline:
                raise Stuck(
                    f"{what} came no further in {PATIENCE_SECONDS} s. See {given.home / 'logs'} and the lines above."
                )
            time.sleep(0.1)

    if not given.no_example:
        periods = dict(list(example.periods(folder / "data", pipeline).items())[: given.months])
        trainings: dict[str, follow.Training] = {}
        verdicts: dict[str, list[follow.Followed]] = {}
        with board:
            for period, drops in periods.items():
                verdicts[period] = _drop(drops, pipeline, landing, state, board, patience)
                trainings[period] = _train(period, verdicts[period], pipeline, state, board, patience)
        held = warehouse.once_loaded(settings, pipeline, follow.rows_accepted(pipeline, verdicts.values()))
        rows = report.months(pipeline, state, verdicts, trainings, held)
        report.show(board.console, rows)
        if given.picture:
            report.picture(given.picture, rows)
        if given.report:
            report.write(given.report, rows)
    report.predict_once(board.console, pipeline, state, stack.services["router"].url)
    report.how_to_go_on(board.console, stack, settings, given.home)
    if given.once:
        return 0
    board.say("everything stays up until Ctrl-C")
    while True:
        for name in stack.revive():
            board.say(f"[red]{name} had died[/] and was started again")
        time.sleep(0.5)


def _drop(
    drops: list[example.Drop],
    pipeline: Pipeline,
    landing: Objects,
    state: Objects,
    board: Board,
    patience: Patience,
) -> list[follow.Followed]:
    """Drop a period's files and wait for their verdicts: first what is joined, then, at once, what is learned from."""
    followed: list[follow.Followed] = []
    for joined in (True, False):
        group = {}
        for drop in drops:
            if (drop.table != pipeline.table) is joined:
                group[drop] = follow.Followed(example.drop_file(drop, pipeline, landing))
                board.file(drop, group[drop])

        def look(group: dict[example.Drop, follow.Followed] = group) -> bool:
            for drop, one in group.items():
                if one.look(state):
                    board.file(drop, one)
            return all(one.verdict for one in group.values())

        patience(look, f"A file of {', '.join(drop.path.name for drop in group)}")
        followed += group.values()
    return followed


def _train(
    period: str, followed: list[follow.Followed], pipeline: Pipeline, state: Objects, board: Board, patience: Patience
) -> follow.Training:
    """Wait until the training that the period's rows led to has been judged and, if it was good enough, serves."""
    accepted = [one.batch for one in followed if one.batch.table == pipeline.table and one.accepted]
    training = follow.Training(pipeline.pipeline, frozenset(batch.batch_id for batch in accepted))
    board.training(period, training)

    def look() -> bool:
        if training.look(state):
            board.training(period, training)
        return training.settled

    patience(look, f"The training on {period}")
    return training


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
