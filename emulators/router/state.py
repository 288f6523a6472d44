"""All functions of the flow, their hosts and deliveries, and what the control plane asks of them."""

import asyncio
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emulators.clock import Clock
from emulators.faults import Faults
from emulators.router.cloudevents import Push, finalized, published
from emulators.router.deliveries import Deliveries
from emulators.router.guard import Guard
from emulators.router.hosts import FunctionHost
from emulators.router.logs import Log
from emulators.router.runtime import Runtime
from emulators.router.schedules import Schedules
from emulators.router.wiring import (
    Emulated,
    bindings,
    bucket_name,
    publish,
    scheduler_topic,
    service_account,
    wire,
)
from emulators.transitions import Transitions
from functions.flow import Flow

PUSH = "/_push/"
_WATCH_SECONDS = 0.2


class Router:
    """The router's whole state: nothing of it is durable, for what must not be lost lies in Pub/Sub."""

    name = "router"

    def __init__(
        self, flow: Flow, runtime: Runtime, where: Emulated, data: Path | None, guard: Guard | None = None
    ) -> None:
        self.guard = guard
        self.url = ""
        self.clock, self.faults = Clock(), Faults()
        self._flow, self._where = flow, where
        self._scratch = None if data is not None else tempfile.TemporaryDirectory(prefix="dropforge-router-")
        logs = (data if data is not None else Path(self._scratch.name if self._scratch else "")) / "logs"
        transitions = Transitions(self.faults, self.clock)
        self.hosts = {
            name: FunctionHost(name, function, runtime, self.clock, Log(logs / f"{name}.log"), transitions)
            for name, function in flow.functions.items()
        }
        self.deliveries = {name: Deliveries(host, self.faults, self.clock) for name, host in self.hosts.items()}
        self._bound = bindings(flow, where.project, runtime.environment)
        self._by_subscription = {binding.subscription: binding for binding in self._bound}
        self._buckets = [bucket_name(bucket, where.project, runtime.environment) for bucket in flow.buckets]
        self.schedules = Schedules(flow.functions, self.clock, self._publish_schedule)
        self._watching: asyncio.Task[None] | None = None
        prefixes = {function.trigger.http: name for name, function in flow.functions.items() if function.trigger.http}
        self._prefixes = sorted(prefixes.items(), key=lambda item: -len(item[0]))

    def http_function(self, path: str) -> FunctionHost | None:
        """The host of the function with the longest path that `path` lies below."""
        for prefix, name in self._prefixes:
            if path.startswith(prefix):
                return self.hosts[name]
        return None

    async def admit(self, function: str, authorization: str | None) -> None:
        """Let a push pass that comes from the function's own service account.

        Raises:
            Refused: it does not.
            KeyError: there is no such function.
        """
        if self.guard is not None:
            account = service_account(self.hosts[function].function, self._where.project)
            await self.guard.check(authorization, [f"{self.url}{PUSH}{function}"], only=account)

    async def push(self, function: str, body: bytes) -> int:
        """Deliver one wrapped push; returns the status for Pub/Sub.

        Raises:
            KeyError: there is no such function.
            ValueError: the body is no wrapped push of one of this function's subscriptions.
            ConnectionCut: a fault says that Pub/Sub gets no answer.
        """
        deliveries = self.deliveries[function]
        push = Push.parse(body)
        binding = self._by_subscription.get(push.subscription)
        if binding is None or binding.function != function:
            expected = [each.subscription for each in self._bound if each.function == function]
            raise ValueError(f"Expected a push of one of {expected}. Got one of {push.subscription!r}.")
        return await deliveries.deliver(published(push, binding.topic) if binding.bucket is None else finalized(push))

    async def wire(self, url: str) -> None:
        """Create what the flow needs on the emulators; `url` is where Pub/Sub reaches this router."""
        self.url = url
        signed = self.guard is not None
        await asyncio.to_thread(wire, self._flow, self._bound, self._buckets, self._where, f"{url}{PUSH}", signed)

    def start(self, *, warm: bool) -> None:
        """Begin to watch memory and idleness; `warm` starts an instance of each function now."""
        self._watching = asyncio.create_task(self._watch())
        for host in self.hosts.values() if warm else ():
            if host.function.trigger.schedule is None:  # nobody waits for these
                host.warm()

    async def stop(self) -> None:
        """End every instance."""
        if self._watching is not None:
            self._watching.cancel()
        await asyncio.gather(*(host.stop() for host in self.hosts.values()))
        if self._scratch is not None:
            self._scratch.cleanup()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            try:
                await self.tick()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next round tries again
                print(f"The router could not do what was due: {error}", file=sys.stderr, flush=True)

    # What the control plane asks.

    async def reset(self) -> None:
        """End every instance, forget all counts, and wire again, for the other emulators may have been reset too."""
        await asyncio.gather(*(host.reset() for host in self.hosts.values()))
        for deliveries in self.deliveries.values():
            deliveries.count = 0
        self.schedules.reset()
        await self.wire(self.url)

    async def seed(self, data: dict[str, Any]) -> None:
        """Nothing can be seeded here."""
        raise ValueError(f"The router has nothing to seed; it reads the flow. Got the keys {sorted(data)}.")

    async def health(self) -> dict[str, Any]:
        """How many functions there are, and how many instances run."""
        return {
            "functions": len(self.hosts),
            "instances": sum(len(host.instances) for host in self.hosts.values()),
            "wired": {key: value is not None for key, value in asdict(self._where).items() if key != "project"},
        }

    async def tick(self) -> None:
        """End what is idle, or too large, by the present time, and send what schedules say."""
        for host in self.hosts.values():
            host.watch()
        await self.schedules.fire()

    def _publish_schedule(self, function: str) -> None:
        """As Cloud Scheduler to Pub/Sub; nowhere, where there is no Pub/Sub."""
        if self._where.pubsub is not None:
            publish(f"projects/{self._where.project}/topics/{scheduler_topic(function)}", b"{}", schedule=function)

    def functions(self) -> dict[str, Any]:
        """The state of every function, for `GET /_emulator/functions`."""
        return {
            name: {"deliveries": self.deliveries[name].count, **host.state(), **self.schedules.shown(name)}
            for name, host in self.hosts.items()
        }
