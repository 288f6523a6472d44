"""Waiting for Vertex AI's long-running operations."""

from collections.abc import Iterable
from concurrent.futures import TimeoutError as StillRunning
from typing import Any

from google.api_core import exceptions as google
from google.api_core.future.polling import DEFAULT_POLLING
from google.api_core.operation import Operation

from dropforge.contracts.errors import JobFailed, ServiceUnavailable
from dropforge.gcp.errors import translated

PATIENCE = 480.0  # seconds, less than the time-out of the function that waits
REQUEST = 30.0  # seconds for one call of the API
# From ten looks a second to one in ten seconds: an emulator is done in moments, the service in minutes.
_LOOKS = DEFAULT_POLLING.with_delay(initial=0.05, multiplier=1.5, maximum=10.0)


def finished(operation: Operation, doing: str) -> Any:
    """What an operation results in.

    Raises:
        JobFailed: it ended in an error, which the message tells.
        ServiceUnavailable: it still runs; a repeated call will find what it makes.
    """
    with translated(doing):
        try:
            return operation.result(timeout=PATIENCE, polling=_LOOKS)  # type: ignore[no-untyped-call]  # typed in part
        except google.GoogleAPICallError as error:
            if not operation.operation.done:
                raise
            raise JobFailed(f"{doing} failed: {error.message}", operation=operation.operation.name) from error
        except StillRunning as error:
            raise ServiceUnavailable(
                f"{doing} still runs after {PATIENCE:.0f} s.", operation=operation.operation.name
            ) from error


def all_finished(operations: Iterable[tuple[Operation, str]]) -> list[Any]:
    """What several operations, all started before, result in."""
    return [finished(operation, doing) for operation, doing in list(operations)]
