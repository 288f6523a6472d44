"""A BigQuery table as the sink of a subscription, by the REST API at BIGQUERY_EMULATOR_HOST.

The service itself uses the Storage Write API's default stream. What a subscriber can see of that is the same: rows are
written at least once, and a row that the table refuses does not keep the others out.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from emulators.pubsub.entry import Entry
from emulators.pubsub.exports import rows
from emulators.pubsub.exports.service import Service
from emulators.pubsub.exports.settings import table_of
from emulators.pubsub.exports.sink import BatchLimits
from emulators.pubsub.runtime import Runtime

_ROWS, _BYTES = 500, 5_000_000  # what BigQuery advises for one insertAll, and half of what it takes


class BigQueryTable:
    """The table that a Subscription's bigquery_config names."""

    operation = "pubsub.export.bigquery"

    def __init__(self, runtime: Runtime, config: Any, schema_of: Callable[[str], Any]) -> None:
        self._runtime = runtime
        self._schema_of = schema_of
        self.config = config
        self._service = Service(runtime.http, "BIGQUERY_EMULATOR_HOST")

    def limits(self) -> BatchLimits:
        """Everything at once, as soon as it comes."""
        return BatchLimits(_ROWS, _BYTES, 0.0)

    async def check(self) -> None:
        await self._columns()

    async def write(self, entries: Sequence[Entry]) -> dict[Entry, str]:
        columns = await self._columns()
        refused: dict[Entry, str] = {}
        written: list[Entry] = []
        listed: list[bytes] = []
        for entry in entries:
            try:
                listed.append(_encoded(self._row(entry.message.body, columns)))
                written.append(entry)
            except (ValueError, OverflowError, RecursionError) as error:
                refused[entry] = str(error)
        if listed:
            refused |= {written[at]: reason for at, reason in (await self._insert(listed)).items()}
        return refused

    async def _columns(self) -> rows.Columns:
        answer = await self._service.call("GET", self._path())
        return rows.columns_of(answer)

    async def _insert(self, listed: list[bytes]) -> dict[int, str]:
        """Rows that the table refused, by their place, with the reason; the others are in it."""
        ignore = b"true" if self.config.bigquery_config.drop_unknown_fields else b"false"
        answer = await self._service.call(
            "POST",
            f"{self._path()}/insertAll",
            content=b'{"skipInvalidRows":true,"ignoreUnknownValues":%b,"rows":[%b]}' % (ignore, b",".join(listed)),
            headers={"content-type": "application/json"},
        )
        return {
            int(error["index"]): "; ".join(each["message"] or each["reason"] for each in error["errors"])
            for error in answer.get("insertErrors", [])
        }

    def _path(self) -> str:
        project, dataset, table = table_of(self.config.bigquery_config.table)
        return f"/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{table}"

    def _row(self, body: Any, columns: rows.Columns) -> rows.Row:
        export = self.config.bigquery_config
        settings = self._schema_of(self.config.topic)
        if export.use_table_schema:
            row = rows.json_row(body.data, columns)
        elif export.use_topic_schema and settings is not None:
            row = rows.fitted(self._runtime.schemas.datum(settings, body), columns)
        else:
            row = rows.data_row(body.data, columns)
        if export.write_metadata:
            row = rows.metadata(self.config.name, body) | row
        return row


def _encoded(row: rows.Row) -> bytes:
    """A row as insertAll takes it.

    Raises:
        ValueError: JSON or UTF-8 has no form for a value: no number, an infinite one, half a surrogate pair.
    """
    return json.dumps({"json": row}, allow_nan=False, ensure_ascii=False).encode()
