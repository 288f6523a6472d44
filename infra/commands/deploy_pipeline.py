"""Check a pipeline.yaml and put it in place; the functions go by it from the next file on."""

import argparse
import difflib
from pathlib import Path

from rich.console import Console

from dropforge.contracts import places
from dropforge.contracts.errors import ActionRefused
from dropforge.contracts.pipeline import parse
from dropforge.core import pipelines
from dropforge.gcp.services import Services
from infra.commands import command
from infra.commands.command import Answer, plain


def main(arguments: list[str]) -> int:
    """`./deploy.sh deploy-pipeline`."""
    parser = command.parser("deploy-pipeline", __doc__)
    parser.add_argument("file", type=command.file, metavar="FILE", help="a pipeline.yaml")
    parser.add_argument("--check", action="store_true", help="check it, and deploy nothing; needs no deployment")
    given = parser.parse_args(arguments)
    return command.answer(given, lambda: _check(given)) if given.check else command.run(given, _deploy)


def _check(given: argparse.Namespace) -> Answer:
    pipeline = parse(_text(given.file), where=str(given.file))
    told = {"pipeline": pipeline.pipeline, "valid": True}
    return Answer(told, lambda console: console.print(f"{given.file} is a valid pipeline, {pipeline.pipeline!r}."))


def _deploy(services: Services, given: argparse.Namespace) -> Answer:
    text = _text(given.file)
    pipeline, generation, before = pipelines.deploy(services.state, text, str(given.file))
    changed = generation != before
    old = services.state.read(places.pipeline_yaml(pipeline.pipeline), before)[0] if before and changed else b""
    lines = list(difflib.unified_diff(old.decode().splitlines(), text.decode().splitlines(), lineterm="", n=0))[2:]
    told = {
        "pipeline": pipeline.pipeline,
        "generation": generation,
        "replaced": before or None,
        "changed": changed,
        "diff": lines if before else [],
    }

    def show(console: Console) -> None:
        if not changed:
            console.print(f"{pipeline.pipeline} is deployed so already (generation {generation}).")
            return
        console.print(f"{pipeline.pipeline} is deployed (generation {generation}); files dropped from now on go by it.")
        for line in told["diff"] if isinstance(told["diff"], list) else []:
            colour = {"+": "green", "-": "red"}.get(line[:1], "dim")
            console.print(f"[{colour}]{plain(line)}[/]", soft_wrap=True)
        folder = f"gs://{services.landing.bucket}/{pipeline.pipeline}/"
        if not before:
            console.print(f"Drop files into {folder}: `./deploy.sh drop {pipeline.pipeline} FILE`.")
        elif lines:
            console.print("Rows in quarantine are judged by it with `./deploy.sh quarantine replay`.")

    return Answer(told, show)


def _text(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ActionRefused(f"Expected a pipeline.yaml at {file}. Found {error.strerror or error}.") from error
