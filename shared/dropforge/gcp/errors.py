"""Google's exceptions, translated once, here at the boundary, into Dropforge's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from google.api_core import exceptions as google
from google.auth.exceptions import GoogleAuthError

from dropforge.contracts.errors import (
    AlreadyExists,
    CallRefused,
    DropforgeError,
    GenerationMismatch,
    NotFound,
    ServiceUnavailable,
)

# Every class of google.api_core.exceptions has its line, so that none is judged by accident of inheritance.
# What a person can mend without us (a missing role, a full quota, a state that passes) is transient: the delivery is
# kept and made again. What only another call could mend is permanent.
COUNTERPARTS: dict[type[Exception], type[DropforgeError]] = {
    google.GoogleAPIError: ServiceUnavailable,
    google.GoogleAPICallError: ServiceUnavailable,
    google.RetryError: ServiceUnavailable,
    google.DuplicateCredentialArgs: CallRefused,
    google.AsyncRestUnsupportedParameterError: CallRefused,
    google.Redirection: ServiceUnavailable,
    google.MovedPermanently: ServiceUnavailable,
    google.NotModified: ServiceUnavailable,
    google.TemporaryRedirect: ServiceUnavailable,
    google.ResumeIncomplete: ServiceUnavailable,
    google.ClientError: CallRefused,
    google.BadRequest: CallRefused,
    google.InvalidArgument: CallRefused,
    google.FailedPrecondition: ServiceUnavailable,  # "until the system state has been fixed", says google.rpc.Code
    google.OutOfRange: CallRefused,
    google.Unauthorized: ServiceUnavailable,
    google.Unauthenticated: ServiceUnavailable,
    google.Forbidden: ServiceUnavailable,
    google.PermissionDenied: ServiceUnavailable,
    google.NotFound: NotFound,
    google.MethodNotAllowed: CallRefused,
    google.Conflict: AlreadyExists,
    google.AlreadyExists: AlreadyExists,
    google.Aborted: ServiceUnavailable,
    google.LengthRequired: CallRefused,
    google.PreconditionFailed: GenerationMismatch,
    google.RequestRangeNotSatisfiable: CallRefused,
    google.TooManyRequests: ServiceUnavailable,
    google.ResourceExhausted: ServiceUnavailable,
    google.Cancelled: ServiceUnavailable,
    google.ServerError: ServiceUnavailable,
    google.InternalServerError: ServiceUnavailable,
    google.Unknown: ServiceUnavailable,
    google.DataLoss: ServiceUnavailable,
    google.MethodNotImplemented: CallRefused,
    google.BadGateway: ServiceUnavailable,
    google.ServiceUnavailable: ServiceUnavailable,
    google.GatewayTimeout: ServiceUnavailable,
    google.DeadlineExceeded: ServiceUnavailable,
    google.ResumableTransferError: ServiceUnavailable,
    google.TransferStalledError: ServiceUnavailable,
    google.UnseekableStreamError: CallRefused,
    google.UploadCancelledError: ServiceUnavailable,
    google.MissingStatusHeaderError: ServiceUnavailable,
    # Below the API: the connection, and the credentials.
    requests.RequestException: ServiceUnavailable,
    GoogleAuthError: ServiceUnavailable,
    TimeoutError: ServiceUnavailable,
    ConnectionError: ServiceUnavailable,
}


@contextmanager
def translated(doing: str, **fields: Any) -> Iterator[None]:
    """Raise Google's exceptions of the block as Dropforge's; `doing` says what was being done.

    `fields` go into the error, which also carries `service_error`, the name of Google's exception.
    """
    try:
        yield
    except tuple(COUNTERPARTS) as error:
        raise counterpart(error)(f"{doing}: {error}.", service_error=type(error).__name__, **fields) from error


def counterpart(error: Exception) -> type[DropforgeError]:
    """Dropforge's class for one of Google's exceptions."""
    return next(COUNTERPARTS[kind] for kind in type(error).__mro__ if kind in COUNTERPARTS)
