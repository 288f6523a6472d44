"""The one line that every channel begins with."""

from dropforge.contracts.events import AlertRaised


def title(alert: AlertRaised) -> str:
    """What happened to what.

    >>> title(AlertRaised(pipeline="p", severity="error", code="accuracy_down", subject="origin=JFK", sentence=""))
    '[p] accuracy down: origin=JFK'
    """
    resolved = "resolved: " if alert.status == "resolved" else ""
    return " ".join(f"[{alert.pipeline}] {resolved}{alert.code.replace('_', ' ')}: {alert.subject}".split())
