"""An example's files in the order in which they are dropped: a period at a time, what is joined first."""

import re
from dataclasses import dataclass
from pathlib import Path

from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.errors import AlreadyExists
from dropforge.contracts.pipeline import Pipeline
from dropforge.core.ports import Objects

_NAME = re.compile(r"^(?P<table>[a-z]+)-(?P<period>\d{4}-\d{2})(?:-(?P<part>\w+))?\.csv\.gz$")


@dataclass(frozen=True)
class Drop:
    """One file of the example: `table-period[-part].csv.gz`."""

    path: Path
    table: str
    period: str
    part: str

    def object_name(self, pipeline: Pipeline) -> str:
        """Where it is dropped in the landing bucket."""
        folder = pipeline.pipeline if self.table == pipeline.table else f"{pipeline.pipeline}/{self.table}"
        return f"{folder}/{self.path.name}"


def periods(folder: Path, pipeline: Pipeline) -> dict[str, list[Drop]]:
    """The drops of each period, in order of time; within one, joined tables come first.

    Raises:
        FileNotFoundError: the folder holds no file of that form.
    """
    found: dict[str, list[Drop]] = {}
    for path in sorted(folder.iterdir()):
        match = _NAME.match(path.name)
        if match and match["table"] in pipeline.tables:
            drop = Drop(path, match["table"], match["period"], match["part"] or "")
            found.setdefault(drop.period, []).append(drop)
    if not found:
        raise FileNotFoundError(f"Expected files such as {pipeline.table}-2013-01-JFK.csv.gz in {folder}. Found none.")
    return {
        period: sorted(drops, key=lambda drop: (drop.table == pipeline.table, drop.path.name))
        for period, drops in sorted(found.items())
    }


def drop_file(drop: Drop, pipeline: Pipeline, landing: Objects) -> Batch:
    """Drop a file, unless an earlier run did; returns the batch that its generation is."""
    name = drop.object_name(pipeline)
    try:
        generation = landing.create(name, drop.path)
    except AlreadyExists:
        generation = landing.stat(name).generation
    source = Source(bucket=landing.bucket, name=name, generation=generation)
    return Batch.of(source, {pipeline.pipeline: pipeline.table})
