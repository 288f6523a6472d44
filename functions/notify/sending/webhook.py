"""A POST of JSON, plain or in Slack's form.

https://api.slack.com/messaging/webhooks
"""

from collections.abc import Callable
from typing import Any

from dropforge.contracts.errors import CallRefused, ServiceUnavailable
from dropforge.contracts.events import AlertRaised

from .secret import Secret
from .title import title

_TIMEOUT = (5.0, 10.0)  # seconds to connect, seconds to answer
_MOST_TEXT = 2900  # characters; a section of Slack's holds 3,000

Form = Callable[[AlertRaised, str], dict[str, Any]]


def plain(alert: AlertRaised, alert_id: str) -> dict[str, Any]:
    """The alert as it is, with its id and a title."""
    return {"id": alert_id, "title": title(alert), **alert.model_dump()}


def slack(alert: AlertRaised, _: str) -> dict[str, Any]:
    """A message of Slack's: the title, the sentence, and a line for each fact."""
    mark = {"resolved": ":white_check_mark:"}.get(alert.status, ":rotating_light:")
    facts = "\n".join(f"*{_escaped(name)}*: {_escaped(value)}" for name, value in alert.facts.items())
    sections = [f"{mark} *{_escaped(title(alert))}*\n{_escaped(alert.sentence)}", facts]
    return {
        "text": title(alert),
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": text[:_MOST_TEXT]}} for text in sections if text
        ],
    }


class Webhook:
    """One URL that takes alerts in one form."""

    def __init__(self, url: Secret, form: Form) -> None:
        self._url = url
        self._form = form

    def send(self, alert: AlertRaised, alert_id: str) -> None:
        """As `steps.Channel.send`."""
        import requests

        headers = {"Idempotency-Key": alert_id}
        body = self._form(alert, alert_id)
        try:
            with requests.post(
                self._url.reveal(), json=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as answer:
                status = answer.status_code
        except requests.RequestException as error:
            # The library's message holds the URL, which is a secret.
            raise ServiceUnavailable(f"The webhook does not answer: {type(error).__name__}.") from None
        if status in (408, 425, 429) or status >= 500:
            raise ServiceUnavailable(f"The webhook answered {status}.")
        if not 200 <= status < 300:
            raise CallRefused(f"The webhook answered {status}.")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
