"""The gRPC API: each call is turned into the REST call that the service binds it to, and its answer back.

So there is one implementation, and the two ways cannot differ. Imported only when TLS was asked for.
"""

import importlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
from google.api import httpbody_pb2  # type: ignore[import-untyped]  # generated, without stubs
from google.api_core import path_template, rest_helpers
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2, json_format
from google.rpc import error_details_pb2, status_pb2  # noqa: F401  # the first, so that details can be read by their type
from grpc_status import rpc_status
from starlette.responses import Response

from emulators.vertex.errors import ApiError
from emulators.vertex.methods import bindings

SERVICES = (
    "model_service",
    "endpoint_service",
    "prediction_service",
    "job_service",
    "pipeline_service",
    "metadata_service",
)
_PACKAGE = "google.cloud.aiplatform.v1"
# method, path, query, body, headers -> answer
Answer = Callable[[str, str, dict[str, str], bytes, dict[str, str]], Awaitable[Response]]
# google-api-core is typed in part; these are not
transcode: Any = path_template.transcode
flatten: Any = rest_helpers.flatten_query_params
Message = Any  # a protobuf message of whatever type


class GrpcApi:
    """A gRPC server in front of the REST calls."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])

    async def start(self, socket: Path, key: bytes, chain: bytes) -> None:
        """Listen, with TLS, on a Unix socket."""
        options = dict(bindings())
        for service in SERVICES:
            for path, (request_type, response_type) in _unary_calls(service).items():
                name, rpc = path.removeprefix(f"/{_PACKAGE}.").split("/")
                if f"{name}.{rpc}" in options:
                    self._add(
                        f"{_PACKAGE}.{name}", rpc, self._call(options[f"{name}.{rpc}"], response_type), request_type
                    )
        for rpc, verb, action in (("Get", "GET", ""), ("Cancel", "POST", ":cancel"), ("Delete", "DELETE", "")):
            request_type = getattr(operations_pb2, f"{rpc}OperationRequest")
            response_type = operations_pb2.Operation if rpc == "Get" else empty_pb2.Empty
            handler = self._operation(verb, action, response_type)
            self._add("google.longrunning.Operations", f"{rpc}Operation", handler, request_type)
        self._server.add_secure_port(f"unix:{socket}", grpc.ssl_server_credentials([(key, chain)]))
        await self._server.start()

    async def stop(self) -> None:
        """Stop listening; calls under way have a second."""
        await self._server.stop(1)

    def _add(self, service: str, rpc: str, handler: Any, request_type: Any) -> None:
        def serialize(message: Message) -> bytes:
            return bytes(message.SerializeToString())

        method = grpc.unary_unary_rpc_method_handler(handler, request_type.FromString, serialize)
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {rpc: method})])

    def _call(self, options: list[dict[str, Any]], response_type: Any) -> Any:
        async def handle(request: Message, context: Any) -> Message:
            given = transcode(options, message=request)
            query = flatten(json_format.MessageToDict(given["query_params"]), strict=True)
            body, headers = given.get("body"), {}
            if hasattr(request, "http_body"):
                raw, headers = request.http_body.data, {"content-type": request.http_body.content_type}
            else:
                raw = json_format.MessageToJson(body).encode() if body is not None else b""
            return await self._answered(
                given["method"].upper(), given["uri"], dict(query), raw, headers, response_type, context
            )

        return handle

    def _operation(self, verb: str, action: str, response_type: Any) -> Any:
        async def handle(request: Message, context: Any) -> Message:
            return await self._answered(verb, f"/v1/{request.name}{action}", {}, b"", {}, response_type, context)

        return handle

    async def _answered(
        self,
        verb: str,
        path: str,
        query: dict[str, str],
        raw: bytes,
        headers: dict[str, str],
        response_type: Any,
        context: Any,
    ) -> Message:
        try:
            answer = await self._answer(verb, path, query, raw, headers)
        except ApiError as error:
            status = rpc_status.to_status(json_format.ParseDict(error.rpc_status(), status_pb2.Status()))
            await context.abort(status.code, status.details, status.trailing_metadata)
        if response_type is httpbody_pb2.HttpBody:
            return httpbody_pb2.HttpBody(content_type=answer.headers["content-type"], data=bytes(answer.body))
        return json_format.Parse(bytes(answer.body), response_type(), ignore_unknown_fields=True)


class _Recorder(grpc.Channel):  # type: ignore[misc]  # grpc ships no type information
    """A channel that calls nothing: the client's own stubs tell it their paths and message types."""

    def __init__(self) -> None:
        self.calls: dict[str, tuple[Any, Any]] = {}

    def unary_unary(self, method: str, request_serializer: Any, response_deserializer: Any, *_: Any, **__: Any) -> Any:
        """Note one call."""
        request = getattr(request_serializer, "__self__", None)
        if request is not None:  # the calls that every service repeats have none; they are not served by this path
            self.calls[method] = (type(request.pb(request())), type(_plain(response_deserializer(b""))))
        return lambda *_, **__: None

    def unary_stream(self, *_: Any, **__: Any) -> Any:
        """Streams are not served."""
        return lambda *_, **__: None

    stream_unary = stream_stream = unary_stream

    def subscribe(self, *_: Any, **__: Any) -> None:
        """Nothing to tell."""

    def unsubscribe(self, *_: Any) -> None:
        """Nothing to tell."""

    def close(self) -> None:
        """Nothing to close."""


def _plain(message: Any) -> Message:
    """The protobuf message behind a proto-plus one."""
    kind = type(message)
    return kind.pb(message) if hasattr(kind, "pb") else message


def _unary_calls(service: str) -> dict[str, tuple[Any, Any]]:
    """Path to request and response types of a service's calls, as its client makes them."""
    module = importlib.import_module(f"google.cloud.aiplatform_v1.services.{service}.transports.grpc")
    name = "".join(part.capitalize() for part in service.split("_")) + "GrpcTransport"
    recorder = _Recorder()
    transport = getattr(module, name)(channel=recorder)
    transport._logged_channel = recorder  # in place of one that asks the recorder only when a call is made
    transport._stubs.clear()
    for attribute, value in vars(type(transport)).items():
        if isinstance(value, property):
            getattr(transport, attribute)
    return recorder.calls
