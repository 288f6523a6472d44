"""What outlives the process: resources, messages, and who still holds which message, in SQLite.

Writes queue up and are committed in groups, small ones at once, large ones by a thread; `flush` returns once all that
was queued before it is committed. A committed group is with the operating system, so it survives `kill -9`; the
write-ahead log keeps the file whole even when the machine stops, though it may then lack the last moments
(synchronous=NORMAL, https://sqlite.org/pragma.html).
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resource (
    kind TEXT, name TEXT, uid INTEGER, body BLOB, PRIMARY KEY (kind, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (seq INTEGER PRIMARY KEY, topic TEXT, published REAL, body BLOB);
CREATE TABLE IF NOT EXISTS holding (
    holder INTEGER, seq INTEGER, failures INTEGER, acked INTEGER, PRIMARY KEY (holder, seq)) WITHOUT ROWID;
"""

_QUICK_ROWS = 20  # a commit of so few takes about 0.1 ms, less than waking a thread and being woken by it
_CHECKPOINT_ROWS = 24_000  # some 8,000 messages published and acknowledged, or 32 MB of log at 1 kB each

Row = tuple[Any, ...]


class Memory:
    """The store of an emulator without a data folder: it keeps nothing."""

    keeps = False

    def resources(self, _kind: str) -> Iterator[tuple[str, int, bytes]]:
        """Each stored (name, uid, body) of a kind."""
        return iter(())

    def messages(self) -> Iterator[tuple[int, str, float, bytes]]:
        """Each stored (seq, topic, published, body), oldest first."""
        return iter(())

    def holdings(self) -> Iterator[tuple[int, int, int, int]]:
        """Each stored (holder, seq, failures, acked), oldest message first."""
        return iter(())

    def save(self, kind: str, name: str, uid: int, body: bytes) -> None:
        """Create or replace a resource."""

    def remove(self, kind: str, name: str) -> None:
        """Forget a resource."""

    def add_messages(self, rows: Sequence[Row]) -> None:
        """Keep messages: (seq, topic, published, body)."""

    def remove_messages(self, seqs: Iterable[int]) -> None:
        """Forget messages."""

    def hold(self, rows: Sequence[Row]) -> None:
        """Create or replace holdings: (holder, seq, failures, acked)."""

    def release(self, rows: Sequence[Row]) -> None:
        """Forget holdings: (holder, seq)."""

    def release_all(self, holder: int) -> None:
        """Forget every holding of one subscription or snapshot."""

    def clear(self) -> None:
        """Forget everything."""

    async def flush(self) -> None:
        """Return once all that was written before is safe."""

    def close(self) -> None:
        """Let go of the file."""


class Sqlite(Memory):
    """The store of an emulator with a data folder.

    Raises:
        sqlite3.OperationalError: the folder cannot be written, or another process has it open.
    """

    keeps = True

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(
            folder / "pubsub.sqlite3", timeout=0.5, check_same_thread=False, isolation_level=None
        )
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")  # two processes would each keep what the other acknowledged
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA wal_autocheckpoint=0")  # it syncs, so the thread does it, and not too often
        self._db.executescript(_SCHEMA)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="pubsub-store")
        self._rows_in_log = 0
        self._queued: list[tuple[str, Sequence[Row]]] = []
        self._commit: asyncio.Task[None] | None = None
        self._next: asyncio.Future[None] | None = None

    def resources(self, kind: str) -> Iterator[tuple[str, int, bytes]]:
        yield from self._db.execute("SELECT name, uid, body FROM resource WHERE kind = ? ORDER BY uid", (kind,))

    def messages(self) -> Iterator[tuple[int, str, float, bytes]]:
        yield from self._db.execute("SELECT seq, topic, published, body FROM message ORDER BY seq")

    def holdings(self) -> Iterator[tuple[int, int, int, int]]:
        yield from self._db.execute("SELECT holder, seq, failures, acked FROM holding ORDER BY holder, seq")

    def save(self, kind: str, name: str, uid: int, body: bytes) -> None:
        self._write("INSERT OR REPLACE INTO resource VALUES (?, ?, ?, ?)", [(kind, name, uid, body)])

    def remove(self, kind: str, name: str) -> None:
        self._write("DELETE FROM resource WHERE kind = ? AND name = ?", [(kind, name)])

    def add_messages(self, rows: Sequence[Row]) -> None:
        self._write("INSERT INTO message VALUES (?, ?, ?, ?)", rows)

    def remove_messages(self, seqs: Iterable[int]) -> None:
        self._write("DELETE FROM message WHERE seq = ?", [(seq,) for seq in seqs])

    def hold(self, rows: Sequence[Row]) -> None:
        self._write("INSERT OR REPLACE INTO holding VALUES (?, ?, ?, ?)", rows)

    def release(self, rows: Sequence[Row]) -> None:
        self._write("DELETE FROM holding WHERE holder = ? AND seq = ?", rows)

    def release_all(self, holder: int) -> None:
        self._write("DELETE FROM holding WHERE holder = ?", [(holder,)])

    def clear(self) -> None:
        for table in ("resource", "message", "holding"):
            self._write(f"DELETE FROM {table}", [()])

    async def flush(self) -> None:
        if self._next is None:
            if not self._queued:
                if self._commit is not None:
                    await asyncio.shield(self._commit)
                return
            self._next = asyncio.get_running_loop().create_future()
        if self._commit is None:
            self._commit = asyncio.create_task(self._commit_groups())
        await asyncio.shield(self._next)

    def close(self) -> None:
        self._writer.shutdown()
        self._write_group(self._queued)
        self._db.close()

    def _write(self, statement: str, rows: Sequence[Row]) -> None:
        if rows:
            self._queued.append((statement, rows))

    async def _commit_groups(self) -> None:
        """Commit what is queued, then what was queued meanwhile, until nothing waits."""
        loop = asyncio.get_running_loop()
        try:
            while self._next is not None:
                waiters, self._next = self._next, None
                group, self._queued = self._queued, []
                try:
                    if self._is_quick(group):
                        self._write_group(group)
                    else:
                        await loop.run_in_executor(self._writer, self._write_and_checkpoint, group)
                except sqlite3.Error as error:
                    waiters.set_exception(error)
                else:
                    waiters.set_result(None)
        finally:
            self._commit = None

    def _is_quick(self, group: list[tuple[str, Sequence[Row]]]) -> bool:
        """Whether a group is sooner committed than handed to the thread, and the log is not due to be checkpointed."""
        rows = sum(len(rows) for _, rows in group)
        self._rows_in_log += rows
        return rows <= _QUICK_ROWS and self._rows_in_log < _CHECKPOINT_ROWS

    def _write_and_checkpoint(self, group: list[tuple[str, Sequence[Row]]]) -> None:
        self._write_group(group)
        if self._rows_in_log >= _CHECKPOINT_ROWS:
            self._rows_in_log = 0
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _write_group(self, group: list[tuple[str, Sequence[Row]]]) -> None:
        self._db.execute("BEGIN")
        try:
            for statement, rows in group:
                self._db.executemany(statement, rows)
        except sqlite3.Error:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
