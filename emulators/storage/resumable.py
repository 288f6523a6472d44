"""Resumable uploads: begin, send chunks, ask how far it came, go on after an interruption or a restart.

https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import orjson

from emulators.storage.blobs import QUANTUM, Blob, BlobWriter
from emulators.storage.calls import Call, Reply, json_reply
from emulators.storage.errors import ClientGone, StorageError, invalid
from emulators.storage.preconditions import Preconditions
from emulators.storage.presentation import object_resource
from emulators.storage.resources import object_name
from emulators.storage.state import Generation, Store
from emulators.storage.uploads import check_digests, described, write_uploaded

Resource = dict[str, Any]

LIFE_SECONDS = 7 * 86400
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


class Resumable:
    """The uploads under way. Each is a row in the store and a file aside, so that it outlives this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writers: dict[str, BlobWriter] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def begin(self, call: Call) -> Reply:
        """Start an upload; the answer's Location is where its bytes go."""
        given = described(call, await call.json(), call.headers.get("x-upload-content-type", ""))
        name = object_name(given["name"])
        upload_id = self.record(call, name, given)
        query = urlencode({"uploadType": "resumable", "name": name, "upload_id": upload_id})
        location = f"{call.base_url}/upload/storage/v1/b/{call.path['bucket']}/o?{query}"
        return Reply(headers={"location": location, "x-guploader-uploadid": upload_id})

    def record(self, call: Call, name: str, given: Resource) -> str:
        """Store a new upload with the preconditions that its end will be held to; return its id.

        Raises:
            StorageError: 404 no such bucket.
        """
        bucket = call.path["bucket"]
        self._store.bucket(bucket)
        total = call.headers.get("x-upload-content-length")
        upload_id = uuid4().hex
        request = {
            "given": given,
            "conditions": asdict(Preconditions.of(call)),
            "projection": call.one("projection"),
            "total": int(total) if total and total.isdigit() else None,
        }
        with call.transaction() as store:
            expired = store.clock.now() - LIFE_SECONDS
            store.run("DELETE FROM uploads WHERE started < ? AND kind = 'resumable'", expired)
            store.run(
                "INSERT INTO uploads VALUES (?, 'resumable', ?, ?, ?, ?, NULL)",
                *(upload_id, bucket, name, store.clock.now(), orjson.dumps(request)),
            )
        return upload_id

    async def proceed(self, call: Call) -> Reply:
        """A PUT to an upload: a chunk, the whole, or the question how far it came."""
        upload_id = call.one("upload_id")
        lock = self._locks.setdefault(upload_id, asyncio.Lock())
        async with lock:
            row = self._row(call, upload_id)
            if row["result"] is not None:
                async for _ in call.body():  # a chunk sent again because the answer to it was lost
                    pass
                return _finished(call, row["result"])
            start, total = _sent(call)
            writer = await self._writer(upload_id)
            if start is not None:
                await self._take(call, writer, start)
            elif total is None:  # only a question
                return await self._incomplete(writer)
            whole = row["request"]["total"] if total is None else total
            if whole is None or writer.received < whole:
                return await self._incomplete(writer)
            if writer.received > whole:
                raise invalid(f"A resumable upload of {whole} bytes was sent {writer.received} bytes.")
            return await self._finish(call, upload_id, writer, row)

    async def cancel(self, call: Call) -> Reply:
        """A DELETE of an upload; 499 is the service's answer to it."""
        upload_id = call.one("upload_id")
        async with self._locks.setdefault(upload_id, asyncio.Lock()):
            self._row(call, upload_id)
            await self._drop(upload_id)
        return Reply(499)

    async def forget(self) -> None:
        """Drop all uploads; their rows are gone from the store."""
        for upload_id in list(self._writers):
            async with self._locks.setdefault(upload_id, asyncio.Lock()):
                await self._drop(upload_id)

    def _row(self, call: Call, upload_id: str) -> Resource:
        query = "SELECT bucket, name, request, result FROM uploads WHERE id = ? AND kind = 'resumable' AND started > ?"
        rows = self._store.rows(query, upload_id, self._store.clock.now() - LIFE_SECONDS)
        if not rows or rows[0][0] != call.path["bucket"]:
            self._locks.pop(upload_id, None)
            raise StorageError(404, "notFound", f"There is no resumable upload {upload_id!r}; it ended or expired.")
        _, name, request, result = rows[0]
        return {"name": name, "request": orjson.loads(request), "result": result and orjson.loads(result)}

    async def _writer(self, upload_id: str) -> BlobWriter:
        if upload_id not in self._writers:
            writer = self._store.blobs.writer(blob_id=upload_id)
            await writer.resume()
            self._writers[upload_id] = writer
        return self._writers[upload_id]

    async def _take(self, call: Call, writer: BlobWriter, start: int) -> None:
        """Append what of this chunk is new."""
        known = writer.received
        if start > known:
            raise StorageError(
                503,
                "backendError",
                f"A chunk must begin at or before byte {known}, where the upload stands. Got {start}.",
            )
        try:
            async for part in _after(call.body(), known - start):
                await writer.write(part)
        except ClientGone:
            await writer.keep_whole_quanta()
            raise

    async def _incomplete(self, writer: BlobWriter) -> Reply:
        if writer.received % QUANTUM:
            await writer.keep_whole_quanta()
        else:
            await writer.settle()
        headers = {"range": f"bytes=0-{writer.size - 1}"} if writer.size else {}
        return Reply(308, headers=headers)

    async def _finish(self, call: Call, upload_id: str, writer: BlobWriter, row: Resource) -> Reply:
        del self._writers[upload_id]
        blob = await writer.finish()
        given = row["request"]["given"]
        conditions = Preconditions(**row["request"]["conditions"])
        try:
            check_digests(given, call.headers, blob)
            with call.transaction() as store:
                new = write_uploaded(store, call.path["bucket"], row["name"], given, blob, conditions)
                result = {"name": new.name, "generation": new.generation, "resource": new.resource, "blob": blob.id}
                store.run("UPDATE uploads SET result = ? WHERE id = ?", orjson.dumps(result), upload_id)
        except Exception:
            await self._drop(upload_id, blob)
            raise
        self._locks.pop(upload_id, None)
        return _finished(call, result)

    async def _drop(self, upload_id: str, blob: Blob | None = None) -> None:
        writer = self._writers.pop(upload_id, None)
        if writer is not None:
            await writer.abandon()
        if blob is not None:
            await self._store.blobs.remove([blob.id])
        with self._store.transaction():
            self._store.run("DELETE FROM uploads WHERE id = ?", upload_id)
        self._locks.pop(upload_id, None)


def _sent(call: Call) -> tuple[int | None, int | None]:
    """Where the body begins, None for a mere question, and the total size, None while unknown.

    Raises:
        StorageError: 400, a Content-Range that cannot be read.
    """
    header = call.headers.get("content-range", "")
    if not header:
        length = call.headers.get("content-length")
        return 0, int(length) if length is not None else None
    match = _CONTENT_RANGE.fullmatch(header)
    if match is None:
        raise invalid(f"Content-Range must be 'bytes FIRST-LAST/TOTAL', with * where unknown. Got {header!r}.")
    first, _, total = match.groups()
    return (None if first is None else int(first)), (None if total == "*" else int(total))


async def _after(chunks: AsyncIterator[bytes], skip: int) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        if skip >= len(chunk):
            skip -= len(chunk)
            continue
        yield chunk[skip:] if skip else chunk
        skip = 0


def _finished(call: Call, result: Resource) -> Reply:
    subject = Generation(
        call.path["bucket"], result["name"], result["generation"], "live", result["blob"], result["resource"]
    )
    return json_reply(object_resource(call, subject))
