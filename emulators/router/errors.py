"""Why a function gave no answer of its own, with the status that Cloud Run then gives.

NoAnswer
├── TooBusy        429  every instance is taken, and so is the queue
├── StartFailed    503  the process ended, or stayed silent, before the function was loaded
├── Crashed        503  the process ended during the request, also for using too much memory
└── TimedOut       504  the request took longer than the function's `timeout_seconds`
"""

from typing import ClassVar


class NoAnswer(Exception):
    """A request that the function did not answer. `status` is what the caller gets instead."""

    status: ClassVar[int] = 503


class TooBusy(NoAnswer):
    """No instance became free in time, or too many requests wait already."""

    status = 429


class StartFailed(NoAnswer):
    """An instance did not come up."""


class Crashed(NoAnswer):
    """The instance ended while it worked on the request."""


class TimedOut(NoAnswer):
    """The request exceeded the function's time-out."""

    status = 504
