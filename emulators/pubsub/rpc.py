"""From the method table to gRPC handlers: errors in the service's form, faults, and UNIMPLEMENTED by name."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc

from emulators.faults import Fault, die
from emulators.pubsub.errors import ServiceError, from_http_status, unimplemented
from emulators.pubsub.iam import IamPolicy
from emulators.pubsub.methods import IAM, METHODS, PUBLISHER, SCHEMAS, SUBSCRIBER, Method
from emulators.pubsub.publisher import Publisher
from emulators.pubsub.schema_service import SchemaService
from emulators.pubsub.state import PubSub
from emulators.pubsub.subscriber import Subscriber


class Calls:
    """Every RPC by its operation name, each as a function from request to response that suffers ordered faults."""

    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub
        self._services: dict[str, Any] = {
            PUBLISHER: Publisher(pubsub),
            SUBSCRIBER: Subscriber(pubsub),
            SCHEMAS: SchemaService(pubsub),
            IAM: IamPolicy(pubsub),
        }

    async def unary(self, method: Method, request: Any) -> Any:
        """Do a call that has one request and one response.

        Raises:
            ServiceError: what the caller has to be told.
        """
        work = self._function(method)
        fault = self._pubsub.faults.take(method.operation)
        if fault is None:
            return await work(request)
        await self._before(fault, method)
        answer = await work(request)
        if fault.action == "crash_after":
            die()
        if fault.action in ("lose_answer", "break_stream"):
            raise from_http_status(503, method.operation)
        return answer

    async def streaming(self, method: Method, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Do a call that has a stream each way; a `break_stream` cuts it when it would first carry messages."""
        fault = self._pubsub.faults.take(method.operation)
        if fault is not None:
            await self._before(fault, method)
        async for answer in self._function(method)(requests):
            if fault is not None and fault.action in ("lose_answer", "break_stream") and answer.received_messages:
                raise from_http_status(503, method.operation)
            yield answer

    def _function(self, method: Method) -> Any:
        if method.status == "absent":
            raise unimplemented(method.operation)
        return getattr(self._services[method.service], method.function)

    async def _before(self, fault: Fault, method: Method) -> None:
        if fault.action == "crash_before":
            die()
        if fault.action == "error":
            raise from_http_status(fault.status, method.operation)
        if fault.action == "delay":
            await asyncio.sleep(fault.delay_seconds)


class Handlers:
    """A grpc.GenericRpcHandler by shape: gives gRPC the handler of each method."""

    def __init__(self, calls: Calls) -> None:
        self._handlers = {f"/{m.service}/{m.name}": _handler(calls, m) for m in METHODS if m.status != "absent"}

    def service(self, call: Any) -> Any:
        """The handler for `call.method`, always one: a name nobody knows is answered by that name."""
        return self._handlers.get(call.method) or grpc.unary_unary_rpc_method_handler(_refusing(call.method))


def _handler(calls: Calls, method: Method) -> Any:
    coders = {
        "request_deserializer": method.request.FromString,
        "response_serializer": method.response.SerializeToString,
    }
    if method.stream:

        async def stream(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
            try:
                async for answer in calls.streaming(method, requests):
                    yield answer
            except ServiceError as error:
                await abort(context, error)

        return grpc.stream_stream_rpc_method_handler(stream, **coders)

    async def unary(request: Any, context: Any) -> Any:
        try:
            return await calls.unary(method, request)
        except ServiceError as error:
            return await abort(context, error)

    return grpc.unary_unary_rpc_method_handler(unary, **coders)


def _refusing(path: str) -> Callable[[Any, Any], Awaitable[None]]:
    async def refuse(_: Any, context: Any) -> None:
        await abort(context, unimplemented(path.strip("/").replace("/", ".")))

    return refuse


async def abort(context: Any, error: ServiceError) -> None:
    """End a gRPC call with `error`."""
    await context.abort(error.code, error.message, error.trailing_metadata())
