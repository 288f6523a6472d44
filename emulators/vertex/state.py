"""What is stored: JSON resources by name, in SQLite (WAL), so that what was acknowledged survives `kill -9`."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_kind ON resources (kind, position);
"""


class Store:
    """Resources of all kinds. One thread uses it: the event loop's."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        path = str(folder / "vertex.sqlite") if folder is not None else ":memory:"
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes within, or none; one within another is part of it. Nothing may be awaited within."""
        if self._database.in_transaction:
            yield
            return
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def put(self, kind: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Store a resource under its name, in place of what stood there."""
        self._database.execute(
            "INSERT INTO resources (name, kind, body) VALUES (?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            (name, kind, json.dumps(body)),
        )
        return body

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """A copy of the resource, if it is there."""
        row = self._database.execute("SELECT body FROM resources WHERE name = ? AND kind = ?", (name, kind)).fetchone()
        return None if row is None else json.loads(row[0])

    def all(self, kind: str, prefix: str = "") -> list[dict[str, Any]]:
        """Copies of the kind's resources whose names start with `prefix`, newest first."""
        rows = self._database.execute(
            "SELECT body FROM resources WHERE kind = ? AND substr(name, 1, ?) = ? ORDER BY position DESC",
            (kind, len(prefix), prefix),
        )
        return [json.loads(body) for (body,) in rows]

    def count(self, kind: str) -> int:
        """How many resources of the kind there are."""
        return int(self._database.execute("SELECT COUNT(*) FROM resources WHERE kind = ?", (kind,)).fetchone()[0])

    def delete(self, name: str) -> None:
        """Forget a resource; one that is not there is no error."""
        self._database.execute("DELETE FROM resources WHERE name = ?", (name,))

    def clear(self) -> None:
        """Forget everything."""
        self._database.execute("DELETE FROM resources")

    def close(self) -> None:
        """Close the file."""
        self._database.close()
