"""`flow.yaml` is read strictly, and each error says where, what was expected and what was found."""

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
    assert list(flow.read().functions) == ["ingest", "validate", "train", "publish", "predict"]


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
        ("{topics: [jobs]}", "{topics: [jobs], storage: landing}", "Expected exactly one of"),
        ("{topics: [jobs]}", "{http: /v1/}", "'retry' belongs to every function with a storage or topics trigger"),
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
