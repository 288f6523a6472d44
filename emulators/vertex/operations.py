"""Long-running operations: answered as unfinished, carried out behind, done with a response or an error, and carried
out again after a restart when they were not done."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from emulators.transitions import Transitions
from emulators.vertex.calls import Call, Handler
from emulators.vertex.errors import ApiError, NotFound
from emulators.vertex.listing import page
from emulators.vertex.names import fresh_id
from emulators.vertex.schema import Json
from emulators.vertex.state import Store

KIND = "operation"
TYPES = "type.googleapis.com/google.cloud.aiplatform.v1."
POLL_SECONDS = 1.0
EMPTY = "type.googleapis.com/google.protobuf.Empty"

# Does the slow part, and returns what writes the effect and names the response. It is called again after a restart, so
# the slow part must bear a repetition; the effect is written together with the operation's end, so it happens once.
Finish = Callable[[], Json]
Work = Callable[[Json], Awaitable[Finish]]
# Gives up what the slow part has begun, such as processes, where its effect is not written after all; by the payload.
Undo = Callable[[Json], None]


class Operations:
    """All operations of the emulator."""

    def __init__(self, store: Store, transitions: Transitions) -> None:
        self._store = store
        self._clock = transitions.clock
        self._transitions = transitions
        self._work: dict[str, Work] = {}
        self._undo: dict[str, Undo] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def handlers(self) -> dict[str, Handler]:
        """Calls by name."""
        return {
            "aiplatform.operations.get": self.get,
            "aiplatform.operations.list": self.list,
            "aiplatform.operations.delete": self.delete,
            "aiplatform.operations.cancel": self.cancel,
            "aiplatform.operations.wait": self.wait,
        }

    def register(self, work: str, carry_out: Work, undo: Undo | None = None) -> None:
        """Name a kind of work, so that a restarted emulator finds it again; `undo` is for one that leaves something."""
        self._work[work] = carry_out
        if undo is not None:
            self._undo[work] = undo

    def start(self, work: str, resource: str, payload: Json, *, metadata: str, response: str = EMPTY) -> Json:
        """Begin an operation below `resource` and return it, unfinished, as the answer.

        Args:
            work: a registered kind.
            resource: name that the operation stands below.
            payload: what the work needs, as JSON.
            metadata: message type of the metadata, such as `UploadModelOperationMetadata`.
            response: full type URL of the response, or the message's name.
        """
        now = self.timestamp()
        operation: Json = {
            "name": f"{resource}/operations/{fresh_id()}",
            "metadata": {"@type": TYPES + metadata, "genericMetadata": {"createTime": now, "updateTime": now}},
            "done": False,
            "_work": work,
            "_payload": payload,
            "_response": response if "/" in response else TYPES + response,
        }
        self._store.put(KIND, operation["name"], operation)
        self._launch(operation)
        return _public(operation)

    def resume(self) -> None:
        """Carry on with what was acknowledged but not done when the emulator ended."""
        for operation in reversed(self._store.all(KIND)):
            if not operation["done"]:
                self._launch(operation)

    def under_way(self, work: str) -> list[Json]:
        """The payloads of all operations of a kind that are not done yet."""
        running = [self._existing(name) for name in self._running]
        return [operation["_payload"] for operation in running if operation["_work"] == work and not operation["done"]]

    def timestamp(self) -> str:
        """Now, in RFC 3339."""
        return self._clock.datetime().isoformat(timespec="microseconds").replace("+00:00", "Z")

    def _launch(self, operation: Json) -> None:
        name = operation["name"]
        task = self._running[name] = asyncio.create_task(self._carry_out(operation))

        def ended(task: asyncio.Task[None]) -> None:
            self._running.pop(name, None)
            if not task.cancelled() and task.exception() is not None:
                traceback.print_exception(task.exception())
                self._end(operation, error=ApiError("Internal error encountered.").rpc_status())

        task.add_done_callback(ended)

    async def _carry_out(self, operation: Json) -> None:
        try:
            finish = await self._work[operation["_work"]](operation["_payload"])
            await self._write(operation, finish)
        except ApiError as error:
            self._end(operation, error=error.rpc_status())

    async def _write(self, operation: Json, finish: Finish) -> None:
        """Write the effect with the operation's end; undo what was begun for it when that fails or is cancelled."""
        work = operation["_work"]
        try:
            await self.reached(f"{work}.done")
            with self._store.transaction():
                self._end(operation, response={"@type": operation["_response"], **finish()})
        except BaseException:
            if work in self._undo:
                self._undo[work](operation["_payload"])
            raise

    async def reached(self, change: str) -> None:
        """Make a change of state, unless a fault was ordered for it. Raises ApiError when that says so."""
        fault = await self._transitions.reached(change)
        if fault is not None:
            raise ApiError.of_status(fault.status, f"Ordered by fault {fault.id}.")

    def _end(self, operation: Json, **outcome: Json) -> None:
        operation["metadata"]["genericMetadata"]["updateTime"] = self.timestamp()
        self._store.put(KIND, operation["name"], operation | outcome | {"done": True})

    def _existing(self, name: str) -> Json:
        operation = self._store.get(KIND, self._whole(name))
        if operation is None:
            raise NotFound(f"Operation not found: {name}")
        return operation

    def _whole(self, name: str) -> str:
        """The operation's whole name. `gcloud ai operations describe` leaves out the resource that it stands below."""
        location, _, operation = name.partition("/operations/")
        if location.count("/") > 3 or self._store.get(KIND, name) is not None:
            return name
        found = (each["name"] for each in self._store.all(KIND) if each["name"].endswith(f"/operations/{operation}"))
        return next((whole for whole in found if whole.startswith(f"{location}/")), name)

    async def get(self, call: Call) -> Json:
        """The operation as it stands, or as it ends within a second: clients sleep longer than that between polls."""
        await self._ended(self._whole(call.name), POLL_SECONDS)
        return _public(self._existing(call.name))

    async def _ended(self, name: str, seconds: float) -> None:
        task = self._running.get(name)
        if task is not None:
            await asyncio.wait([task], timeout=seconds)

    async def list(self, call: Call) -> Json:
        """Operations below a resource or a whole location."""
        below = [operation for operation in self._store.all(KIND) if operation["name"].startswith(call.name + "/")]
        return page([_public(operation) for operation in below], "operations", call.query)

    async def delete(self, call: Call) -> Json:
        """Forget a finished operation."""
        self._existing(call.name)
        self._store.delete(call.name)
        return {}

    async def cancel(self, call: Call) -> Json:
        """Stop the work if it still runs; the operation then ends with CANCELLED."""
        operation = self._existing(call.name)
        task = self._running.get(call.name)
        if task is not None and not operation["done"]:
            task.cancel()
            self._end(operation, error=ApiError("The operation was cancelled.", code="CANCELLED").rpc_status())
        return {}

    async def wait(self, call: Call) -> Json:
        """The operation when it is done, or after the given time (`timeout=2.5s`), whichever comes first."""
        await self._ended(call.name, float(call.query.get("timeout", "30s").rstrip("s")))
        return _public(self._existing(call.name))

    async def stop(self) -> None:
        """End all work without ending its operations: they resume at the next start."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _public(operation: Json) -> dict[str, Any]:
    return {key: value for key, value in operation.items() if not key.startswith("_")}
