"""The REST form of the RPCs, as `gcloud pubsub` speaks it: https://cloud.google.com/pubsub/docs/reference/rest."""

import json
from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import json_format
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulators.pubsub.errors import ServiceError, invalid, unimplemented
from emulators.pubsub.methods import IAM, METHODS, PUBLISHER, SCHEMAS, SUBSCRIBER, Method
from emulators.pubsub.rpc import Calls

# gRPC status to HTTP: https://cloud.google.com/apis/design/errors#handling_errors
_HTTP_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}

# HTTP verb, what the path names below its project, and the word after a colon: the RPC, and the field that takes the
# path's name ("" where the body holds it).
_TABLE: dict[tuple[str, str, str], tuple[str, str]] = {
    ("PUT", "topics/*", ""): (f"{PUBLISHER}.CreateTopic", "name"),
    ("PATCH", "topics/*", ""): (f"{PUBLISHER}.UpdateTopic", ""),
    ("GET", "topics/*", ""): (f"{PUBLISHER}.GetTopic", "topic"),
    ("DELETE", "topics/*", ""): (f"{PUBLISHER}.DeleteTopic", "topic"),
    ("GET", "topics", ""): (f"{PUBLISHER}.ListTopics", "project"),
    ("GET", "topics/*/subscriptions", ""): (f"{PUBLISHER}.ListTopicSubscriptions", "topic"),
    ("GET", "topics/*/snapshots", ""): (f"{PUBLISHER}.ListTopicSnapshots", "topic"),
    ("POST", "topics/*", "publish"): (f"{PUBLISHER}.Publish", "topic"),
    ("PUT", "subscriptions/*", ""): (f"{SUBSCRIBER}.CreateSubscription", "name"),
    ("PATCH", "subscriptions/*", ""): (f"{SUBSCRIBER}.UpdateSubscription", ""),
    ("GET", "subscriptions/*", ""): (f"{SUBSCRIBER}.GetSubscription", "subscription"),
    ("DELETE", "subscriptions/*", ""): (f"{SUBSCRIBER}.DeleteSubscription", "subscription"),
    ("GET", "subscriptions", ""): (f"{SUBSCRIBER}.ListSubscriptions", "project"),
    ("POST", "subscriptions/*", "pull"): (f"{SUBSCRIBER}.Pull", "subscription"),
    ("POST", "subscriptions/*", "acknowledge"): (f"{SUBSCRIBER}.Acknowledge", "subscription"),
    ("POST", "subscriptions/*", "modifyAckDeadline"): (f"{SUBSCRIBER}.ModifyAckDeadline", "subscription"),
    ("POST", "subscriptions/*", "modifyPushConfig"): (f"{SUBSCRIBER}.ModifyPushConfig", "subscription"),
    ("POST", "subscriptions/*", "seek"): (f"{SUBSCRIBER}.Seek", "subscription"),
    ("POST", "subscriptions/*", "detach"): (f"{PUBLISHER}.DetachSubscription", "subscription"),
    ("PUT", "snapshots/*", ""): (f"{SUBSCRIBER}.CreateSnapshot", "name"),
    ("PATCH", "snapshots/*", ""): (f"{SUBSCRIBER}.UpdateSnapshot", ""),
    ("GET", "snapshots/*", ""): (f"{SUBSCRIBER}.GetSnapshot", "snapshot"),
    ("DELETE", "snapshots/*", ""): (f"{SUBSCRIBER}.DeleteSnapshot", "snapshot"),
    ("GET", "snapshots", ""): (f"{SUBSCRIBER}.ListSnapshots", "project"),
    ("POST", "schemas", ""): (f"{SCHEMAS}.CreateSchema", "parent"),
    ("GET", "schemas/*", ""): (f"{SCHEMAS}.GetSchema", "name"),
    ("GET", "schemas", ""): (f"{SCHEMAS}.ListSchemas", "parent"),
    ("GET", "schemas/*", "listRevisions"): (f"{SCHEMAS}.ListSchemaRevisions", "name"),
    ("POST", "schemas/*", "commit"): (f"{SCHEMAS}.CommitSchema", "name"),
    ("POST", "schemas/*", "rollback"): (f"{SCHEMAS}.RollbackSchema", "name"),
    ("DELETE", "schemas/*", "deleteRevision"): (f"{SCHEMAS}.DeleteSchemaRevision", "name"),
    ("DELETE", "schemas/*", ""): (f"{SCHEMAS}.DeleteSchema", "name"),
    ("POST", "schemas", "validate"): (f"{SCHEMAS}.ValidateSchema", "parent"),
    ("POST", "schemas", "validateMessage"): (f"{SCHEMAS}.ValidateMessage", "parent"),
    **{
        ("GET", f"{kind}/*", "getIamPolicy"): (f"{IAM}.GetIamPolicy", "resource")
        for kind in ("topics", "subscriptions")
    },
    **{
        ("POST", f"{kind}/*", verb): (f"{IAM}.{verb[0].upper()}{verb[1:]}", "resource")
        for kind in ("topics", "subscriptions")
        for verb in ("setIamPolicy", "testIamPermissions")
    },
}
_WHOLE_BODY = {f"{SCHEMAS}.CreateSchema": "schema"}  # the RPCs whose body is this one field of the request
_METHODS = {method.operation: method for method in METHODS}


def rest_routes(calls: Calls) -> list[Route]:
    """Starlette routes for everything below `/v1/`."""

    async def answer(request: Request) -> JSONResponse:
        path: str = request.path_params["path"]
        try:
            method, field, name = _resolve(request.method, path)
            message = _message(method, field, name, await request.body(), request.query_params)
            return JSONResponse(json_format.MessageToDict(await calls.unary(method, message)))
        except ServiceError as error:
            status = _HTTP_STATUS.get(error.code, 500)
            described = {"code": status, "message": error.message, "status": error.code.name}
            return JSONResponse({"error": described}, status_code=status)

    return [Route("/v1/{path:path}", answer, methods=["GET", "PUT", "POST", "PATCH", "DELETE"])]


def _resolve(http_method: str, path: str) -> tuple[Method, str, str]:
    """The RPC that a call means, the field that takes the name in its path, and that name."""
    resource, _, verb = path.partition(":")
    parts = resource.split("/")
    below = parts[2:]
    shape = "/".join("*" if at == 1 else part for at, part in enumerate(below))
    found = _TABLE.get((http_method, shape, verb)) if parts[0] == "projects" else None
    if found is None:
        raise unimplemented(f"{http_method} /v1/{path}")
    name = "/".join(parts[:4] if len(below) > 1 else parts[:2])
    return _METHODS[found[0]], found[1], name


def _message(method: Method, field: str, name: str, body: bytes, query: Mapping[str, str]) -> Any:
    """The request message: the body, the parameters that are its fields, and the name from the path.

    Raises:
        ServiceError: INVALID_ARGUMENT for a body that is not the message's JSON form.
    """
    fields = {descriptor.json_name for descriptor in method.request.DESCRIPTOR.fields}
    try:
        content = json.loads(body or b"{}")
        if method.operation in _WHOLE_BODY:
            content = {_WHOLE_BODY[method.operation]: content}
        given = content | {key: value for key, value in query.items() if key in fields}
        message = json_format.ParseDict(given, method.request())
    except (ValueError, TypeError, json_format.ParseError) as error:
        raise invalid(f"The body is not a {method.request.DESCRIPTOR.name} in JSON: {error}") from error
    if field:
        setattr(message, field, name)
    return message
