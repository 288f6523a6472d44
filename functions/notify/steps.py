"""One alert: into the inbox, and once through each channel that is set up."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol

from dropforge.contracts import alerts
from dropforge.contracts.errors import AlreadyExists, CallRefused, NotFound, ServiceUnavailable
from dropforge.contracts.events import AlertRaised
from dropforge.core import inbox
from dropforge.core.ports import Clock, Objects
from dropforge.gcp import logs

log = logs.logger("notify")


class Channel(Protocol):
    """A way to a person."""

    def send(self, alert: AlertRaised, alert_id: str) -> None:
        """Send it; returns once the receiver has it. The id is the same for every try, so that a receiver can tell.

        Raises:
            CallRefused: it is of no use to try again.
            ServiceUnavailable: it is.
        """


def tell(alert: AlertRaised, channels: Mapping[str, Channel], state: Objects, clock: Clock) -> None:
    """Keep the alert and send it. Repeated, it sends only what was not sent; a channel that refuses holds up no other.

    Each channel's success is written down right after it, so what is sent twice is an alert during which the process
    died in between. A refusal is written down, and logged as an error, but raises no alert: that would be refused too.

    Raises:
        ServiceUnavailable: a channel did not take it; the next delivery tries that one again.
    """
    at = datetime.fromtimestamp(clock.now(), UTC)
    alert_id = identity(alert, at)
    if inbox.keep(state, alert, alert_id, at.isoformat()):
        # Cloud Monitoring's log-based alerts take it from here, where a project uses them.
        log.error(alert.sentence, extra={"fields": {"alert": alert.model_dump(), "alert_id": alert_id}})
    inbox.show(state)
    failed = [said for name, channel in channels.items() if (said := _sent(alert, alert_id, name, channel, state))]
    if failed:
        raise ServiceUnavailable(f"The alert {alert_id} is not sent everywhere: {' '.join(failed)}", alert=alert_id)


def identity(alert: AlertRaised, at: datetime) -> str:
    """20 hexadecimal digits: equal for alerts of one key and, where there is none, for equal alerts of one day."""
    told = alert.key or f"{alert.code}\n{alert.subject}\n{alert.sentence}\n{at.date()}"
    return sha256(f"{alert.pipeline}\n{alert.status}\n{told}".encode()).hexdigest()[:20]


def _sent(alert: AlertRaised, alert_id: str, name: str, channel: Channel, state: Objects) -> str:
    """Send it through one channel, unless that was done; returns why not, or nothing."""
    mark = alerts.sent(alert.pipeline, alert_id, name)
    with suppress(NotFound):
        state.stat(mark)
        return ""
    outcome = "sent"
    try:
        channel.send(alert, alert_id)
    except ServiceUnavailable as error:
        return f"{name}: {error.message}"
    except CallRefused as error:
        outcome = f"refused: {error.message}"
        log.error(f"{name} refused the alert {alert_id}: {error.message}")  # noqa: TRY400  # not ours to trace
    with suppress(AlreadyExists):
        state.create(mark, outcome.encode())
    return ""
