"""What a batch prediction reads: objects of Cloud Storage or a table of BigQuery, record by record, and what of each
record the model is asked.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.batchPredictionJobs#InstanceConfig
"""

import base64
import csv
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from emulators.vertex.errors import InvalidArgument
from emulators.vertex.objects import Objects, lines
from emulators.vertex.schema import Json
from emulators.vertex.tables import Tables, parse

FORMATS = ("jsonl", "csv", "file-list")  # of objects
TABLE = "bigquery"


@dataclass(frozen=True)
class Record:
    """One instance as it was read, and its fields by name, where it has such."""

    value: Any
    fields: Json | None = None


def check_input(given: Json, config: Json) -> None:
    """Refuse a source that cannot be read here.

    Raises:
        InvalidArgument: it is none, or how its records become instances contradicts itself.
    """
    kind = given.get("instancesFormat")
    if "bigquerySource" in given:
        table = parse(given["bigquerySource"].get("inputUri", ""))
        if kind != TABLE or not table.name:
            raise InvalidArgument(f"Expected bq://PROJECT.DATASET.TABLE in the format {TABLE}. Got {given}.")
    elif kind not in FORMATS or not given.get("gcsSource", {}).get("uris"):
        raise InvalidArgument(f"Expected a Cloud Storage source in the format {', '.join(FORMATS)}. Got {given}.")
    if config.get("includedFields") and config.get("excludedFields"):
        raise InvalidArgument("InstanceConfig has included_fields or excluded_fields, not both.")
    if config.get("instanceType", "object") not in ("object", "array"):
        raise InvalidArgument(f"Expected the instance_type object or array. Got {config['instanceType']!r}.")


async def records(given: Json) -> AsyncIterator[Record]:
    """Every record of a source.

    Raises:
        NotFound: an object or the table is not there.
        InvalidArgument: a line cannot be read; the message names it.
    """
    if "bigquerySource" in given:
        async with Tables() as tables:
            async for row in tables.rows(parse(given["bigquerySource"]["inputUri"])):
                yield Record(row, row)
        return
    async with Objects() as objects:
        for uri in given["gcsSource"]["uris"]:
            for name in await objects.matching(uri):
                content = await objects.read(name)
                if given["instancesFormat"] == "file-list":
                    for file in lines(content):
                        listed = await objects.read(file.decode().strip())
                        yield Record({"b64": base64.b64encode(listed).decode()})
                    continue
                for record in _parsed(content, given["instancesFormat"], name):
                    yield record


def _parsed(content: bytes, kind: str, name: str) -> Iterator[Record]:
    """The records of one file: a JSON value a line, or after a header a list a line in which text is quoted."""
    header: list[str] = []
    for number, line in enumerate(lines(content), start=1):
        try:
            if kind == "jsonl":
                value = orjson.loads(line)
                yield Record(value, value if isinstance(value, dict) else None)
            elif not header:
                (header,) = csv.reader([line.decode()])
            else:
                (row,) = csv.reader([line.decode()], quoting=csv.QUOTE_NONNUMERIC)
                yield Record(row, dict(zip(header, row, strict=True)))
        except (ValueError, csv.Error) as error:
            raise InvalidArgument(f"{name}, line {number}, cannot be read as {kind}: {error}") from error


def instance_of(record: Record, kind: str, config: Json) -> Any:
    """What the model is asked of a record: rows of tables are lists by default, everything else is as it was read.

    Raises:
        InvalidArgument: the record has not the fields that the configuration names.
    """
    wanted = config.get("instanceType") or ("array" if kind in (TABLE, "csv") else "object")
    included, key = config.get("includedFields", []), config.get("keyField")
    left_out = {*config.get("excludedFields", []), *([key] if key else [])}
    if record.fields is None:
        if included or left_out:
            raise InvalidArgument(f"Fields can only be chosen of objects. Got {record.value!r}.")
        return record.value
    if wanted == "array" and kind == "jsonl" and not included:
        raise InvalidArgument("InstanceConfig.included_fields must say in which order an object becomes an array.")
    missing = sorted({*included, *left_out} - record.fields.keys())
    if missing:
        raise InvalidArgument(f"InstanceConfig names fields that a record lacks: {', '.join(missing)}.")
    names = included or [name for name in record.fields if name not in left_out]
    return [record.fields[name] for name in names] if wanted == "array" else {n: record.fields[n] for n in names}
