"""One push from Pub/Sub to one function, with the faults that a test has ordered as `router.deliver.<function>`."""

import asyncio
from collections.abc import Callable

from emulators.clock import Clock
from emulators.faults import Fault, Faults
from emulators.router.cloudevents import CloudEvent
from emulators.router.errors import NoAnswer
from emulators.router.hosts import FunctionHost
from emulators.router.instance import Instance
from emulators.router.wiring import ack_deadline_seconds

_POLL_SECONDS = 0.02


class ConnectionCut(Exception):
    """The push must be left without any answer, as when the network fails."""


class Deliveries:
    """All deliveries to one function."""

    def __init__(self, host: FunctionHost, faults: Faults, clock: Clock) -> None:
        self.count = 0
        self._host, self._faults, self._clock = host, faults, clock
        self._finished = 0
        self._one_double = asyncio.Lock()
        # Who waits for a slot for longer risks that Pub/Sub meanwhile delivers again.
        self._patience = ack_deadline_seconds(host.function) / 2

    async def deliver(self, event: CloudEvent) -> int:
        """Bring `event` to the function; returns the status for Pub/Sub, which takes 2xx for an acknowledgement.

        Raises:
            ConnectionCut: a fault says that Pub/Sub gets no answer.
        """
        self.count += 1
        fault = self._faults.take(f"router.deliver.{self._host.name}")
        try:
            return await self._suffer(fault, event) if fault is not None else await self._once(event)
        finally:
            self._finished += 1

    async def _suffer(self, fault: Fault, event: CloudEvent) -> int:
        match fault.action:
            case "drop":
                return 204
            case "error":
                return fault.status
            case "double":
                return await self._twice(event)
            case "delay":
                due = self._clock.now() + fault.delay_seconds
                await self._until(lambda: self._clock.now() >= due)
                return await self._once(event)
            case "reorder":
                seen = self._finished
                due = self._clock.now() + self._patience  # it may be that no other comes
                await self._until(lambda: self._finished > seen or self._clock.now() >= due)
                return await self._once(event)
            case "crash_before":
                return await self._crashing(fault, event)
            case "crash_after":
                await self._once(event)
                self._host.crash("a fault ordered it to crash after its answer")
                return 503
            case "lose_answer":
                await self._once(event)
                raise ConnectionCut
            case "break_stream":
                raise ConnectionCut

    async def _once(self, event: CloudEvent) -> int:
        try:
            async with self._host.slot(self._patience) as instance:
                return await self._send(instance, event)
        except NoAnswer as error:
            return error.status

    async def _send(self, instance: Instance, event: CloudEvent) -> int:
        connection = await instance.upstream.take()
        try:
            connection.start(b"POST", b"/", _headers(event, instance.port))
            await connection.send(event.body)
            head = await connection.head()
            async for _ in connection.chunks():
                pass
        finally:
            instance.upstream.give_back(connection)
        if head.status >= 400:
            self._host.counts.failed(head.status, self._host.log.last_line())
        return head.status

    async def _twice(self, event: CloudEvent) -> int:
        """Deliver two copies: at the same moment when there are slots for two, else one after the other.

        As with a real duplicate, one acknowledgement is enough.
        """
        if self._host.capacity == 1:
            statuses = [await self._once(event), await self._once(event)]
        else:
            start = asyncio.Barrier(2)
            async with self._one_double:  # two that each hold one slot and want another would wait forever
                both = [asyncio.create_task(self._together(event, start)) for _ in range(2)]
                await asyncio.wait(both, timeout=None)
            statuses = [each.result() for each in both]
        return min(statuses)

    async def _together(self, event: CloudEvent, start: asyncio.Barrier) -> int:
        try:
            async with self._host.slot(self._patience) as instance:
                await start.wait()
                return await self._send(instance, event)
        except asyncio.BrokenBarrierError:  # the other copy found no slot
            return await self._once(event)
        except NoAnswer as error:
            await start.abort()
            return error.status

    async def _crashing(self, fault: Fault, event: CloudEvent) -> int:
        """Kill the instance `delay_seconds` into the work on `event`; at 0 before it has seen it."""
        if fault.delay_seconds == 0:
            self._host.crash("a fault ordered it to crash before the event")
            return 503
        delivery = asyncio.create_task(self._once(event))
        await asyncio.sleep(fault.delay_seconds)
        self._host.crash("a fault ordered it to crash during the event")
        await delivery
        return 503

    async def _until(self, due: Callable[[], bool]) -> None:
        """Wait for a moment of the emulator's clock, which a test may advance."""
        while not due():
            await asyncio.sleep(_POLL_SECONDS)


def _headers(event: CloudEvent, port: int) -> list[tuple[bytes, bytes]]:
    fixed = {
        "host": f"127.0.0.1:{port}",
        "user-agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google)",
    }
    given = {**fixed, **event.headers, "content-length": str(len(event.body))}
    return [(name.encode(), value.encode()) for name, value in given.items()]
