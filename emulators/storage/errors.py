"""Failures in the form that Cloud Storage gives them: JSON, plain text for media, XML for the XML API.

https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

from html import escape
from typing import Any

import orjson


class StorageError(Exception):
    """A refusal with its HTTP status, Google's reason word, and a message for people."""

    def __init__(self, status: int, reason: str, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.code = code or _XML_CODES.get(reason, reason[:1].upper() + reason[1:])

    def as_json(self) -> bytes:
        """The body of the JSON API."""
        detail: dict[str, Any] = {"message": self.message, "domain": "global", "reason": self.reason}
        return orjson.dumps({"error": {"code": self.status, "message": self.message, "errors": [detail]}})

    def as_xml(self) -> bytes:
        """The body of the XML API."""
        text = escape(self.message)
        return (
            f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{self.code}</Code>"
            f"<Message>{text}</Message><Details>{text}</Details></Error>"
        ).encode()


_XML_CODES = {
    "notFound": "NoSuchKey",
    "conditionNotMet": "PreconditionFailed",
    "conflict": "BucketAlreadyOwnedByYou",
    "invalid": "InvalidArgument",
    "required": "InvalidArgument",
    "forbidden": "AccessDenied",
    "requestedRangeNotSatisfiable": "InvalidRange",
    "notImplemented": "NotImplemented",
    "backendError": "ServiceUnavailable",
}


class ClientGone(Exception):
    """The client closed its connection before the request was whole; nobody is left to answer."""


def invalid(message: str) -> StorageError:
    """400: the request itself cannot be carried out as it is."""
    return StorageError(400, "invalid", message)


def required(what: str) -> StorageError:
    """400: something that every such request needs is missing."""
    return StorageError(400, "required", f"Required: {what}.")


def no_bucket(bucket: str) -> StorageError:
    """404: no such bucket."""
    return StorageError(404, "notFound", f"The specified bucket does not exist: {bucket!r}.", code="NoSuchBucket")


def no_object(bucket: str, name: str, generation: int | None = None) -> StorageError:
    """404: no such object, or not in that generation."""
    suffix = "" if generation is None else f"#{generation}"
    return StorageError(404, "notFound", f"No such object: {bucket}/{name}{suffix}")


def condition_not_met(condition: str, expected: str, found: str) -> StorageError:
    """412: a precondition did not hold."""
    return StorageError(
        412,
        "conditionNotMet",
        "At least one of the pre-conditions you specified did not hold. "
        f"Expected {condition} {expected}, found {found}.",
    )


def not_modified() -> StorageError:
    """304: a read whose `...NotMatch` precondition says that the caller already has it."""
    return StorageError(304, "notModified", "")


def not_implemented(name: str, reason: str) -> StorageError:
    """501: a call that this emulator does not have."""
    return StorageError(501, "notImplemented", f"The storage emulator does not have {name}: {reason}")


def wrong_digest(kind: str, given: str, computed: str) -> StorageError:
    """400: the bytes that arrived are not those that the client meant to send."""
    code = "BadDigest" if kind == "MD5" else "CrcMismatch"
    return StorageError(
        400, "invalid", f'Provided {kind} hash "{given}" doesn\'t match calculated {kind} hash "{computed}".', code=code
    )
