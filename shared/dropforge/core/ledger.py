"""The ledger: what became of every batch, read from the verdicts' metadata in one listing."""

from collections.abc import Iterator
from dataclasses import dataclass

from dropforge.contracts import places
from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.errors import NotFound
from dropforge.core.ports import ObjectInfo, Objects


@dataclass(frozen=True)
class Line:
    """One batch in the ledger. Times are ISO 8601 or empty."""

    batch: Batch
    status: str
    source: Source
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_labelled: int
    accepted_generation: int | None
    first_time: str
    last_time: str
    decided: str
    pipeline_generation: int = 0
    replay_of: str = ""  # the batch whose quarantined rows these are; empty for a file's own batch
    origin: str = ""  # the file's own batch, of a replay

    @property
    def accepted(self) -> bool:
        """Whether any of its rows may be trained on."""
        return self.accepted_generation is not None


def lines(state: Objects, pipeline: str, table: str | None = None) -> Iterator[Line]:
    """Every batch that has a verdict, in order of table and batch id."""
    for info in state.list(places.batch_verdicts(pipeline, table)):
        yield _line(pipeline, info)


def find(state: Objects, pipeline: str, table: str, batch_id: str) -> Line:
    """One batch. Raises NotFound where it has no verdict (yet)."""
    found = next((line for line in lines(state, pipeline, table) if line.batch.batch_id == batch_id), None)
    if found is None:
        raise NotFound(f"The batch {batch_id} of {pipeline} has no verdict (yet).", pipeline=pipeline)
    return found


def _line(pipeline: str, info: ObjectInfo) -> Line:
    table, file = info.name.split("/")[-2:]
    said = info.metadata
    bucket, _, name = said["source"].removeprefix("gs://").partition("/")
    return Line(
        batch=Batch(pipeline=pipeline, table=table, batch_id=file.removesuffix(".json")),
        status=said["status"],
        source=Source(bucket=bucket, name=name, generation=int(said["source_generation"])),
        rows_read=int(said["rows_read"]),
        rows_accepted=int(said["rows_accepted"]),
        rows_quarantined=int(said["rows_quarantined"]),
        rows_labelled=int(said["rows_labelled"]),
        accepted_generation=int(said["accepted_generation"]) if said["accepted_generation"] else None,
        first_time=said["first_time"],
        last_time=said["last_time"],
        decided=info.updated,
        pipeline_generation=int(said.get("pipeline_generation") or 0),
        replay_of=said.get("replay_of", ""),
        origin=said.get("origin", ""),
    )
