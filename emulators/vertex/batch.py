"""Batch prediction: model servers are started for the job alone, and asked for the instances of files or of a table.

https://cloud.google.com/vertex-ai/docs/predictions/get-batch-predictions
"""

import asyncio
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
from google.cloud.aiplatform_v1 import types

from emulators.vertex.batch_instances import Record, check_input, instance_of, records
from emulators.vertex.batch_outputs import Output, check_output, output_of
from emulators.vertex.errors import ApiError, InvalidArgument, Unavailable
from emulators.vertex.explanations import check_spec, explained, merged
from emulators.vertex.jobs import Progress
from emulators.vertex.names import last_segment
from emulators.vertex.predictions import predictions_for
from emulators.vertex.replicas import Deployment
from emulators.vertex.schema import Json
from emulators.vertex.serving import Serving
from emulators.vertex.versions import Versions

BATCH_SIZE = 64  # the service's default
BATCHES_PER_REPLICA = 2  # asked at once, so that a model server need not wait for the next


@dataclass(frozen=True)
class Answers:
    """What became of one batch: a prediction for each record, or one error for all."""

    records: list[Record]
    predictions: list[Any]
    explanations: list[Json] | None = None
    error: Json | None = None


class BatchPredictionWork:
    """What a batch prediction job does."""

    collection = "batchPredictionJobs"
    message: type = types.BatchPredictionJob
    prefix = "JOB_STATE_"

    def __init__(self, versions: Versions, serving: Serving) -> None:
        self._versions = versions
        self._serving = serving

    def check(self, job: Json) -> Json:
        """Refuse what cannot be read, asked or written here."""
        if not job.get("displayName"):
            raise InvalidArgument("BatchPredictionJob.display_name is required.")
        if ("model" in job) == ("unmanagedContainerModel" in job):
            raise InvalidArgument("Exactly one of model and unmanaged_container_model must be set.")
        check_input(job.get("inputConfig", {}), job.get("instanceConfig", {}))
        check_output(job.get("outputConfig", {}))
        version = self._version(job)
        if job.get("generateExplanation"):
            job = job | {"explanationSpec": merged(version.get("explanationSpec", {}), job.get("explanationSpec", {}))}
            check_spec(job["explanationSpec"])
        named = {"model": version["name"], "modelVersionId": version["versionId"]} if "model" in job else {}
        return job | named

    def _version(self, job: Json) -> Json:
        """The model's version, or what stands for one when a container is asked without being registered."""
        if "unmanagedContainerModel" in job:
            given: Json = job["unmanagedContainerModel"]
            if not given.get("containerSpec", {}).get("imageUri"):
                raise InvalidArgument("UnmanagedContainerModel.container_spec.image_uri is required.")
            return given | {"displayName": "unmanaged-container-model"}
        version = f"@{job['modelVersionId']}" if "modelVersionId" in job else ""
        return self._versions.version(f"{job['model']}{version}")

    def admit(self, location: str, job: Json, running: Sequence[Json]) -> None:
        """No quota here counts batch predictions."""

    async def run(self, job: Json, progress: Progress) -> Json:
        """Ask for all instances, batch by batch, then write the answers and the failures."""
        version = self._version(job)
        with tempfile.TemporaryDirectory(prefix="dropforge-batch-") as folder:
            results, failures = Path(folder) / "results", Path(folder) / "failures"
            try:
                output = await output_of(job, version["displayName"])
                with results.open("wb") as good, failures.open("wb") as bad:
                    counts = await self._ask_all(job, version, output, good, bad)
                progress.note(outputInfo=output.info)
                await output.write(results, failures)
            except httpx.HTTPError as error:
                raise Unavailable(f"Cloud Storage or BigQuery could not be reached: {error}") from error
        return {"completionStats": counts}

    async def _ask_all(self, job: Json, version: Json, output: Output, good: IO[bytes], bad: IO[bytes]) -> Json:
        """Ask for every record and note every answer; the counts of both kinds."""
        succeeded, failed, first = 0, 0, ""
        resources = job.get("dedicatedResources", {})
        count = max(1, int(resources.get("startingReplicaCount", 0)))
        wanted = {"machineSpec": resources.get("machineSpec", {}), "minReplicaCount": count}
        async with self._serving.temporary(job["name"], version, wanted) as deployment:
            async for answers in _answers(deployment, job, count * BATCHES_PER_REPLICA):
                if answers.error is not None:
                    failed += len(answers.records)
                    first = first or answers.error["message"]
                    bad.writelines(output.failure(record, answers.error) + b"\n" for record in answers.records)
                    continue
                succeeded += len(answers.records)
                explanations: list[Json] | list[None] = answers.explanations or [None] * len(answers.records)
                for record, prediction, explanation in zip(
                    answers.records, answers.predictions, explanations, strict=True
                ):
                    good.write(output.result(record, prediction, explanation) + b"\n")
        if failed and not succeeded:
            raise ApiError(f"All {failed} instances of {last_segment(job['name'])} failed. First: {first}")
        return {"successfulCount": str(succeeded), "failedCount": str(failed)}


async def _answers(deployment: Deployment, job: Json, at_once: int) -> AsyncIterator[Answers]:
    """The answers to all batches in the order of the records, so many batches being asked at a time."""
    asked: deque[asyncio.Task[Answers]] = deque()
    try:
        async for batch in _batches(job):
            asked.append(asyncio.create_task(_ask(deployment, batch, job)))
            if len(asked) >= at_once:
                yield await asked.popleft()
        while asked:
            yield await asked.popleft()
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _batches(job: Json) -> AsyncIterator[list[Record]]:
    size = int(job.get("manualBatchTuningParameters", {}).get("batchSize", 0)) or BATCH_SIZE
    batch: list[Record] = []
    async for record in records(job["inputConfig"]):
        batch.append(record)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


async def _ask(deployment: Deployment, batch: list[Record], job: Json) -> Answers:
    """One batch's predictions; a batch that fails is noted, and the job goes on."""
    kind, config = job["inputConfig"]["instancesFormat"], job.get("instanceConfig", {})
    instances = [instance_of(record, kind, config) for record in batch]

    async def predict(some: list[Any]) -> list[Any]:
        return await predictions_for(deployment, some, job.get("modelParameters"))

    try:
        if not job.get("generateExplanation"):
            return Answers(batch, await predict(instances))
        explanations, predictions = await explained(predict, instances, job["explanationSpec"])
        return Answers(batch, predictions, explanations)
    except ApiError as error:
        return Answers(batch, [], error=error.rpc_status())
