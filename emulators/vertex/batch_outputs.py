"""Where a batch prediction writes: a folder of Cloud Storage, or tables of BigQuery.

Names come from the job's own creation time, so that a job that is carried out again after a crash writes to the same
places.
"""

import json
import re
from pathlib import Path
from typing import Any, Protocol

import orjson

from emulators.vertex.batch_instances import Record
from emulators.vertex.errors import InvalidArgument
from emulators.vertex.names import last_segment
from emulators.vertex.objects import Objects
from emulators.vertex.schema import Json
from emulators.vertex.tables import Table, Tables, parse

_ERRORS = {
    "name": "errors",
    "type": "RECORD",
    "fields": [{"name": "code", "type": "INTEGER"}, {"name": "message", "type": "STRING"}],
}


class Output(Protocol):
    """One destination. `info` is the job's `outputInfo`."""

    info: Json

    def result(self, record: Record, prediction: Any, explanation: Json | None) -> bytes:
        """A line of the file of results."""

    def failure(self, record: Record, error: Json) -> bytes:
        """A line of the file of failures."""

    async def write(self, results: Path, failures: Path) -> None:
        """Bring both files to where they belong."""


def check_output(wanted: Json) -> None:
    """Refuse a destination that cannot be written here.

    Raises:
        InvalidArgument: it is none.
    """
    kind = wanted.get("predictionsFormat")
    if "bigqueryDestination" in wanted:
        parse(wanted["bigqueryDestination"].get("outputUri", ""))
        if kind != "bigquery":
            raise InvalidArgument(f"Expected the format bigquery for a BigQuery destination. Got {kind!r}.")
    elif kind != "jsonl" or not wanted.get("gcsDestination", {}).get("outputUriPrefix"):
        raise InvalidArgument(f"Expected a Cloud Storage destination in the format jsonl. Got {wanted}.")


async def output_of(job: Json, model_name: str) -> Output:
    """The destination of a job."""
    stamp = re.sub(r"[:.]", "_", job["createTime"])
    wanted = job["outputConfig"]
    key = job.get("instanceConfig", {}).get("keyField")
    if "bigqueryDestination" not in wanted:
        return Folder(f"{wanted['gcsDestination']['outputUriPrefix'].rstrip('/')}/prediction-{model_name}-{stamp}", key)
    given = parse(wanted["bigqueryDestination"]["outputUri"])
    stamp = re.sub(r"\W", "_", stamp)
    place = given if given.dataset else given._replace(dataset=re.sub(r"\W", "_", f"prediction_{model_name}_{stamp}"))
    suffix = f"_{stamp}" if given.dataset else ""
    source = job["inputConfig"].get("bigquerySource")
    columns = None
    if source and not key:
        async with Tables() as tables:
            columns = await tables.schema(parse(source["inputUri"]))
    predictions, errors = (
        place._replace(name=given.name or f"predictions{suffix}"),
        place._replace(name=f"errors{suffix}"),
    )
    return Dataset(predictions, errors, key, columns, last_segment(job["name"]))


class Folder:
    """Two objects of JSON Lines in a folder of Cloud Storage."""

    def __init__(self, folder: str, key: str | None) -> None:
        self.info: Json = {"gcsOutputDirectory": folder}
        self._folder = folder
        self._key = key

    def _shown(self, record: Record) -> Json:
        return {"key": (record.fields or {})[self._key]} if self._key else {"instance": record.value}

    def result(self, record: Record, prediction: Any, explanation: Json | None) -> bytes:
        """The instance, or its key, beside its prediction."""
        more = {"explanation": explanation} if explanation is not None else {}
        return orjson.dumps({**self._shown(record), "prediction": prediction, **more})

    def failure(self, record: Record, error: Json) -> bytes:
        """The instance, or its key, beside its error."""
        return orjson.dumps({**self._shown(record), "error": error})

    async def write(self, results: Path, failures: Path) -> None:
        """Both objects are written, if empty."""
        async with Objects() as objects:
            await objects.write(f"{self._folder}/prediction.results-00000-of-00001", results.read_bytes())
            await objects.write(f"{self._folder}/prediction.errors_stats-00000-of-00001", failures.read_bytes())


class Dataset:
    """Two tables of BigQuery: the source's columns, then `prediction` and `explanation`, JSON as text, or `errors`."""

    def __init__(
        self, predictions: Table, errors: Table, key: str | None, columns: list[Json] | None, job: str
    ) -> None:
        self.info: Json = {
            "bigqueryOutputDataset": f"bq://{predictions.project}.{predictions.dataset}",
            "bigqueryOutputTable": predictions.name,
        }
        self._predictions, self._errors = predictions, errors
        self._key, self._columns, self._job = key, columns, job
        self._seen: dict[str, str] = {}
        self._added = ["prediction"]

    def _shown(self, record: Record) -> Json:
        if self._key:
            fields = {"key": (record.fields or {})[self._key]}
        else:
            fields = record.fields if record.fields is not None else {"instance": record.value}
        clash = fields.keys() & {"prediction", "explanation", "errors"}
        if clash:
            raise InvalidArgument(f"The instances have a column that the output needs: {', '.join(sorted(clash))}.")
        return (
            fields if self._columns is not None else {name: self._typed(name, value) for name, value in fields.items()}
        )

    def _typed(self, name: str, value: Any) -> Any:
        """The value as a column takes it whose type is only known from the values; anything nested is text."""
        if value is None:
            return None
        kinds = {bool: "BOOLEAN", int: "INTEGER", float: "FLOAT"}
        kind, known = kinds.get(type(value), "STRING"), self._seen.get(name)
        numbers = {kind, known} <= {"INTEGER", "FLOAT"}
        self._seen[name] = kind if known in (None, kind) else "FLOAT" if numbers else "STRING"
        return value if isinstance(value, str | bool | int | float) else json.dumps(value)

    def result(self, record: Record, prediction: Any, explanation: Json | None) -> bytes:
        """A row of the table `predictions`."""
        row = {**self._shown(record), "prediction": json.dumps(prediction)}
        if explanation is not None:
            row["explanation"] = json.dumps(explanation)
            self._added = ["prediction", "explanation"]
        return orjson.dumps(row)

    def failure(self, record: Record, error: Json) -> bytes:
        """A row of the table `errors`."""
        return orjson.dumps({**self._shown(record), "errors": error})

    async def write(self, results: Path, failures: Path) -> None:
        """Both tables are made, if empty."""
        columns = self._columns or [{"name": name, "type": kind} for name, kind in self._seen.items()]
        added = [{"name": name, "type": "STRING"} for name in self._added]
        async with Tables() as tables:
            for table, rows, more in ((self._predictions, results, added), (self._errors, failures, [_ERRORS])):
                await tables.create(table, [*columns, *more])
                if rows.stat().st_size:
                    await tables.load(table, [*columns, *more], rows, f"batch-prediction-{self._job}-{table.name}")
