"""Notify, with real receivers: each alert reaches each channel once, whatever fails on the way."""

import re
from collections.abc import Iterator

import pytest

from dropforge.contracts import alerts
from dropforge.contracts.errors import ServiceUnavailable, SettingsInvalid
from dropforge.contracts.events import AlertRaised
from dropforge.core.twins import MemoryObjects, SetClock
from functions.notify import steps
from functions.notify.sending import Channel, read
from tests.functions.notify.receivers import Hook, MailServer, listening
from tests.ml.crash import Crash, Fuse, Mortal

ALERT = AlertRaised(
    pipeline="flights",
    severity="error",
    code="accuracy_down",
    subject="origin=JFK",
    sentence="The accuracy of flights in origin=JFK fell from 0.80 to 0.61 & <more>.",
    key="flights:origin=JFK:1:raised",
    facts={"expected": "accuracy 0.800", "undo": "nothing to undo"},
)


@pytest.fixture
def hook() -> Iterator[Hook]:
    """An HTTP server."""
    with listening(Hook()) as server:
        yield server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server."""
    with listening(MailServer()) as server:
        yield server


@pytest.fixture
def state() -> MemoryObjects:
    """The state bucket."""
    return MemoryObjects()


def channels(hook: Hook, mail: MailServer) -> dict[str, Channel]:
    """All channels."""
    return read(
        {
            "DROPFORGE_WEBHOOK_URL": hook.url,
            "DROPFORGE_SLACK_URL": hook.url,
            "DROPFORGE_SMTP_URL": mail.url,
            "DROPFORGE_MAIL_FROM": "dropforge@example.org",
            "DROPFORGE_MAIL_TO": "one@example.org, two@example.org",
        }
    )


def tell(state: MemoryObjects, through: dict[str, Channel], alert: AlertRaised = ALERT) -> None:
    """One delivery."""
    steps.tell(alert, through, state, SetClock())


def page(state: MemoryObjects) -> str:
    """The inbox."""
    return state.read(alerts.INBOX)[0].decode()


def test_an_alert_reaches_every_channel(state: MemoryObjects, hook: Hook, mail: MailServer) -> None:
    """The same facts in the form of each, under one id."""
    tell(state, channels(hook, mail))
    (plain, first_id), (slack, second_id) = hook.got
    assert first_id == second_id == plain["id"]
    assert (plain["code"], plain["facts"]["expected"]) == ("accuracy_down", "accuracy 0.800")
    assert slack["text"] == "[flights] accuracy down: origin=JFK"
    assert "&amp; &lt;more&gt;" in slack["blocks"][0]["text"]["text"]
    assert "*expected*: accuracy 0.800" in slack["blocks"][1]["text"]["text"]
    (message,) = mail.got
    assert re.search(r"^Subject: \[flights\] accuracy down: origin=JFK\r$", message, re.MULTILINE)
    assert f"Message-ID: <{first_id}@dropforge>" in message
    assert "undo: nothing to undo" in message


def test_an_alert_that_comes_again_is_told_once(state: MemoryObjects, hook: Hook, mail: MailServer) -> None:
    """Events are delivered at least once, and an alert may be raised again by a step that is repeated."""
    for _ in range(3):
        tell(state, channels(hook, mail))
    assert (len(hook.got), len(mail.got)) == (2, 1)
    assert page(state).count("<td>origin=JFK") == 1


def test_resolved_is_another_message(state: MemoryObjects, hook: Hook, mail: MailServer) -> None:
    """Even where the key is the same."""
    through = {"webhook": channels(hook, mail)["webhook"]}
    tell(state, through)
    tell(state, through, ALERT.model_copy(update={"status": "resolved"}))
    assert [body["title"][10:18] for body, _ in hook.got] == ["accuracy", "resolved"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_channel_that_fails_is_tried_again_and_holds_up_no_other(
    state: MemoryObjects, hook: Hook, mail: MailServer, status: int
) -> None:
    """And the others are not told twice for it."""
    hook.answers = [status]
    with pytest.raises(ServiceUnavailable, match=f"webhook: The webhook answered {status}"):
        tell(state, channels(hook, mail))
    assert (len(hook.got), len(mail.got)) == (2, 1)
    tell(state, channels(hook, mail))
    assert (len(hook.got), len(mail.got)) == (3, 1)


def test_a_refusal_is_kept_and_not_repeated(state: MemoryObjects, hook: Hook, mail: MailServer) -> None:
    """A hook that was removed must neither block the inbox nor raise an alert about the alert."""
    hook.answers = [404, 301]
    for _ in range(2):
        tell(state, channels(hook, mail))
    assert len(hook.got) == 2
    marks = {info.name.rpartition("/")[2]: state.read(info.name)[0] for info in state.list("alerts/flights/")}
    assert marks["webhook.txt"] == b"refused: The webhook answered 404."
    assert marks["slack.txt"] == b"refused: The webhook answered 301."
    assert marks["mail.txt"] == b"sent"


@pytest.mark.parametrize(("answer", "again"), [("451 later", True), ("550 no such user", False)])
def test_a_mail_server_says_whether_to_come_back(
    state: MemoryObjects, hook: Hook, mail: MailServer, answer: str, again: bool
) -> None:
    """A greylisting server answers 451 at first; an unknown receiver stays unknown."""
    mail.answers = [answer, answer]
    through = {"mail": channels(hook, mail)["mail"]}
    if again:
        with pytest.raises(ServiceUnavailable, match="451"):
            tell(state, through)
    else:
        tell(state, through)
    tell(state, through)
    assert len(mail.got) == (1 if again else 0)


def test_nobody_there_is_tried_again_and_no_secret_is_told(state: MemoryObjects) -> None:
    """The URL of a hook is its password."""
    with Hook() as gone:
        url = gone.url
    with pytest.raises(ServiceUnavailable) as caught:
        tell(state, read({"DROPFORGE_WEBHOOK_URL": url}))
    assert "secret" not in str(caught.value) + repr(caught.value.__cause__)
    assert "<td>origin=JFK" in page(state)


def test_a_death_anywhere_loses_nothing(hook: Hook, mail: MailServer) -> None:
    """After the repeat each channel has it, and one at most has it twice."""
    for at in range(1, 11):
        hook.got.clear()
        state, fuse = MemoryObjects(), Fuse(at)
        with pytest.raises(Crash):
            steps.tell(ALERT, channels(hook, mail), Mortal(state, fuse), SetClock())
        tell(state, channels(hook, mail))
        assert 2 <= len(hook.got) <= 3
        assert "&amp; &lt;more&gt;" in page(state)


def test_a_password_is_not_sent_in_the_clear(state: MemoryObjects, mail: MailServer) -> None:
    """A server that offers no encryption is refused, however it came to that."""
    url = mail.url.replace("smtp://", "smtp://user:secret@")
    asked = {"DROPFORGE_SMTP_URL": url, "DROPFORGE_MAIL_FROM": "a@example.org", "DROPFORGE_MAIL_TO": "b@example.org"}
    tell(state, read(asked))
    assert mail.got == []
    (mark,) = [state.read(info.name)[0] for info in state.list("alerts/flights/") if info.name.endswith("mail.txt")]
    assert mark == b"refused: The mail server refused: 538 SMTPNotSupportedError."


def test_equal_alerts_without_a_key_are_one_a_day(state: MemoryObjects, hook: Hook, mail: MailServer) -> None:
    """The same file refused again tomorrow is news; delivered twice today it is not."""
    alert = ALERT.model_copy(update={"key": ""})
    through, clock = {"webhook": channels(hook, mail)["webhook"]}, SetClock()
    for seconds in (0, 60, 86400):
        clock.seconds += seconds
        steps.tell(alert, through, state, clock)
    assert len(hook.got) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"DROPFORGE_WEBHOOK_URL": "hooks.example/secret"},
        {"DROPFORGE_SMTP_URL": "smtp://u:secret@host"},
        {"DROPFORGE_SMTP_URL": "host:secret", "DROPFORGE_MAIL_FROM": "a@b", "DROPFORGE_MAIL_TO": "c@d"},
    ],
)
def test_what_is_set_up_wrongly_is_told_at_once_without_the_secret(wrong: dict[str, str]) -> None:
    """At the deployment, not at the first alert."""
    with pytest.raises(SettingsInvalid) as caught:
        read(wrong)
    assert "secret" not in str(caught.value)
