"""Vertex AI custom jobs: the trainer's container, run to its end on a machine of its own."""

from typing import Self

from google.cloud.aiplatform_v1 import JobServiceClient, ListCustomJobsRequest
from google.cloud.aiplatform_v1.types import (
    ContainerSpec,
    CustomJob,
    CustomJobSpec,
    EnvVar,
    JobState,
    MachineSpec,
    WorkerPoolSpec,
)

from dropforge.contracts.settings import Settings
from dropforge.gcp.errors import translated
from dropforge.gcp.vertex.connection import Connection
from dropforge.gcp.vertex.operations import REQUEST

_OVER_FOR_NOTHING = {JobState.JOB_STATE_FAILED, JobState.JOB_STATE_CANCELLED, JobState.JOB_STATE_EXPIRED}


class CustomJobs:
    """The custom jobs of one project and location, all of the trainer's image."""

    def __init__(self, client: JobServiceClient, parent: str, settings: Settings) -> None:
        self._client = client
        self._parent = parent
        self._settings = settings

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """The service, or the emulator where the settings name one."""
        to = Connection.of(settings)
        to.http.close()
        return cls(JobServiceClient(**to.client), to.parent, settings)

    def ensure(self, name: str, arguments: list[str]) -> None:
        """As `Jobs.ensure`; the name is the job's display name, for the service gives ids itself."""
        with translated(f"Looking for the custom job {name}", job=name):
            request = ListCustomJobsRequest(parent=self._parent, filter=f'display_name="{name}"')
            if any(job.state not in _OVER_FOR_NOTHING for job in self._client.list_custom_jobs(request)):
                return
        with translated(f"Starting the custom job {name}", job=name):
            self._client.create_custom_job(
                parent=self._parent, custom_job=self._described(name, arguments), timeout=REQUEST
            )

    def _described(self, name: str, arguments: list[str]) -> CustomJob:
        container = ContainerSpec(
            image_uri=self._settings.trainer_image,
            args=arguments,
            env=[EnvVar(name=key, value=value) for key, value in self._settings.variables().items()],
        )
        machine = MachineSpec(machine_type=self._settings.trainer_machine)
        pool = WorkerPoolSpec(machine_spec=machine, replica_count=1, container_spec=container)
        return CustomJob(display_name=name, job_spec=CustomJobSpec(worker_pool_specs=[pool]))

    def close(self) -> None:
        """Close the connection."""
        self._client.transport.close()  # type: ignore[no-untyped-call]  # typed in part
