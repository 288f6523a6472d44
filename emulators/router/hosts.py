"""The host of one function: starts instances on demand, hands out their slots, and takes them back.

Cloud Run's rules: an instance works on up to `concurrency` requests at once; who finds all taken waits, while another
instance is started, up to `max_instances`; who waits too long, or finds the queue full, gets 429.
https://cloud.google.com/run/docs/about-instance-autoscaling
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from emulators.clock import Clock
from emulators.router.counts import Counts
from emulators.router.errors import Crashed, NoAnswer, StartFailed, TimedOut, TooBusy
from emulators.router.instance import Instance
from emulators.router.logs import Log
from emulators.router.runtime import Runtime
from emulators.transitions import Transitions
from functions.flow import Function


@dataclass
class FunctionHost:
    """All instances of one function."""

    name: str
    function: Function
    runtime: Runtime
    clock: Clock
    log: Log
    transitions: Transitions
    instances: list[Instance] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = Counts(self.clock, self.log)
        self._waiting: deque[asyncio.Future[Instance]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def capacity(self) -> int:
        """How many requests can be worked on at once."""
        return self.function.concurrency * self.function.max_instances

    @property
    def waiting(self) -> int:
        """How many requests wait for an instance."""
        return len(self._waiting)

    @asynccontextmanager
    async def slot(self, patience_seconds: float) -> AsyncIterator[Instance]:
        """An instance for one request, waited for at most `patience_seconds` plus the time of a cold start.

        The body must end within the function's time-out. Every failure is counted, and told in the function's log.

        Raises:
            NoAnswer: of the kind that fits.
        """
        self.counts.requests += 1
        try:
            instance = await self._acquire(patience_seconds)
            try:
                async with asyncio.timeout(self.function.timeout_seconds):
                    yield instance
            except TimeoutError as error:
                self._replace(instance)
                raise TimedOut(f"The request exceeded the time-out of {self.function.timeout_seconds} s.") from error
            except ConnectionError as error:
                raise Crashed(await _cause(instance, error)) from error
            finally:
                self._release(instance)
        except NoAnswer as error:
            self.counts.failed(error.status, str(error))
            raise

    async def _acquire(self, patience_seconds: float) -> Instance:
        instance = self._free()
        if instance is not None:
            instance.in_flight += 1
            return instance
        unused = self.capacity - sum(each.in_flight for each in self.instances)
        if len(self._waiting) >= self.runtime.pending + unused:  # those who wait for a start are not too many
            raise TooBusy(f"{len(self._waiting)} requests wait already.")
        turn: asyncio.Future[Instance] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._scale()
        try:
            while not turn.done():
                done, _ = await asyncio.wait([turn], timeout=patience_seconds)
                if not done and self._starting() == 0:
                    break
        except asyncio.CancelledError:
            if turn.done() and turn.exception() is None:  # given a slot as the caller left
                self._release(turn.result())
            raise
        finally:
            if not turn.done():
                self._waiting.remove(turn)
        if not turn.done():
            raise TooBusy(f"No instance became free within {patience_seconds:g} s.")
        return turn.result()

    def _starting(self) -> int:
        return sum(not each.ready and not each.draining for each in self.instances)

    def _free(self) -> Instance | None:
        free = [each for each in self.instances if each.ready and each.in_flight < self.function.concurrency]
        return min(free, key=lambda each: each.in_flight, default=None)

    def _release(self, instance: Instance) -> None:
        instance.in_flight -= 1
        instance.idle_since = self.clock.now()
        if instance.draining and instance.in_flight == 0:
            instance.kill(instance.reason)
        self._serve_waiting()

    def _serve_waiting(self) -> None:
        while self._waiting and (instance := self._free()) is not None:
            instance.in_flight += 1
            self._waiting.popleft().set_result(instance)
        self._scale()

    def _scale(self) -> None:
        """Start as many instances as those who wait need, within the maximum."""
        starting = self._starting()
        while len(self._waiting) > starting * self.function.concurrency and self._start_one():
            starting += 1

    def _start_one(self) -> bool:
        if sum(not each.draining for each in self.instances) >= self.function.max_instances:
            return False
        instance = self.runtime.instance(self.name, self.function, self.log)
        self.instances.append(instance)
        task = asyncio.create_task(self._run(instance))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _run(self, instance: Instance) -> None:
        """The life of one instance, from its start to its end."""
        began = time.monotonic()
        try:
            await self._begin(instance)
        except (StartFailed, OSError) as error:  # OSError: the interpreter is not there, say
            self.instances.remove(instance)
            failure = error if isinstance(error, StartFailed) else StartFailed(f"{self.name}: {error}")
            if not self._waiting:  # it was started to be warm; else each who waits is told, and counted
                self.counts.failed(failure.status, str(failure))
            elif not any(not each.draining for each in self.instances):
                while self._waiting:
                    self._waiting.popleft().set_exception(failure)
            return
        self.counts.started(time.monotonic() - began)
        instance.idle_since = self.clock.now()
        self._serve_waiting()
        await instance.gone.wait()
        self.log.say("INFO", f"Instance {instance.pid} is gone: {instance.reason}.")
        self.instances.remove(instance)
        self._serve_waiting()

    async def _begin(self, instance: Instance) -> None:
        if await self.transitions.reached(f"{self.name}.ready") is not None:
            raise StartFailed(f"{self.name}: a fault ordered its start to fail.")
        if instance.draining:  # it was held up, and meanwhile nobody wants it any more
            raise StartFailed(f"{self.name}: {instance.reason}.")
        await instance.start()

    def _replace(self, instance: Instance) -> None:
        """Give this instance no more requests, and end it once those that it has are done."""
        instance.draining = True
        instance.ready = False
        instance.reason = "it was replaced after a time-out"

    def warm(self) -> None:
        """Start an instance before the first request."""
        if not self.instances:
            self._start_one()

    def crash(self, reason: str) -> None:
        """Kill every instance at once."""
        for instance in self.instances:
            instance.kill(reason)

    def watch(self) -> None:
        """Kill what exceeds its memory, and end what has not been used for long."""
        limit = self.function.memory_mb << 20
        for instance in self.instances:
            used = instance.resident_bytes()
            if used > limit:
                instance.kill(f"Memory limit of {self.function.memory_mb} MiB exceeded with {used >> 20} MiB used")
            elif (
                instance.ready
                and instance.in_flight == 0
                and self.clock.now() - instance.idle_since >= self.runtime.idle_seconds
            ):
                instance.draining = True
                instance.ready = False
                task = asyncio.create_task(instance.stop())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        self.log.trim()

    async def reset(self) -> None:
        """End all instances and count from zero."""
        await self.stop()
        self.counts = Counts(self.clock, self.log)

    async def stop(self) -> None:
        """Kill all instances and wait until they are gone."""
        for turn in self._waiting:
            turn.set_exception(StartFailed("The router stops."))
        self._waiting.clear()
        for instance in self.instances:
            instance.draining = True
            instance.kill("the router stopped it")
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=5)

    def state(self) -> dict[str, Any]:
        """Everything worth showing, for `GET /_emulator/functions`."""
        return {
            "trigger": self.function.trigger.model_dump(exclude_none=True),
            "concurrency": self.function.concurrency,
            "max_instances": self.function.max_instances,
            "waiting": self.waiting,
            "instances": [
                {
                    "pid": each.pid,
                    "state": "ready" if each.ready else "ending" if each.draining else "starting",
                    "in_flight": each.in_flight,
                    "memory_mb": each.resident_bytes() >> 20,
                }
                for each in self.instances
            ],
            **self.counts.shown(),
            "log": str(self.log.path),
        }


async def _cause(instance: Instance, error: ConnectionError) -> str:
    """Why the connection to `instance` was lost: the process's end, if it has one, else the connection's."""
    try:
        async with asyncio.timeout(2):
            await instance.gone.wait()
    except TimeoutError:
        return f"The instance dropped the request: {error}"
    return f"The instance ended during the request: {instance.reason}."
