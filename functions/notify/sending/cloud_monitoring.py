"""A point of a metric in Cloud Monitoring: 1 when an alert is raised, 0 when it is resolved.

Each pipeline, code and subject is a time series of its own, so that an alerting policy opens an incident for each, and
closes it. https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/create
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dropforge.contracts.errors import CallRefused, ServiceUnavailable
from dropforge.contracts.events import AlertRaised

if TYPE_CHECKING:
    import requests

METRIC = "custom.googleapis.com/dropforge/alert"
API = "https://monitoring.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/monitoring.write"
_TIMEOUT = (5.0, 10.0)  # seconds to connect, seconds to answer
_LONGEST_LABEL = 1024  # characters
# What a later point of the same series is taken after: a series takes one each five seconds, the newest last.
_TOO_SOON = ("more frequently than the maximum sampling period", "must be written in order")


class CloudMonitoring:
    """The time series of one project. `emulated`: no access token is sent."""

    def __init__(self, project: str, api: str = API, *, emulated: bool = False) -> None:
        self._project = project
        self._url = f"{api.rstrip('/')}/v3/projects/{project}/timeSeries"
        self._emulated = emulated

    def send(self, alert: AlertRaised, _: str) -> None:
        """As `steps.Channel.send`. A point has the time at which it is sent, for one that is older is not taken."""
        import requests
        from google.auth.exceptions import GoogleAuthError

        body = {"timeSeries": [series(self._project, alert, datetime.now(UTC))]}
        try:
            with self._session().post(self._url, json=body, timeout=_TIMEOUT, allow_redirects=False) as answer:
                status, said = answer.status_code, answer.text[:500]
        except (GoogleAuthError, requests.RequestException) as error:
            raise ServiceUnavailable(f"Cloud Monitoring does not answer: {type(error).__name__}: {error}") from error
        if status in (408, 429) or status >= 500 or any(reason in said for reason in _TOO_SOON):
            raise ServiceUnavailable(f"Cloud Monitoring answered {status}: {said}")
        if status != 200:
            raise CallRefused(f"Cloud Monitoring answered {status}: {said}")

    def _session(self) -> "requests.Session":
        import google.auth
        import requests
        from google.auth.transport.requests import AuthorizedSession

        if self._emulated:
            return requests.Session()
        credentials, _ = google.auth.default(scopes=[SCOPE])
        return AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # typed in part


def series(project: str, alert: AlertRaised, at: datetime) -> dict[str, Any]:
    """One time series with one point, as the API takes it.

    >>> alert = AlertRaised(pipeline="p", severity="error", code="accuracy_down", subject="origin=JFK", sentence="")
    >>> series("my-project", alert, datetime(2026, 1, 1, tzinfo=UTC))["points"]
    [{'interval': {'endTime': '2026-01-01T00:00:00.000000Z'}, 'value': {'int64Value': '1'}}]
    """
    labels = {"pipeline": alert.pipeline, "code": alert.code, "subject": alert.subject}
    return {
        "metric": {"type": METRIC, "labels": {name: value[:_LONGEST_LABEL] for name, value in labels.items()}},
        "resource": {"type": "global", "labels": {"project_id": project}},
        "metricKind": "GAUGE",
        "valueType": "INT64",
        "points": [
            {
                "interval": {"endTime": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"},
                "value": {"int64Value": "0" if alert.status == "resolved" else "1"},
            }
        ],
    }
