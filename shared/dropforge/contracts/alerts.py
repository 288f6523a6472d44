"""Where alerts lie in the state bucket."""

ALERTS = "alerts/"
INBOX = f"{ALERTS}inbox.html"


def alert(pipeline: str, alert_id: str) -> str:
    """JSON (`events.AlertRaised`): written once; its metadata is the line of the inbox."""
    return f"{ALERTS}{pipeline}/{alert_id}.json"


def sent(pipeline: str, alert_id: str, channel: str) -> str:
    """Text: that a channel took the alert, or why it refused."""
    return f"{ALERTS}{pipeline}/{alert_id}/{channel}.txt"
