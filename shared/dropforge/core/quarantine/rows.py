"""The rows of a batch that is to be judged: those that ingest staged or, of a replay, those that lie quarantined."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.errors import NotFound
from dropforge.contracts.verdicts import Replay, Staged
from dropforge.core import engine
from dropforge.core.engine import text
from dropforge.core.ports import Objects
from dropforge.core.validation import Files


def fetch(staged: Staged, state: Objects, files: Files) -> Files:
    """Download what `staged` tells of into `files`; returns them with what was accepted of the same file before.

    A replay's rows keep the numbers and lines that they have in the dropped file.

    Raises:
        NotFound: an object is not there, or does not hold the rows that the record counts.
    """
    batch, replay = staged.batch, staged.replay
    origin = _sibling(batch, replay.origin) if replay else batch
    if staged.rejected:
        state.download(places.staged_rejects(origin), files.rejects)
    if replay is None:
        if staged.rows:
            state.download(places.staged_rows(batch), files.rows)
        return files
    if staged.rows:
        _quarantined(staged, replay, state, files)
    earlier = [files.scratch / f"earlier-{batch_id}.parquet" for batch_id in replay.accepted]
    for path, batch_id in zip(earlier, replay.accepted, strict=True):
        state.download(places.accepted_rows(_sibling(batch, batch_id)), path)
    return replace(files, earlier=earlier)


def _quarantined(staged: Staged, replay: Replay, state: Objects, files: Files) -> None:
    whole, left = files.scratch / "origin.parquet", files.scratch / "left.parquet"
    state.download(places.staged_rows(_sibling(staged.batch, replay.origin)), whole)
    state.download(places.quarantined_rows(_sibling(staged.batch, replay.of)), left)
    with engine.opened(files.scratch) as database:
        copied = database.execute(
            f"COPY (SELECT * FROM {_parquet(whole)} AS whole SEMI JOIN {_parquet(left)} AS held "
            f"ON whole._row = held.row ORDER BY _row) TO {text(str(files.rows))} (FORMAT parquet)"
        ).fetchone()
    found = copied[0] if copied else 0
    if found != staged.rows:
        raise NotFound(
            f"Expected {staged.rows} rows of {staged.source.uri}, quarantined as the batch {replay.of}. Found {found}.",
            batch=staged.batch,
        )
    whole.unlink()
    left.unlink()


def _parquet(path: Path) -> str:
    return f"read_parquet({text(str(path))})"


def _sibling(batch: Batch, batch_id: str) -> Batch:
    return batch.model_copy(update={"batch_id": batch_id})


def sample(batch: Batch, state: Objects, limit: int) -> list[dict[str, Any]]:
    """The first `limit` quarantined rows of a batch: `row`, `line`, the `reasons`' sentences, and `raw` values."""
    with tempfile.TemporaryDirectory(prefix="dropforge-quarantine-") as folder, engine.opened(Path(folder)) as database:
        path = Path(folder) / "quarantined.parquet"
        state.download(places.quarantined_rows(batch), path)
        found = database.execute(
            f"SELECT row, line, reasons, raw FROM {_parquet(path)} ORDER BY row LIMIT {int(limit)}"
        ).fetchall()
    return [
        {
            "row": row,
            "line": line,
            "reasons": [reason["sentence"] for reason in json.loads(reasons)],
            "raw": json.loads(raw),
        }
        for row, line, reasons, raw in found
    ]
