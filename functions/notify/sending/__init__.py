"""Where alerts go beside the inbox: each channel that the environment sets up.

- `DROPFORGE_WEBHOOK_URL`: POST of the alert as JSON.
- `DROPFORGE_SLACK_URL`: an incoming webhook of Slack, or of what understands its form.
- `DROPFORGE_SMTP_URL` (`smtp://user:password@host:587`, or `smtps://`); beside it `DROPFORGE_MAIL_FROM` and
  `DROPFORGE_MAIL_TO`.

These hold secrets: on Google Cloud they come from Secret Manager, and they never appear in a log or an error.
"""

import os
from collections.abc import Mapping

from dropforge.contracts.errors import SettingsInvalid

from .mail import Mail
from .secret import Secret
from .webhook import Webhook, plain, slack

__all__ = ["Channel", "Mail", "Secret", "Webhook", "plain", "read", "slack"]

Channel = Mail | Webhook


def read(environment: Mapping[str, str] = os.environ) -> dict[str, Channel]:
    """The channels that are set up, by name.

    Raises:
        SettingsInvalid: a mail server is named without sender or receivers, or a URL is none.
    """
    found: dict[str, Channel] = {}
    for name, form in (("webhook", plain), ("slack", slack)):
        url = environment.get(f"DROPFORGE_{name.upper()}_URL", "")
        if url:
            if not url.startswith(("https://", "http://")):
                raise SettingsInvalid(f"Expected DROPFORGE_{name.upper()}_URL to begin with https:// or http://.")
            found[name] = Webhook(Secret(url), form)
    server = environment.get("DROPFORGE_SMTP_URL", "")
    if server:
        sender, receivers = (environment.get(f"DROPFORGE_MAIL_{name}", "") for name in ("FROM", "TO"))
        if not sender or not receivers or not server.startswith(("smtp://", "smtps://")):
            raise SettingsInvalid(
                "Expected DROPFORGE_SMTP_URL to begin with smtp:// or smtps://, and DROPFORGE_MAIL_FROM and "
                f"DROPFORGE_MAIL_TO beside it. Found the sender {sender!r} and the receivers {receivers!r}."
            )
        found["mail"] = Mail(Secret(server), sender, receivers)
    return found
