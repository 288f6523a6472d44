"""Batch prediction: a model server is started for the job alone, and asked for the instances of files in Cloud Storage.

https://cloud.google.com/vertex-ai/docs/predictions/get-batch-predictions
"""

import csv
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
from google.cloud.aiplatform_v1 import types

from emulators.vertex.errors import ApiError, InvalidArgument, Unavailable, Unimplemented
from emulators.vertex.jobs import Progress
from emulators.vertex.models import Models
from emulators.vertex.names import last_segment
from emulators.vertex.objects import Objects, lines
from emulators.vertex.operations import Operations
from emulators.vertex.predictions import JSON_CONTENT, ask, predictions_of
from emulators.vertex.replicas import Deployment
from emulators.vertex.schema import Json
from emulators.vertex.serving import Serving

BATCH_SIZE = 64  # the service's default
_FORMATS = ("jsonl", "csv")


class BatchPredictionWork:
    """What a batch prediction job does."""

    collection = "batchPredictionJobs"
    message: type = types.BatchPredictionJob
    prefix = "JOB_STATE_"

    def __init__(self, models: Models, serving: Serving, operations: Operations) -> None:
        self._models = models
        self._serving = serving
        self._operations = operations

    def check(self, job: Json) -> Json:
        """Refuse what cannot be read or written here."""
        if not job.get("displayName"):
            raise InvalidArgument("BatchPredictionJob.display_name is required.")
        if not job.get("model"):
            raise Unimplemented("BatchPredictionJob.unmanaged_container_model is not implemented by this emulator.")
        given, wanted = job.get("inputConfig", {}), job.get("outputConfig", {})
        if "bigquerySource" in given or "bigqueryDestination" in wanted:
            raise Unimplemented("Batch prediction from and to BigQuery is not implemented by this emulator.")
        if given.get("instancesFormat") not in _FORMATS or not given.get("gcsSource", {}).get("uris"):
            raise InvalidArgument(
                f"Expected a Cloud Storage source in the format {' or '.join(_FORMATS)}. Got {given}."
            )
        if wanted.get("predictionsFormat") != "jsonl" or not wanted.get("gcsDestination", {}).get("outputUriPrefix"):
            raise InvalidArgument(f"Expected a Cloud Storage destination in the format jsonl. Got {wanted}.")
        version = self._models.version(job["model"])
        return job | {"model": version["name"], "modelVersionId": version["versionId"]}

    async def run(self, job: Json, progress: Progress) -> Json:
        """Ask for all instances, batch by batch, then write the answers and the failures."""
        version = self._models.version(f"{job['model']}@{job['modelVersionId']}")
        stamp = self._operations.timestamp().replace(":", "_").replace(".", "_")
        prefix = job["outputConfig"]["gcsDestination"]["outputUriPrefix"].rstrip("/")
        folder = f"{prefix}/prediction-{version['displayName']}-{stamp}"
        size = int(job.get("manualBatchTuningParameters", {}).get("batchSize", BATCH_SIZE))
        try:
            async with Objects() as objects, self._serving.temporary(job["name"], version) as deployment:
                instances = [each async for each in _instances(objects, job["inputConfig"])]
                results, failures = await _ask_all(deployment, instances, size, job.get("modelParameters"))
                progress.note(outputInfo={"gcsOutputDirectory": folder})
                await objects.write(f"{folder}/prediction.results-00000-of-00001", _jsonl(results))
                await objects.write(f"{folder}/prediction.errors_stats-00000-of-00001", _jsonl(failures))
        except httpx.HTTPError as error:
            raise Unavailable(f"Cloud Storage could not be reached: {error}") from error
        counts = {"successfulCount": str(len(results)), "failedCount": str(len(instances) - len(results))}
        if instances and not results:
            first = failures[0]["error"]["message"]
            raise ApiError(f"All {len(instances)} instances of {last_segment(job['name'])} failed. First: {first}")
        return {"completionStats": counts}


async def _instances(objects: Objects, config: Json) -> Any:
    for uri in config["gcsSource"]["uris"]:
        for name in await objects.matching(uri):
            content = await objects.read(name)
            for instance in _parsed(content, config["instancesFormat"], name):
                yield instance


def _parsed(content: bytes, kind: str, name: str) -> Iterator[Any]:
    """The instances of one file: a JSON value a line, or after a header a list a line in which text is quoted."""
    header = 1 if kind == "csv" else 0
    parse = _csv_row if kind == "csv" else orjson.loads
    for number, line in enumerate(lines(content), start=1):
        try:
            if number > header:
                yield parse(line)
        except (ValueError, csv.Error) as error:
            raise InvalidArgument(f"{name}, line {number}, cannot be read as {kind}: {error}") from error


def _csv_row(line: bytes) -> list[Any]:
    return next(csv.reader([line.decode()], quoting=csv.QUOTE_NONNUMERIC))


async def _ask_all(
    deployment: Deployment, instances: list[Any], size: int, parameters: Any
) -> tuple[list[Json], list[Json]]:
    """The predictions beside their instances, and the batches that failed."""
    results: list[Json] = []
    failures: list[Json] = []
    for start in range(0, len(instances), size):
        batch = instances[start : start + size]
        body = {"instances": batch} | ({"parameters": parameters} if parameters is not None else {})
        try:
            answer = await ask(deployment, orjson.dumps(body), JSON_CONTENT)
            predictions = predictions_of(answer)["predictions"]
        except ApiError as error:
            failures += [{"instance": instance, "error": error.rpc_status()} for instance in batch]
            continue
        if len(predictions) != len(batch):
            raise InvalidArgument(f"The model gave {len(predictions)} predictions for {len(batch)} instances.")
        results += [{"instance": one, "prediction": other} for one, other in zip(batch, predictions, strict=True)]
    return results, failures


def _jsonl(rows: list[Json]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)
