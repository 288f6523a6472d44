"""A bucket as the sink of a subscription, by the JSON API at STORAGE_EMULATOR_HOST: each batch is one new object."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import fastavro

from emulators.pubsub.entry import Entry
from emulators.pubsub.exports import files
from emulators.pubsub.exports.naming import file_name
from emulators.pubsub.exports.service import Service
from emulators.pubsub.exports.sink import BatchLimits
from emulators.pubsub.misfit import Misfit
from emulators.pubsub.runtime import Runtime

_MESSAGES = 2**31 - 1  # where the configuration sets no limit
_BYTES = 10 * 1024**3


class Bucket:
    """The bucket that a Subscription's cloud_storage_config names."""

    operation = "pubsub.export.cloud_storage"

    def __init__(self, runtime: Runtime, config: Any, schema_of: Callable[[str], Any]) -> None:
        self._runtime = runtime
        self._schema_of = schema_of
        self.config = config
        self._service = Service(runtime.http, "STORAGE_EMULATOR_HOST")

    def limits(self) -> BatchLimits:
        export = self.config.cloud_storage_config
        seconds = export.max_duration.ToNanoseconds() / 1e9
        return BatchLimits(export.max_messages or _MESSAGES, export.max_bytes or _BYTES, seconds)

    async def check(self) -> None:
        await self._service.call("GET", f"/storage/v1/b/{quote(self.config.cloud_storage_config.bucket, safe='')}")

    async def write(self, entries: Sequence[Entry]) -> dict[Entry, str]:
        export = self.config.cloud_storage_config
        content, refused = await asyncio.to_thread(self._file, entries)
        if len(refused) == len(entries):
            return refused
        query = {
            "uploadType": "media",
            "name": file_name(export, self._runtime.clock.datetime()),
            "ifGenerationMatch": "0",
        }
        await self._service.call(
            "POST",
            f"/upload/storage/v1/b/{quote(export.bucket, safe='')}/o",
            params=query,
            content=content,
            headers={"content-type": "application/octet-stream" if export.HasField("avro_config") else "text/plain"},
        )
        return refused

    def _file(self, entries: Sequence[Entry]) -> tuple[bytes, dict[Entry, str]]:
        """The file of these messages, and those that do not belong in it, with the reason."""
        export = self.config.cloud_storage_config
        bodies = [entry.message.body for entry in entries]
        if not export.HasField("avro_config"):
            return files.text(bodies), {}
        settings = self._schema_of(self.config.topic)
        if export.avro_config.use_topic_schema and settings is not None:
            return self._topic_file(entries, settings)
        return files.avro(bodies, self.config.name, with_metadata=export.avro_config.write_metadata), {}

    def _topic_file(self, entries: Sequence[Entry], settings: Any) -> tuple[bytes, dict[Entry, str]]:
        """As `_file`, by the newest revision of the topic's schema; where that is no record, none belongs in it."""
        described = self.config.cloud_storage_config.avro_config.write_metadata
        try:
            schema = self._runtime.schemas.record_schema(settings)
        except Misfit as error:
            return b"", dict.fromkeys(entries, str(error))
        schema = fastavro.parse_schema(files.with_metadata_fields(schema) if described else schema)
        records: list[dict[str, Any]] = []
        refused: dict[Entry, str] = {}
        for entry in entries:
            body = entry.message.body
            try:
                record = self._runtime.schemas.datum(settings, body)
                record = (files.metadata(self.config.name, body) if described else {}) | record
                files.check_record(schema, record)
            except Misfit as error:
                refused[entry] = str(error)
            else:
                records.append(record)
        return files.avro_file(schema, records), refused
