"""Custom jobs: the containers of every worker pool, run as processes to their end.

https://cloud.google.com/vertex-ai/docs/training/code-requirements#environment-variables
"""

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from google.cloud.aiplatform_v1 import types

from emulators.clock import Clock
from emulators.ports import free_port
from emulators.process import spawn
from emulators.vertex.containers import inherited, spec_variables
from emulators.vertex.errors import ApiError, FailedPrecondition, InvalidArgument
from emulators.vertex.images import Image, NoSuchImage, find_image
from emulators.vertex.jobs import Progress
from emulators.vertex.names import last_segment
from emulators.vertex.packages import SPEC, as_containers, check_package_spec
from emulators.vertex.quotas import TRAINING, Quotas, training_cpus
from emulators.vertex.schema import Json

LONGEST = 7 * 24 * 3600.0  # seconds; the service's own default
GRACE_SECONDS = 10.0
TAIL_BYTES = 2000


@dataclass
class _Worker:
    """One replica of one worker pool."""

    label: str  # such as `workerpool0-0`
    process: subprocess.Popen[bytes]
    log: Path


class CustomJobWork:
    """What a custom job does."""

    collection = "customJobs"
    message: type = types.CustomJob
    prefix = "JOB_STATE_"

    def __init__(self, clock: Clock, logs: Path, quotas: Quotas) -> None:
        self._quotas = quotas
        self._clock = clock
        self._logs = logs / "customJobs"

    def check(self, job: Json) -> Json:
        """Refuse what cannot be run."""
        if not job.get("displayName"):
            raise InvalidArgument("CustomJob.display_name is required.")
        check_worker_pools(job.get("jobSpec", {}))
        return job

    def admit(self, location: str, job: Json, running: Sequence[Json]) -> None:
        """Refuse a job for which the location has not CPUs enough."""
        self._quotas.check(TRAINING, sum(training_cpus(one["jobSpec"]) for one in (job, *running)), location)

    async def run(self, job: Json, progress: Progress) -> Json:  # noqa: ARG002  # part of the protocol
        """Run every replica; the first failure, or the end of the first pool's first replica, ends the job."""
        spec = job["jobSpec"]
        job_id = last_segment(job["name"])
        timeout = spec.get("scheduling", {}).get("timeout")
        deadline = self._clock.now() + (float(timeout.removesuffix("s")) if timeout else LONGEST)
        workers: list[_Worker] = []
        with tempfile.TemporaryDirectory(prefix="dropforge-packages-") as folder:
            pools = await as_containers(spec["workerPoolSpecs"], Path(folder))
            try:
                for variables, container, label in _replicas(job, spec | {"workerPoolSpecs": pools}):
                    workers.append(self._start(job_id, label, container, variables))
                await self._until_ended(workers, deadline)
            finally:
                await asyncio.shield(_stop([worker.process for worker in workers]))
        return {}

    def _start(self, job_id: str, label: str, container: Json, variables: dict[str, str]) -> _Worker:
        image = _image(container["imageUri"])
        told = spec_variables(container, variables)
        log = self._logs / job_id / f"{label}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = image.command_line(container.get("command", []), container.get("args", []), told)
        with log.open("ab") as output:
            try:
                process = spawn(
                    command,
                    environment={**inherited(), **image.environment, **told},
                    folder=image.folder,
                    stdout=output,
                    stderr=output,
                )
            except OSError as error:
                raise FailedPrecondition(f"The replica {label} could not be started: {error}") from error
        return _Worker(label, process, log)

    async def _until_ended(self, workers: list[_Worker], deadline: float) -> None:
        wait = 0.01
        while True:
            for worker in workers:
                status = worker.process.poll()
                if status:
                    raise InvalidArgument(
                        f"The replica {worker.label} exited with a non-zero status of {status}. Termination reason: "
                        f"Error. The log is {worker.log}. It ends with:\n{_tail(worker.log)}"
                    )
            if workers[0].process.poll() == 0:
                return
            if self._clock.now() > deadline:
                raise ApiError("The job was stopped because it exceeded its timeout.", code="DEADLINE_EXCEEDED")
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, 0.1)


def check_worker_pools(spec: Json) -> None:
    """Refuse a job specification that cannot be run here.

    Raises:
        InvalidArgument: it is incomplete.
    """
    pools = spec.get("workerPoolSpecs", [])
    if not pools:
        raise InvalidArgument("CustomJob.job_spec.worker_pool_specs is required.")
    for pool in pools:
        if SPEC in pool:
            check_package_spec(pool[SPEC])
        elif pool and not pool.get("containerSpec", {}).get("imageUri"):
            raise InvalidArgument("WorkerPoolSpec.container_spec.image_uri is required.")


def _replicas(job: Json, spec: Json) -> list[tuple[dict[str, str], Json, str]]:
    """Variables, container spec and label of each replica, the first pool's first one first."""
    pools = [pool for pool in spec["workerPoolSpecs"] if pool]
    cluster = {
        f"workerpool{index}": [f"127.0.0.1:{free_port()}" for _ in range(int(pool.get("replicaCount", 1)))]
        for index, pool in enumerate(pools)
    }
    found = []
    for index, pool in enumerate(pools):
        kind = f"workerpool{index}"
        for number in range(len(cluster[kind])):
            task = {"type": kind, "index": number, "cloud": last_segment(job["name"])}
            variables = {
                **_directories(spec),
                "CLOUD_ML_JOB_ID": last_segment(job["name"]),
                "CLOUD_ML_PROJECT_ID": job["name"].split("/")[1],
                "CLOUD_ML_REGION": job["name"].split("/")[3],
                "CLUSTER_SPEC": json.dumps({"cluster": cluster, "task": task, "environment": "cloud"}),
            }
            found.append((variables, pool["containerSpec"], f"{kind}-{number}"))
    return found


def _directories(spec: Json) -> dict[str, str]:
    base = spec.get("baseOutputDirectory", {}).get("outputUriPrefix", "").rstrip("/")
    if not base:
        return {}
    return {
        "AIP_MODEL_DIR": f"{base}/model/",
        "AIP_CHECKPOINT_DIR": f"{base}/checkpoints/",
        "AIP_TENSORBOARD_LOG_DIR": f"{base}/logs/",
    }


def _image(uri: str) -> Image:
    try:
        return find_image(uri)
    except NoSuchImage as error:
        raise FailedPrecondition(str(error)) from error


def _tail(log: Path) -> str:
    return log.read_bytes()[-TAIL_BYTES:].decode(errors="replace").strip()


async def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """SIGTERM, and SIGKILL for those that do not hear it."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    while any(process.poll() is None for process in processes) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()
