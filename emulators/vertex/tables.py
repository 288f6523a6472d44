"""BigQuery, as far as Vertex AI reads and writes it; the emulator is found by BIGQUERY_EMULATOR_HOST."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from emulators.addresses import base_url
from emulators.vertex.errors import FailedPrecondition, InvalidArgument, NotFound
from emulators.vertex.schema import Json

VARIABLE = "BIGQUERY_EMULATOR_HOST"
ROWS_AT_ONCE = 10_000
_BOUNDARY = "dropforge-load"


class Table(NamedTuple):
    """A table's full name."""

    project: str
    dataset: str
    name: str


def parse(uri: str) -> Table:
    """The table of `bq://project.dataset.table`; what is left out is empty.

    Raises:
        InvalidArgument: it is no such URI.
    """
    given = uri.removeprefix("bq://").split(".")
    if not uri.startswith("bq://") or not given[0] or len(given) > 3:
        raise InvalidArgument(f"Expected bq://PROJECT.DATASET.TABLE. Got {uri!r}.")
    return Table(*[*given, "", "", ""][:3])


class Tables:
    """A client of the BigQuery emulator; use it as an asynchronous context."""

    def __init__(self) -> None:
        base = base_url(VARIABLE)
        if not base:
            raise FailedPrecondition(f"{VARIABLE} is not set, so BigQuery cannot be reached from this emulator.")
        self._client = httpx.AsyncClient(base_url=base, timeout=60.0)

    async def __aenter__(self) -> "Tables":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def schema(self, table: Table) -> list[Json]:
        """The table's columns.

        Raises:
            NotFound: there is no such table.
        """
        answer = await self._client.get(f"{_tables(table)}/{table.name}")
        fields: list[Json] = _body(answer, table)["schema"]["fields"]
        return fields

    async def rows(self, table: Table) -> AsyncIterator[Json]:
        """The table's rows as objects, each with its columns in their order.

        Raises:
            NotFound: there is no such table.
        """
        project = f"/bigquery/v2/projects/{table.project}"
        # BigQuery itself turns each row into JSON: else its types would have to be told apart here
        sql = f"SELECT TO_JSON_STRING(t) FROM `{'.'.join(table)}` AS t"
        query = {"query": sql, "useLegacySql": False, "maxResults": ROWS_AT_ONCE}
        page = _body(await self._client.post(f"{project}/queries", json=query), table)
        job = page["jobReference"]["jobId"]
        while True:
            for row in page.get("rows", []):
                yield json.loads(row["f"][0]["v"])
            if not page.get("pageToken"):
                return
            after = {"pageToken": page["pageToken"], "maxResults": str(ROWS_AT_ONCE)}
            page = _body(await self._client.get(f"{project}/queries/{job}", params=after), table)

    async def create(self, table: Table, fields: list[Json]) -> None:
        """Make a table, and its dataset, where they are not there yet."""
        dataset = {"projectId": table.project, "datasetId": table.dataset}
        datasets = f"/bigquery/v2/projects/{table.project}/datasets"
        described = {"tableReference": {**dataset, "tableId": table.name}, "schema": {"fields": fields}}
        for url, body in ((datasets, {"datasetReference": dataset}), (_tables(table), described)):
            answer = await self._client.post(url, json=body)
            if answer.status_code != 409:
                _body(answer, table)

    async def insert(self, table: Table, rows: list[Json]) -> list[Json]:
        """Add rows of `tabledata.insertAll`; why BigQuery refuses some of them."""
        answer = await self._client.post(f"{_tables(table)}/{table.name}/insertAll", json={"rows": rows})
        refused: list[Json] = _body(answer, table).get("insertErrors", [])
        return refused

    async def load(self, table: Table, fields: list[Json], rows: Path, job: str) -> None:
        """Append a file of JSON Lines, once under a job id.

        Raises:
            FailedPrecondition: BigQuery does not take the rows; the message is its own.
        """
        destination = {"projectId": table.project, "datasetId": table.dataset, "tableId": table.name}
        load = {
            "destinationTable": destination,
            "sourceFormat": "NEWLINE_DELIMITED_JSON",
            "schema": {"fields": fields},
            "writeDisposition": "WRITE_APPEND",
        }
        described = {"jobReference": {"projectId": table.project, "jobId": job}, "configuration": {"load": load}}
        head = f"--{_BOUNDARY}\r\ncontent-type: application/json\r\n\r\n{json.dumps(described)}\r\n"
        head += f"--{_BOUNDARY}\r\ncontent-type: application/octet-stream\r\n\r\n"
        answer = await self._client.post(
            f"/upload/bigquery/v2/projects/{table.project}/jobs",
            params={"uploadType": "multipart"},
            content=head.encode() + rows.read_bytes() + f"\r\n--{_BOUNDARY}--\r\n".encode(),
            headers={"content-type": f"multipart/related; boundary={_BOUNDARY}"},
        )
        if answer.status_code == 409:  # this job was begun before, and its load is done
            return
        status = _body(answer, table)["status"]
        if "errorResult" in status:
            raise FailedPrecondition(f"BigQuery did not load {'.'.join(table)}: {status['errorResult']['message']}")


def _tables(table: Table) -> str:
    return f"/bigquery/v2/projects/{table.project}/datasets/{table.dataset}/tables"


def _body(answer: httpx.Response, table: Table) -> dict[str, Any]:
    """The answer's body.

    Raises:
        NotFound: the table, or what it lies in, is not there.
        FailedPrecondition: BigQuery refused; the message is its own.
    """
    if answer.is_error:
        kind = NotFound if answer.status_code == 404 else FailedPrecondition
        raise kind(f"BigQuery, {'.'.join(filter(None, table))}: {_reason(answer)}")
    body: dict[str, Any] = answer.json()
    return body


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):  # not BigQuery's own answer
        return f"{answer.status_code}: {answer.text[:200]}"
