"""Failures in the service's own form: a canonical code, its HTTP status, one message.

https://cloud.google.com/apis/design/errors#handling_errors has the table of codes.

    ApiError
      |- InvalidArgument, FailedPrecondition (400)
      |- NotFound (404)
      |- AlreadyExists, Aborted (409)
      |- ResourceExhausted (429)
      |- Unimplemented (501)
      |- Unavailable (503)
           |- AnswerLost: a fault's, never sent over REST
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from google.rpc import code_pb2

HTTP_STATUS = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "UNAUTHENTICATED": 401,
}
_CODE_OF_STATUS = {
    400: "FAILED_PRECONDITION",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class ApiError(Exception):
    """A failure that the caller is told of."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        details: Sequence[dict[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.details = details
        self.message = message
        self.code_name = code or self.code
        self.status = status or HTTP_STATUS[self.code_name]

    @classmethod
    def of_status(cls, status: int, message: str) -> "ApiError":
        """The failure that stands for an HTTP status; one that Google's APIs do not use becomes its family's."""
        known = status if status in _CODE_OF_STATUS else (400 if status < 500 else 500)
        return cls(message, status=known, code=_CODE_OF_STATUS[known])

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        details = {"details": [*self.details]} if self.details else {}
        return {"error": {"code": self.status, "message": self.message, "status": self.code_name, **details}}

    def rpc_status(self) -> dict[str, Any]:
        """The same as google.rpc.Status, as an operation carries it."""
        details = {"details": [*self.details]} if self.details else {}
        return {"code": code_pb2.Code.Value(self.code_name), "message": self.message, **details}


class InvalidArgument(ApiError):
    """The request is wrong, whatever the state."""

    code = "INVALID_ARGUMENT"


class FailedPrecondition(ApiError):
    """The request is wrong in this state."""

    code = "FAILED_PRECONDITION"


class NotFound(ApiError):
    """The resource is not there."""

    code = "NOT_FOUND"


class AlreadyExists(ApiError):
    """The id is taken."""

    code = "ALREADY_EXISTS"


class Aborted(ApiError):
    """Somebody else changed the resource first."""

    code = "ABORTED"


class ResourceExhausted(ApiError):
    """A quota is used up."""

    code = "RESOURCE_EXHAUSTED"


class Unimplemented(ApiError):
    """A call that the service has and this emulator has not."""

    code = "UNIMPLEMENTED"


class Unavailable(ApiError):
    """Try again later."""

    code = "UNAVAILABLE"


class AnswerLost(Unavailable):
    """The work is done, but the caller must not hear of it: a fault was ordered."""
