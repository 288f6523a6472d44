"""The flights, live: predictions and labels by HTTP, and a month in which one airport is no longer what it was.

From March on, flights out of JFK are late when they would have been on time. What callers were told is held against
what came of it; the alert names JFK and no other airport, and the policy asks for a training whose version serves. In
April that version is what callers ask, and by its end the alert is resolved.
"""

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from dropforge.contracts import places
from dropforge.contracts.events import TrainingRequested
from dropforge.core import candidates, champion, inbox, pipelines
from tests.journeys.conftest import Deployment
from tests.journeys.running import REPO

DATA = REPO / "examples" / "flights" / "data"
AIRPORTS = ("EWR", "JFK", "LGA")
NUMBERS = ("sched_dep_time", "sched_arr_time", "distance")
ASKED = ("carrier", "origin", "dest", "time_hour", *NUMBERS)
UNKNOWN = ("", "NA")  # cancelled or diverted
WATCHED = b"""
monitoring:
  watches: answers
  metric: roc_auc
  margin: 0.05
  on_accuracy_down: retrain
"""


def flights(month: int, airport: str, changed: bool) -> list[dict[str, str]]:
    """The flights of a month; `changed`: those out of JFK are late that were not, and the other way round."""
    content = gzip.decompress((DATA / f"flights-2013-{month:02}-{airport}.csv.gz").read_bytes()).decode()
    rows = list(csv.DictReader(content.splitlines()))
    for row in rows if changed and airport == "JFK" else []:
        if row["arr_delay"] not in UNKNOWN:
            row["arr_delay"] = "-5" if float(row["arr_delay"]) > 15 else "60"
    return rows


def dropped(deployment: Deployment, month: int, changed: bool) -> None:
    """Drop a month's files, and wait for their verdicts."""
    for airport in AIRPORTS:
        rows = flights(month, airport, changed)
        lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
        batch = deployment.drop(f"flights-2013-{month:02}-{airport}.csv", "\n".join(lines).encode())
        assert deployment.verdict(batch).rows_accepted > 0


def lived(deployment: Deployment, month: int, changed: bool) -> None:
    """Ask for every flight of a month in its order, 2,000 at once, and give the labels of each request after it."""
    rows = sorted((row for each in AIRPORTS for row in flights(month, each, changed)), key=lambda row: row["time_hour"])
    known = [row for row in rows if row["arr_delay"] not in UNKNOWN]
    url = f"{deployment.router}/v1/pipelines/flights"
    with httpx.Client(timeout=60) as http:
        for some in portions(known, 2000):
            asked = {"instances": [{name: value(name, row[name]) for name in ASKED} for row in some]}
            told = http.post(f"{url}:predict", json=asked).raise_for_status().json()["predictions"]
            labels = [
                {"id": one["id"], "label": float(row["arr_delay"]) > 15} for one, row in zip(told, some, strict=True)
            ]
            http.post(f"{url}:label", json={"labels": labels}).raise_for_status()
    deployment.quiet()


def portions(rows: list[dict[str, str]], size: int) -> Iterator[list[dict[str, str]]]:
    """The rows, some at a time."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def value(name: str, text: str) -> Any:
    """A cell as a request has it."""
    return int(text) if name in NUMBERS else text


def alerts(deployment: Deployment) -> list[tuple[str, str]]:
    """What each alert on an airport is about and says, the oldest first."""
    found = [info.metadata for info in reversed(inbox.newest(deployment.services.state))]
    return [(said["subject"], said["status"]) for said in found if said["subject"].startswith("origin=")]


def served(deployment: Deployment, version: str) -> bool:
    """Whether a version serves now."""
    now, _ = champion.current(deployment.services.state, "flights")
    return now is not None and now.version == version


@pytest.mark.heavy
def test_a_changed_airport_is_told_of_alone_retrained_for_and_well_within_a_month(deployment: Deployment) -> None:
    """Real data, a live endpoint, and nobody who looks on."""
    state, topics = deployment.services.state, deployment.services.topics
    text = state.read(places.pipeline_yaml("flights"))[0].partition(b"\nmonitoring:")[0]
    text = text.replace(b"mode: dynamic", b"mode: static\n  window: {days: 31}").replace(
        b"slices: [origin, carrier]", b"slices: [origin]"
    )
    pipelines.deploy(state, text.replace(b"floor: 0.6", b"floor: 0.5") + WATCHED, "the test")
    dropped(deployment, 1, changed=False)
    topics.publish(TrainingRequested(pipeline="flights", request_id="first", asked_by="the test", because="it begins"))
    deployment.wait(lambda: served(deployment, "1"), "a served model", 240)

    lived(deployment, 2, changed=False)
    assert alerts(deployment) == []

    dropped(deployment, 3, changed=True)
    lived(deployment, 3, changed=True)
    deployment.wait(lambda: ("origin=JFK", "raised") in alerts(deployment), "an alert on JFK", 240)
    deployment.wait(lambda: served(deployment, "2"), "a retrained model", 240)
    assert {subject for subject, _ in alerts(deployment)} == {"origin=JFK"}
    newest = candidates.newest(state, "flights")
    assert newest is not None
    assert newest.lineage.asked_by == "monitor"
    assert datetime.fromisoformat(newest.lineage.train_until) > datetime(2013, 3, 1, tzinfo=UTC)

    lived(deployment, 4, changed=True)
    resolved = [("origin=JFK", "raised"), ("origin=JFK", "resolved")]
    deployment.wait(lambda: alerts(deployment) == resolved, "the alert resolved, and no other", 240)
