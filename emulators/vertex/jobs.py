"""What all kinds of jobs share: created, carried out, cancelled, timed out, listed, deleted, and after a restart of the
emulator carried out again from the start, as the service does when a machine fails."""

import asyncio
import traceback
from collections.abc import Sequence
from typing import Any, Protocol

from emulators.vertex.calls import Call, Handler
from emulators.vertex.errors import ApiError, FailedPrecondition, NotFound
from emulators.vertex.listing import page
from emulators.vertex.names import fresh_id
from emulators.vertex.operations import Finish, Operations
from emulators.vertex.rules import check_labels
from emulators.vertex.schema import Json
from emulators.vertex.state import Store

_OUTPUT_ONLY = frozenset({"name", "state", "error", "createTime", "startTime", "endTime", "updateTime", "outputInfo"})
_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


class Progress:
    """What a running job may say and ask of itself."""

    def __init__(self, jobs: "Jobs", name: str) -> None:
        self._jobs = jobs
        self._name = name

    def note(self, **more: Any) -> None:
        """Add to the stored job."""
        self._jobs.change(self._name, **more)

    def cancelling(self) -> bool:
        """Whether somebody cancelled the job; if not, a cancellation comes from the emulator's own end."""
        return self._jobs.state(self._jobs.existing(self._name)) == "CANCELLING"


class Work(Protocol):
    """One kind of job."""

    collection: str
    message: type
    prefix: str  # of its states' names

    def check(self, job: Json) -> Json:
        """Complete what was given. Raises ApiError when it is wrong."""

    def admit(self, location: str, job: Json, running: Sequence[Json]) -> None:
        """Let a job begin beside those that run in the location. Raises ResourceExhausted when they are too many."""

    async def run(self, job: Json, progress: Progress) -> Json:
        """Do the work; what it returns is added to the job.

        Raises:
            ApiError: the job fails with this error.
            asyncio.CancelledError: it was cancelled; everything that it started is gone by then.
        """


class Jobs:
    """All jobs of one kind."""

    def __init__(self, store: Store, operations: Operations, work: Work) -> None:
        self._store = store
        self._operations = operations
        self._work = work
        self._kind = work.collection
        self._running: dict[str, asyncio.Task[None]] = {}
        operations.register(f"{work.collection}.delete", self._carry_out_delete)

    def handlers(self) -> dict[str, Handler]:
        """Calls by name."""
        calls = {
            "create": self.create,
            "get": self.get,
            "list": self.list,
            "cancel": self.cancel,
            "delete": self.delete,
        }
        return {f"aiplatform.{self._work.collection}.{verb}": call for verb, call in calls.items()}

    def resume(self) -> None:
        """Begin again with what had not ended."""
        for job in reversed(self._store.all(self._kind)):
            if self.state(job) == "CANCELLING":
                self._end(job["name"], "CANCELLED")
            elif self.state(job) not in _ENDED:
                self._launch(job["name"])

    def state(self, job: Json) -> str:
        """The state's name without its prefix."""
        return str(job["state"]).removeprefix(self._work.prefix)

    def existing(self, name: str) -> Json:
        """The job.

        Raises:
            NotFound: there is none.
        """
        job = self._store.get(self._kind, name)
        if job is None:
            raise NotFound(f"The {self._work.message.__name__} does not exist: {name}")
        return job

    def submit(self, parent: str, given: Json) -> Json:
        """Store a job and begin it."""
        job = {key: value for key, value in given.items() if key not in _OUTPUT_ONLY}
        check_labels(job.get("labels", {}))
        job = self._work.check(job)
        self._work.admit(
            parent, job, [other for other in self._all_running() if other["name"].startswith(f"{parent}/")]
        )
        now = self._operations.timestamp()
        name = f"{parent}/{self._work.collection}/{fresh_id()}"
        job |= {"name": name, "state": self._work.prefix + "PENDING", "createTime": now, "updateTime": now}
        self._store.put(self._kind, name, job)
        self._launch(name)
        return job

    def _all_running(self) -> list[Json]:
        return [job for job in self._store.all(self._kind) if self.state(job) not in _ENDED]

    async def create(self, call: Call) -> Json:
        """A new job, which begins at once."""
        return self.submit(call.name, call.message(self._work.message))

    async def get(self, call: Call) -> Json:
        """The job as it stands."""
        return self.existing(call.name)

    async def list(self, call: Call) -> Json:
        """All jobs of the location."""
        return page(self._store.all(self._kind, f"{call.name}/"), self._work.collection, call.query)

    async def cancel(self, call: Call) -> Json:
        """Ask the job to end; it is CANCELLED once everything that it started is gone. One that has ended stays."""
        self.stop_one(call.name)
        return {}

    def stop_one(self, name: str) -> None:
        """Cancel a job that still runs."""
        job = self.existing(name)
        task = self._running.get(name)
        if self.state(job) not in _ENDED and task is not None:
            self.change(name, state=self._work.prefix + "CANCELLING")
            task.cancel()

    async def ended(self, name: str) -> Json:
        """Wait until the job has ended; the job."""
        task = self._running.get(name)
        if task is not None:
            await asyncio.wait([task])
        return self.existing(name)

    async def delete(self, call: Call) -> Json:
        """Forget a job that has ended."""
        if self.state(self.existing(call.name)) not in _ENDED:
            raise FailedPrecondition(f"{call.name} has not ended. Cancel it before it is deleted.")
        return self._operations.start(
            f"{self._work.collection}.delete", call.name, {"name": call.name}, metadata="DeleteOperationMetadata"
        )

    async def _carry_out_delete(self, payload: Json) -> Finish:
        def finish() -> Json:
            self._store.delete(payload["name"])
            return {}

        return finish

    def _launch(self, name: str) -> None:
        task = self._running[name] = asyncio.create_task(self._carry_out(name))

        def ended(task: asyncio.Task[None]) -> None:
            self._running.pop(name, None)
            if not task.cancelled() and task.exception() is not None:
                traceback.print_exception(task.exception())
                self._end(name, "FAILED", error=ApiError("Internal error encountered.").rpc_status())

        task.add_done_callback(ended)

    async def _carry_out(self, name: str) -> None:
        try:
            await self._operations.reached(f"{self._work.collection}.RUNNING")
            job = self.change(name, state=self._work.prefix + "RUNNING", startTime=self._operations.timestamp())
            added = await self._work.run(job, Progress(self, name))
            await self._operations.reached(f"{self._work.collection}.SUCCEEDED")
            self._end(name, "SUCCEEDED", **added)
        except ApiError as error:
            self._end(name, "FAILED", error=error.rpc_status())
        except asyncio.CancelledError:
            if self.state(self.existing(name)) != "CANCELLING":
                raise  # the emulator ends, and will begin this job again
            self._end(name, "CANCELLED", error=ApiError("CANCELED", code="CANCELLED").rpc_status())

    def _end(self, name: str, state: str, **more: Any) -> None:
        self.change(name, state=self._work.prefix + state, endTime=self._operations.timestamp(), **more)

    def change(self, name: str, **more: Any) -> Json:
        """Store more of a job; the job."""
        job = self.existing(name) | more | {"updateTime": self._operations.timestamp()}
        return self._store.put(self._kind, name, job)

    async def stop(self) -> None:
        """End all work; what had not ended begins again at the next start."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
