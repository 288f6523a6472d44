"""What a verdict tells of a diagnosis."""

import pytest

from dropforge.contracts.examination import Diagnosis, Repair


@pytest.mark.parametrize(
    ("repair", "expected"),
    [
        (Repair(change="Read -1 as no value.", yaml='null_markers: ["-1"]'), 'null_markers: ["-1"]'),
        (Repair(change="Ask the source: it knows."), None),
    ],
)
def test_only_what_pipeline_yaml_takes_is_given_as_lines_for_it(repair: Repair, expected: str | None) -> None:
    """A sentence printed as YAML to be pasted would be refused at the next deployment."""
    found = Diagnosis(
        column="amount", cause="sentinel", confidence=0.9, share=0.1, sentence="Why.", evidence=[], repair=repair
    )
    assert found.reason("gs://bucket/file").expected == expected
