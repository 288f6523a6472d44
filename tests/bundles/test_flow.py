"""`flow.yaml` is read strictly, and each error says where, what was expected and what was found."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions import flow

GOOD = """
buckets: {landing: files}
topics: {jobs: orders, dead-letter: given up}
functions:
  work:
    entry_point: work
    trigger: {topics: [jobs]}
    emits: []
    memory_mb: 256
    timeout_seconds: 10
    concurrency: 1
    max_instances: 1
    retry: {minimum_seconds: 1, maximum_seconds: 60, attempts: 20}
    role: worker
"""


def test_the_projects_own_flow_is_valid() -> None:
    """What every other part reads."""
    assert list(flow.read().functions) == [
        "ingest",
        "validate",
        "train",
        "publish",
        "reconcile",
        "materialize",
        "predict",
        "record",
        "archive",
        "monitor",
        "notify",
    ]


def test_a_flow_needs_no_containers(tmp_path: Path) -> None:
    """The smallest flow that runs."""
    path = tmp_path / "flow.yaml"
    path.write_text(GOOD)
    assert flow.read(path).containers == {}


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("memory_mb:", "memory:", "functions.work.memory: this key is not known. Did you mean 'memory_mb'?"),
        ("    role: worker\n", "", "functions.work.role: this key is required."),
        ("concurrency: 1", "concurrency: yes", "functions.work.concurrency: Input should be a valid integer."),
        ("memory_mb: 256", "memory_mb: 64", "greater than or equal to 128. Got 64."),
        ("[jobs]", "[job]", "work.trigger.topics: there is no topic 'job'. Did you mean 'jobs'?"),
        ("{topics: [jobs]}", "{topics: [jobs], http: /v1/}", "Expected 'storage', 'topics' or both, or else 'http'"),
        ("{topics: [jobs]}", "{}", "or else 'http' or 'schedule'. Got none."),
        ("{topics: [jobs]}", "{schedule: '* * * *'}", "'schedule' is in cron's five fields, such as"),
        ("{topics: [jobs]}", "{schedule: '61 * * * *'}", "Got '61 * * * *'."),
        ("{topics: [jobs]}", "{schedule: '@daily'}", "Got '@daily'."),
        ("{topics: [jobs]}", "{schedule: '0 2 * * *', zone: Mars/Base}", "'zone' is a name such as Europe/Vienna"),
        ("{topics: [jobs]}", "{topics: [jobs], zone: Etc/UTC}", "'zone' belongs to a 'schedule'."),
        (
            "{topics: [jobs]}",
            "{http: /v1/}",
            "'retry' belongs to every function with a storage, topics or schedule trigger",
        ),
        (
            "    role: worker",
            "    role: worker\n    invoker: public",
            "'invoker: public' is for functions with an http",
        ),
        ("attempts: 20", "attempts: 3", "greater than or equal to 5. Got 3."),
        ("minimum_seconds: 1,", "minimum_seconds: 61,", "'minimum_seconds' must not exceed 'maximum_seconds'"),
        ("    emits: []", "    emits: []\n    emits: [jobs]", "the key 'emits' is given twice"),
        ("jobs: orders, dead-letter: given up", "jobs: orders", "deliveries given up need a topic 'dead-letter'"),
        ("buckets: {", "buckets: [", "This is not YAML"),
    ],
)
def test_mistake_is_told_with_its_place(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    """Each mistake is one edit of a good flow."""
    assert right in GOOD
    path = tmp_path / "flow.yaml"
    path.write_text(GOOD.replace(right, wrong, 1))
    with pytest.raises(flow.FlowInvalid) as caught:
        flow.read(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_schedule_is_by_the_clock_of_its_zone() -> None:
    """Two in the morning in Vienna is one o'clock UTC in winter and midnight in summer."""
    nightly = flow.Trigger(schedule="0 2 * * *", zone="Europe/Vienna")

    def due(day: str) -> str:
        return datetime.fromtimestamp(nightly.due_after(datetime.fromisoformat(day).timestamp()), UTC).isoformat()

    assert due("2026-01-10T12:00:00Z") == "2026-01-11T01:00:00+00:00"
    assert due("2026-07-10T12:00:00Z") == "2026-07-11T00:00:00+00:00"


def test_schedule_is_in_utc_unless_said_otherwise() -> None:
    """And its next time is after the given moment, never that moment itself."""
    every_quarter = flow.Trigger(schedule="*/15 * * * *")
    assert every_quarter.due_after(0) == 900
    assert every_quarter.due_after(899.5) == 900
    assert every_quarter.due_after(900) == 1800
