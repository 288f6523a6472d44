"""Training pipelines with a custom task: a custom job, and then the model that it made is uploaded."""

import asyncio
from collections.abc import Sequence

from google.cloud.aiplatform_v1 import types

from emulators.vertex.custom_jobs import check_worker_pools
from emulators.vertex.errors import ApiError, InvalidArgument, Unimplemented
from emulators.vertex.jobs import Jobs, Progress
from emulators.vertex.names import location_of
from emulators.vertex.schema import Json, canonical_body
from emulators.vertex.versions import Versions

_CUSTOM_TASK = "custom_task"


class TrainingPipelineWork:
    """What a training pipeline does."""

    collection = "trainingPipelines"
    message: type = types.TrainingPipeline
    prefix = "PIPELINE_STATE_"

    def __init__(self, custom_jobs: Jobs, versions: Versions) -> None:
        self._custom_jobs = custom_jobs
        self._versions = versions

    def check(self, job: Json) -> Json:
        """Refuse other tasks than custom ones, and data sets."""
        if not job.get("displayName"):
            raise InvalidArgument("TrainingPipeline.display_name is required.")
        if _CUSTOM_TASK not in job.get("trainingTaskDefinition", ""):
            raise Unimplemented(f"Training task {job.get('trainingTaskDefinition')!r} is not implemented: only custom.")
        if "inputDataConfig" in job:
            raise Unimplemented("TrainingPipeline.input_data_config is not implemented by this emulator.")
        check_worker_pools(_job_spec(job))
        return job

    def admit(self, location: str, job: Json, running: Sequence[Json]) -> None:
        """Its custom job is counted, not itself."""

    async def run(self, job: Json, progress: Progress) -> Json:
        """Run the custom job to its end, then upload."""
        backing = job.get("trainingTaskMetadata", {}).get("backingCustomJob")
        if backing is None:  # else the emulator ended meanwhile, and the custom job goes on by itself
            given = {"displayName": f"{job['displayName']}-custom-job", "jobSpec": _job_spec(job)}
            backing = self._custom_jobs.submit(location_of(job["name"]), given)["name"]
            progress.note(trainingTaskMetadata={"backingCustomJob": backing})
        try:
            ended = await self._custom_jobs.ended(backing)
        except asyncio.CancelledError:
            if progress.cancelling():
                self._custom_jobs.stop_one(backing)
                await asyncio.shield(self._custom_jobs.ended(backing))
            raise
        if ended["state"] != "JOB_STATE_SUCCEEDED":
            message = ended.get("error", {}).get("message", "It was cancelled.")
            raise InvalidArgument(f"Training failed: {message}")
        return self._upload(job)

    def _upload(self, job: Json) -> Json:
        model = job.get("modelToUpload")
        if model is None:
            return {}
        base = _job_spec(job).get("baseOutputDirectory", {}).get("outputUriPrefix", "").rstrip("/")
        if not base:
            raise ApiError("A model can only be uploaded from a base output directory.", code="FAILED_PRECONDITION")
        made = self._versions.add(
            location_of(job["name"]),
            {**model, "artifactUri": f"{base}/model"},
            parent=job.get("parentModel", ""),
            model_id=job.get("modelId", ""),
        )
        uploaded = self._versions.version(f"{made['model']}@{made['modelVersionId']}")
        return {"modelToUpload": {**model, **{key: uploaded[key] for key in ("name", "versionId", "artifactUri")}}}


def _job_spec(job: Json) -> Json:
    return canonical_body(types.CustomJobSpec, job.get("trainingTaskInputs", {}), lenient=True)
