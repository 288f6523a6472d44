"""What is stored: metadata in SQLite, bytes in files. One connection, used on the event loop only, so that a
transaction has no `await` in it and is atomic against every other request.

SQLite does not wait for the disk here: what was committed survives the death of the process, not of the machine.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from emulators.clock import Clock
from emulators.storage.blobs import BlobFolder
from emulators.storage.errors import no_bucket, no_object
from emulators.storage.folders import locked, temporary_folder
from emulators.storage.schema import SCHEMA, TABLES

Resource = dict[str, Any]


@dataclass
class Generation:
    """One generation of one object: its metadata as the JSON API shows it, and the blob that holds its bytes."""

    bucket: str
    name: str
    generation: int
    state: str
    blob: str
    resource: Resource
    purge_at: float | None = None

    @property
    def size(self) -> int:
        """Bytes stored."""
        return int(self.resource["size"])

    @property
    def metageneration(self) -> int:
        """How often the metadata of this generation was written."""
        return int(self.resource["metageneration"])


class Store:
    """All state of the emulator. With `folder` None the metadata is in memory and the bytes in a temporary folder."""

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        self.clock = clock
        self._temporary = folder is None
        self._folder = folder or temporary_folder()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = locked(self._folder)
        self.blobs = BlobFolder(self._folder)
        self._db = sqlite3.connect(":memory:" if folder is None else self._folder / "metadata.db", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(SCHEMA)
        self._released: set[str] = set()
        self._garbage: set[str] = set()
        self._last_generation = int(self.value("SELECT max(generation) FROM objects") or 0)
        self.sweep()

    def close(self) -> None:
        """Close the database; a temporary folder goes away."""
        self._db.close()
        self._lock.close()
        if self._temporary:
            shutil.rmtree(self._folder, ignore_errors=True)

    def sweep(self) -> None:
        """Delete the files of writes that were never acknowledged."""
        blobs = {row[0] for row in self.rows("SELECT blob FROM objects UNION SELECT blob FROM parts")}
        incoming = {row[0] for row in self.rows("SELECT id FROM uploads WHERE result IS NULL")}
        self.blobs.sweep(blobs, incoming)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; blobs that it released and nothing else refers to become garbage.

        It must not be held across an `await`.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            self._released.clear()
            raise
        unused = [blob for blob in self._released if not self._in_use(blob)]
        self._released.clear()
        self._db.execute("COMMIT")
        self._garbage.update(unused)

    def garbage(self) -> set[str]:
        """Ids of blobs to remove; each is handed out once."""
        taken, self._garbage = self._garbage, set()
        return taken

    def release(self, blob: str) -> None:
        """Say that a row of this transaction no longer refers to `blob`."""
        self._released.add(blob)

    def _in_use(self, blob: str) -> bool:
        query = "SELECT 1 FROM objects WHERE blob = ?1 UNION ALL SELECT 1 FROM parts WHERE blob = ?1 LIMIT 1"
        return self.value(query, blob) is not None

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self._db.execute(query, values).fetchall()

    def value(self, query: str, *values: object) -> Any:
        """The first column of the first row, or None."""
        row = self._db.execute(query, values).fetchone()
        return None if row is None else row[0]

    def run(self, statement: str, *values: object) -> int:
        """Change rows; return how many."""
        return self._db.execute(statement, values).rowcount

    def clear(self) -> None:
        """Forget everything; what is being uploaded meanwhile goes on, and finds its bucket gone."""
        with self.transaction():
            for (blob,) in self.rows("SELECT blob FROM objects UNION SELECT blob FROM parts"):
                self.release(blob)
            for table in TABLES:
                self.run(f"DELETE FROM {table}")

    # Buckets

    def bucket(self, name: str) -> Resource:
        """A bucket's resource.

        Raises:
            StorageError: 404.
        """
        found = self.value("SELECT resource FROM buckets WHERE name = ?", name)
        if found is None:
            raise no_bucket(name)
        return _read(found)

    def put_bucket(self, resource: Resource) -> None:
        """Insert or replace a bucket."""
        self.run("INSERT OR REPLACE INTO buckets VALUES (?, ?)", resource["name"], orjson.dumps(resource))

    # Generations of objects

    def next_generation(self) -> int:
        """A generation number: microseconds since the epoch, always growing."""
        self._last_generation = max(self._last_generation + 1, int(self.clock.now() * 1_000_000))
        return self._last_generation

    def live(self, bucket: str, name: str) -> Generation | None:
        """The live generation of a name, if there is one."""
        found = self._select("bucket = ? AND name = ? AND state = 'live'", bucket, name)
        return found[0] if found else None

    def find(self, bucket: str, name: str, generation: int | None = None, *, soft: bool = False) -> Generation:
        """The live generation, or the given one; `soft` looks among the soft-deleted.

        Raises:
            StorageError: 404, no such bucket or object.
        """
        if generation is None:
            found = self.live(bucket, name)
        else:
            where = "bucket = ? AND name = ? AND generation = ? AND (state = 'soft') = ?"
            found = next(iter(self._select(where, bucket, name, generation, soft)), None)
        if found is None:
            self.bucket(bucket)
            raise no_object(bucket, name, generation)
        return found

    def select(self, where: str, *values: object, limit: int = -1) -> list[Generation]:
        """Generations in the order of bucket, name, generation."""
        return self._select(f"{where} ORDER BY bucket, name, generation LIMIT {limit}", *values)

    def _select(self, where: str, *values: object) -> list[Generation]:
        query = f"SELECT bucket, name, generation, state, blob, resource, purge_at FROM objects WHERE {where}"
        return [
            Generation(bucket, name, generation, state, blob, _read(resource), purge_at)
            for bucket, name, generation, state, blob, resource, purge_at in self._db.execute(query, values)
        ]

    def insert(self, new: Generation) -> None:
        """Store a new generation."""
        self.run(
            "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(new.bucket, new.name, new.generation, new.state, new.blob, new.size, new.purge_at),
            orjson.dumps(new.resource),
        )

    def update(self, changed: Generation) -> None:
        """Store the changed state and metadata of a generation."""
        self.run(
            "UPDATE objects SET state = ?, purge_at = ?, resource = ? WHERE bucket = ? AND name = ? AND generation = ?",
            *(changed.state, changed.purge_at, orjson.dumps(changed.resource)),
            *(changed.bucket, changed.name, changed.generation),
        )

    def rename(self, renamed: Generation, name: str) -> None:
        """Give a generation another name in its bucket; its bytes and its numbers stay."""
        self.run(
            "UPDATE objects SET name = ?, resource = ? WHERE bucket = ? AND name = ? AND generation = ?",
            *(name, orjson.dumps(renamed.resource | {"name": name})),
            *(renamed.bucket, renamed.name, renamed.generation),
        )

    def erase(self, gone: Generation) -> None:
        """Remove a generation for good."""
        self.run(
            "DELETE FROM objects WHERE bucket = ? AND name = ? AND generation = ?",
            *(gone.bucket, gone.name, gone.generation),
        )
        self.release(gone.blob)


def _read(stored: bytes) -> Resource:
    resource: Resource = orjson.loads(stored)
    return resource
