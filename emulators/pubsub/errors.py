"""Failures in the service's own form: a gRPC status, the service's words and, for some, machine-readable details.

ServiceError
├── not_found, already_exists      a named resource
├── invalid, too_large, too_small  the request itself
├── failed_precondition, aborted   the request against what is stored
├── unimplemented                  a call or a field that this emulator does not offer, by name
└── exactly_once_failure           acknowledgement ids that no longer hold, one reason each
"""

from collections.abc import Iterable, Sequence

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2

INVALID_ACK_ID = "PERMANENT_FAILURE_INVALID_ACK_ID"

# What a fault's HTTP status means in gRPC: https://cloud.google.com/apis/design/errors#handling_errors
_FROM_HTTP = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ABORTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    499: grpc.StatusCode.CANCELLED,
    500: grpc.StatusCode.INTERNAL,
    501: grpc.StatusCode.UNIMPLEMENTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}


class ServiceError(Exception):
    """A call that ends with `code` (a grpc.StatusCode), `message`, and `metadata` as an ErrorInfo when there is any."""

    def __init__(
        self, code: grpc.StatusCode, message: str, *, reason: str = "", metadata: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = metadata or {}

    def trailing_metadata(self) -> Sequence[tuple[str, bytes]]:
        """The google.rpc.Status that carries the details, where grpc-status looks for it; empty without details."""
        if not self.reason:
            return ()
        status = status_pb2.Status(code=getattr(code_pb2, self.code.name), message=self.message)
        info = error_details_pb2.ErrorInfo(reason=self.reason, domain="pubsub.googleapis.com", metadata=self.metadata)
        status.details.add().Pack(info)
        return (("grpc-status-details-bin", status.SerializeToString()),)


def from_http_status(status: int, operation: str) -> ServiceError:
    """The error that an ordered fault of this HTTP status stands for."""
    return ServiceError(_FROM_HTTP.get(status, grpc.StatusCode.UNKNOWN), f"Fault ordered for {operation}: {status}.")


def not_found(name: str) -> ServiceError:
    """No resource of this full name."""
    return ServiceError(grpc.StatusCode.NOT_FOUND, f"Resource not found (resource={name.rpartition('/')[2]}).")


def already_exists(name: str) -> ServiceError:
    """The full name is taken."""
    return ServiceError(
        grpc.StatusCode.ALREADY_EXISTS,
        f"Resource already exists in the project (resource={name.rpartition('/')[2]}).",
    )


def invalid(message: str) -> ServiceError:
    """The request is wrong whatever is stored."""
    return ServiceError(grpc.StatusCode.INVALID_ARGUMENT, message)


def too_large(field: str, found: int, limit: int) -> ServiceError:
    """A size or count over its limit."""
    return invalid(
        f"The value for {field} is too large. You passed {found} in the request, but the maximum value is {limit}."
    )


def too_small(field: str, found: int, limit: int) -> ServiceError:
    """A size or count under its limit."""
    return invalid(
        f"The value for {field} is too small. You passed {found} in the request, but the minimum value is {limit}."
    )


def failed_precondition(message: str) -> ServiceError:
    """The resource is not in a state that allows this."""
    return ServiceError(grpc.StatusCode.FAILED_PRECONDITION, message)


def aborted(message: str) -> ServiceError:
    """Somebody else was faster; read again and retry."""
    return ServiceError(grpc.StatusCode.ABORTED, message)


def unimplemented(what: str) -> ServiceError:
    """`what` exists in the service and not here."""
    return ServiceError(grpc.StatusCode.UNIMPLEMENTED, f"The Pub/Sub emulator does not offer {what}.")


def exactly_once_failure(ack_ids: Iterable[str]) -> ServiceError:
    """Acknowledgement ids that expired or were never given, as the client's `_get_ack_errors` reads them."""
    return ServiceError(
        grpc.StatusCode.FAILED_PRECONDITION,
        "Some acknowledgement ids in the request were invalid. This could be because the acknowledgement ids have"
        " expired or the acknowledgement ids were malformed.",
        reason="EXACTLY_ONCE_ACKID_FAILURE",
        metadata=dict.fromkeys(ack_ids, INVALID_ACK_ID),
    )
