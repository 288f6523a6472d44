"""Rows and batches in quarantine: see them, have them judged again, or give them up.

list [PIPELINE]          files of which rows wait, and why
show BATCH               what happened to one file, and rows of it with their reasons
replay BATCH | --all     judge what is left by the rules that are deployed now; twice gives the same as once
release BATCH            take in what breaks no rule of a row, though the batch as a whole was refused
discard BATCH            give up what is left; the rows stay where they lie
"""

import argparse
import sys
from typing import Literal

from rich.console import Console

from dropforge.contracts.errors import ActionRefused
from dropforge.core import pipelines, quarantine
from dropforge.core.ports import Objects
from dropforge.core.quarantine import Held
from dropforge.gcp.services import Services
from infra.commands import awaiting, command, held_files
from infra.commands.command import Answer, plain

ROUNDS = 5  # how often the rules may change while their verdict is awaited


def main(arguments: list[str]) -> int:
    """`./deploy.sh quarantine`."""
    given = _parser().parse_args(arguments)
    return command.run(given, given.work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./deploy.sh quarantine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="files of which rows wait")
    listing.add_argument("pipeline", nargs="?", metavar="PIPELINE")
    listing.add_argument("--all", action="store_true", help="also files of which no row is left, or all were discarded")
    listing.set_defaults(work=_list)
    show = actions.add_parser("show", help="one file, and rows of it")
    show.add_argument("--rows", type=int, default=10, metavar="N", help="how many rows (default: 10)")
    show.set_defaults(work=_show)
    replay = actions.add_parser("replay", help="judge what is left by the present rules")
    replay.add_argument("--all", action="store_true", help="every file that has rows waiting")
    replay.set_defaults(work=_replay)
    release = actions.add_parser("release", help="set aside the rules of the batch as a whole")
    release.set_defaults(work=_release)
    discard = actions.add_parser("discard", help="give up what is left")
    discard.set_defaults(work=_discard)
    for action in (show, replay, release, discard):
        optional = "?" if action is replay else None
        action.add_argument("batch", nargs=optional, metavar="BATCH", help="the id of a batch, or the beginning of it")
        action.add_argument("--pipeline", metavar="NAME", help="look in this pipeline only")
    for action in (replay, release):
        action.add_argument("--patience", type=float, default=awaiting.PATIENCE, metavar="SECONDS")
    for action in (replay, release, discard):
        command.add_person(action, reason_required=action is not replay)
    for action in (listing, show, replay, release, discard):
        command.add_usual(action)
    return parser


def _list(services: Services, given: argparse.Namespace) -> Answer:
    files = [
        file for file in _files(services.state, given.pipeline) if given.all or file.state in ("waiting", "under way")
    ]
    return _answer(files, services.state, "Nothing lies in quarantine.")


def _show(services: Services, given: argparse.Namespace) -> Answer:
    file = quarantine.find(services.state, given.batch, given.pipeline)
    told = held_files.told(file, services.state)
    told["rows"] = quarantine.sample(file.tip.line.batch, services.state, given.rows) if file.rows_quarantined else []

    def show(console: Console) -> None:
        held_files.table(console, [told])
        for link in told["links"]:
            held_files.link(console, link)
        for row in told["rows"]:
            console.print(f"\nLine {row['line']}" if row["line"] else f"\nRow {row['row']}")
            for reason in row["reasons"]:
                console.print(f"  [yellow]{plain(reason)}[/]")
            console.print(f"  {plain(row['raw'])}", soft_wrap=True)

    return Answer(told, show)


def _replay(services: Services, given: argparse.Namespace) -> Answer:
    if bool(given.batch) == given.all:
        raise ActionRefused("Expected the id of a batch, or --all. Found " + ("both." if given.all else "neither."))
    if given.batch:
        files = [quarantine.find(services.state, given.batch, given.pipeline)]
    else:
        waiting = ("waiting", "under way")
        files = [file for file in _files(services.state, given.pipeline) if file.state in waiting]
    notes = _judge(files, "replay", services, given)
    return _answer(_again(files, services.state), services.state, "Nothing lies in quarantine.", notes)


def _release(services: Services, given: argparse.Namespace) -> Answer:
    file = quarantine.find(services.state, given.batch, given.pipeline)
    notes = _judge([file], "release", services, given)
    return _answer(_again([file], services.state), services.state, "", notes)


def _discard(services: Services, given: argparse.Namespace) -> Answer:
    file = quarantine.find(services.state, given.batch, given.pipeline)
    quarantine.discard(file, given.by, given.reason, services.state, services.clock)
    return _answer(_again([file], services.state), services.state, "")


def _judge(
    files: list[Held], action: Literal["replay", "release"], services: Services, given: argparse.Namespace
) -> list[str]:
    """Have files judged until there is nothing more to do; returns what is to be said of those left as they were."""
    notes: dict[str, str] = {}
    for round_ in range(ROUNDS):
        announced = []
        for at, file in enumerate(files, start=1):
            name = file.origin.line.batch.batch_id
            try:
                batch = quarantine.judge_again(
                    file, action, given.by, given.reason, services.state, services.topics, services.clock
                )
            except ActionRefused as error:
                if len(files) == 1:
                    raise
                notes[name] = error.message
                continue
            if batch is not None:
                _progress(f"{action} {at} of {len(files)}: {file.origin.line.source.uri}", given)
                announced.append(batch)
            elif round_ == 0:
                notes[name] = _unchanged(file, action)
        if not announced:
            break
        _progress(f"waiting for {len(announced)} verdict{'s' if len(announced) > 1 else ''}", given)
        awaiting.verdicts(announced, services.state, given.patience)
        files = _again(files, services.state)
    return list(notes.values())


def _progress(said: str, given: argparse.Namespace) -> None:
    """One line beside the answer, for whoever waits; machines get the answer alone."""
    if not given.json:
        print(said, file=sys.stderr)


def _unchanged(file: Held, action: str) -> str:
    where = file.origin.line.source.uri
    if file.state == "settled":
        return f"{where} has no row left in quarantine."
    if action == "release":
        return f"{where} was released before; what is left breaks rules of a row."
    return (
        f"The rules that are deployed have judged what is left of {where} already. "
        "Change them (`./deploy.sh deploy-pipeline FILE`), then replay."
    )


def _files(state: Objects, pipeline: str | None) -> list[Held]:
    names = [pipelines.load(state, pipeline)[0].pipeline] if pipeline else pipelines.deployed(state)
    return [file for name in names for file in quarantine.held(state, name)]


def _again(files: list[Held], state: Objects) -> list[Held]:
    """The same files as they are now."""
    return [quarantine.find(state, file.origin.line.batch.batch_id, file.origin.line.batch.pipeline) for file in files]


def _answer(files: list[Held], state: Objects, nothing: str, notes: list[str] | None = None) -> Answer:
    told = [held_files.told(file, state) for file in files]

    def show(console: Console) -> None:
        if told:
            held_files.table(console, told)
        else:
            console.print(nothing)
        for sentence in notes or []:
            console.print(f"[yellow]{plain(sentence)}[/]")

    return Answer({"files": told, "notes": notes or []}, show)
