"""Where alerts go beside the inbox: each channel that the environment sets up.

- `DROPFORGE_WEBHOOK_URL`: POST of the alert as JSON.
- `DROPFORGE_SLACK_URL`: an incoming webhook of Slack, or of what understands its form.
- `DROPFORGE_SMTP_URL` (`smtp://user:password@host:587`, or `smtps://`); beside it `DROPFORGE_MAIL_FROM` and
  `DROPFORGE_MAIL_TO`.
- `DROPFORGE_CLOUD_MONITORING`: the id of the project whose Cloud Monitoring gets a point of a metric for each alert;
  `DROPFORGE_MONITORING_API` is the URL of an emulator.

The first three hold secrets: on Google Cloud they come from Secret Manager, and they never appear in a log or an error.
"""

import os
import re
from collections.abc import Mapping

from dropforge.contracts.errors import SettingsInvalid

from .cloud_monitoring import API, CloudMonitoring
from .mail import Mail
from .secret import Secret
from .webhook import Webhook, plain, slack

__all__ = ["Channel", "CloudMonitoring", "Mail", "Secret", "Webhook", "plain", "read", "slack"]

Channel = CloudMonitoring | Mail | Webhook

# https://cloud.google.com/resource-manager/docs/creating-managing-projects; older ones begin with a domain.
_PROJECT = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")


def read(environment: Mapping[str, str] = os.environ) -> dict[str, Channel]:
    """The channels that are set up, by name.

    Raises:
        SettingsInvalid: a mail server is named without sender or receivers, a URL is none, or a project's id.
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
    project = environment.get("DROPFORGE_CLOUD_MONITORING", "")
    if project:
        if not _PROJECT.fullmatch(project):
            raise SettingsInvalid(f"Expected DROPFORGE_CLOUD_MONITORING to be a project's id. Found {project!r}.")
        api = environment.get("DROPFORGE_MONITORING_API", "")
        found["cloud_monitoring"] = CloudMonitoring(project, api or API, emulated=bool(api))
    return found
