"""E-mail by SMTP, encrypted where the server offers it; a password is sent over nothing else."""

import smtplib
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from dropforge.contracts.errors import CallRefused, ServiceUnavailable
from dropforge.contracts.events import AlertRaised

from .secret import Secret
from .title import title

_TIMEOUT = 15.0  # seconds for each step
_PORTS = {"smtp": 587, "smtps": 465}


class Mail:
    """A mail server, a sender and the receivers, which commas separate."""

    def __init__(self, server: Secret, sender: str, receivers: str) -> None:
        self._server = server
        self._sender = sender
        self._receivers = receivers

    def send(self, alert: AlertRaised, alert_id: str) -> None:
        """As `steps.Channel.send`."""
        try:
            with self._connected() as server:
                server.send_message(self._message(alert, alert_id))
        except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as error:
            said = f"The mail server refused: {_code(error)} {type(error).__name__}."
            if 400 <= _code(error) < 500:
                raise ServiceUnavailable(said) from None
            raise CallRefused(said) from None
        except (smtplib.SMTPException, OSError) as error:
            raise ServiceUnavailable(f"The mail server does not answer: {type(error).__name__}.") from None

    def _connected(self) -> smtplib.SMTP:
        url = urlsplit(self._server.reveal())
        kind = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
        server = kind(url.hostname or "", url.port or _PORTS[url.scheme], timeout=_TIMEOUT)
        try:
            server.ehlo()
            if url.scheme == "smtp" and (server.has_extn("starttls") or url.username):
                server.starttls()  # raises where it is not offered: then no password is sent
                server.ehlo()
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, alert: AlertRaised, alert_id: str) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = self._receivers
        message["Subject"] = title(alert)
        message["Message-ID"] = f"<{alert_id}@dropforge>"
        facts = "\n".join(f"{name}: {value}" for name, value in alert.facts.items())
        message.set_content(f"{alert.sentence}\n\n{facts}\n")
        return message


def _code(error: Exception) -> int:
    """The server's code; of refused receivers the mildest, which may pass another time."""
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min(code for code, _ in error.recipients.values())
    return 538  # encryption required for the requested authentication mechanism
