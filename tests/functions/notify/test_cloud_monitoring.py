"""The channel to Cloud Monitoring, by HTTP to a server that is as strict as Google's: an incident opens and closes."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dropforge.contracts.errors import ServiceUnavailable, SettingsInvalid
from dropforge.core.twins import MemoryObjects, SetClock
from functions.notify import steps
from functions.notify.sending import CloudMonitoring, read
from functions.notify.sending.cloud_monitoring import METRIC
from tests.functions.notify.monitoring_api import MonitoringApi
from tests.functions.notify.receivers import listening
from tests.functions.notify.test_notify import ALERT

POLICY = Path(__file__).parents[3] / "infra" / "monitoring" / "alert_policy.json"
RESOLVED = ALERT.model_copy(update={"status": "resolved"})
LABELS = {"pipeline": "flights", "code": "accuracy_down", "subject": "origin=JFK"}


@pytest.fixture
def api() -> Iterator[MonitoringApi]:
    """Cloud Monitoring."""
    with listening(MonitoringApi()) as server:
        yield server


def through(api: MonitoringApi) -> dict[str, steps.Channel]:
    """The channel, as a deployment beside an emulator sets it up."""
    return dict(read({"DROPFORGE_CLOUD_MONITORING": "my-project", "DROPFORGE_MONITORING_API": api.url}))


def marks(state: MemoryObjects) -> list[bytes]:
    """What was written down of each send."""
    return [state.read(info.name)[0] for info in state.list("alerts/") if info.name.endswith("cloud_monitoring.txt")]


def test_an_alert_is_a_one_and_its_end_a_zero_in_one_series(api: MonitoringApi) -> None:
    """So that a policy opens an incident by the one, and closes the same by the other."""
    state = MemoryObjects()
    for alert in (ALERT, ALERT, RESOLVED):
        steps.tell(alert, through(api), state, SetClock())
    assert api.points == [(LABELS, 1), (LABELS, 0)]
    assert len(api.newest) == 1


def test_a_point_that_comes_too_soon_for_its_series_is_sent_again(api: MonitoringApi) -> None:
    """It is refused by 400, but only for now: given up, the incident would stay open for ever."""
    state = MemoryObjects()
    steps.tell(ALERT, through(api), state, SetClock())
    api.period = timedelta(hours=1)
    with pytest.raises(ServiceUnavailable, match="more frequently"):
        steps.tell(RESOLVED, through(api), state, SetClock())
    api.period = timedelta(0)
    steps.tell(RESOLVED, through(api), state, SetClock())
    assert [value for _, value in api.points] == [1, 0]


def test_a_missing_role_is_kept_as_a_refusal_that_names_it(api: MonitoringApi) -> None:
    """Whoever looks for the incident finds why there is none; and the other channels are not held up by it."""
    state = MemoryObjects()
    api.granted = False
    steps.tell(ALERT, through(api), state, SetClock())
    (mark,) = marks(state)
    assert mark.startswith(b"refused: Cloud Monitoring answered 403")
    assert b"monitoring.timeSeries.create denied" in mark


def test_nobody_there_is_tried_again() -> None:
    """As with every channel."""
    with listening(MonitoringApi()) as gone:
        there = through(gone)
    with pytest.raises(ServiceUnavailable, match="does not answer"):
        steps.tell(ALERT, there, MemoryObjects(), SetClock())


def test_on_google_cloud_it_shows_the_accounts_token(
    api: MonitoringApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is asked for where the account's key says, and without it the point is not taken."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = {
        "type": "service_account",
        "project_id": "my-project",
        "client_email": "dropforge-notify@my-project.iam.gserviceaccount.com",
        "token_uri": f"{api.url}/token",
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    }
    (tmp_path / "key.json").write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    CloudMonitoring("my-project", api.url).send(ALERT, "1")
    assert (api.points, api.token) == ([(LABELS, 1)], "given-here")
    api.token = "another"
    steps.tell(ALERT, {"cloud_monitoring": CloudMonitoring("my-project", api.url)}, MemoryObjects(), SetClock())
    assert len(api.points) == 2


def test_a_long_subject_is_cut_to_what_a_label_holds(api: MonitoringApi) -> None:
    """Object names have up to 1,024 bytes, and gs:// and a bucket before them."""
    steps.tell(ALERT.model_copy(update={"subject": "x" * 2000}), through(api), MemoryObjects(), SetClock())
    assert api.points[0][0]["subject"] == "x" * 1024


@pytest.mark.parametrize("wrong", ["projects/my-project", "My Project", "a"])
def test_what_is_no_project_is_told_at_the_deployment(wrong: str) -> None:
    """Not at the first alert."""
    with pytest.raises(SettingsInvalid, match="project's id"):
        read({"DROPFORGE_CLOUD_MONITORING": wrong})


def test_the_policy_watches_the_metric_that_is_written() -> None:
    """The file that a person creates the policy from, and the code, must not drift apart."""
    (condition,) = json.loads(POLICY.read_text())["conditions"]
    assert f'metric.type = "{METRIC}"' in condition["conditionThreshold"]["filter"]
    assert 'resource.type = "global"' in condition["conditionThreshold"]["filter"]
