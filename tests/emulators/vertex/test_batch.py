"""Batch prediction between the two emulators, through the official clients."""

import json
from typing import Any

import pytest
from google.cloud.aiplatform_v1.types import JobState
from google.cloud.storage import Bucket

from tests.emulators.vertex.conftest import MACHINE, upload


def predict(bucket: Bucket, source: str, kind: str) -> Any:
    """Run a batch prediction over objects of the bucket."""
    return upload("batch").batch_predict(
        job_display_name="batch",
        gcs_source=f"gs://{bucket.name}/{source}",
        gcs_destination_prefix=f"gs://{bucket.name}/out",
        instances_format=kind,
        machine_type=MACHINE,
        batch_size=2,
        sync=False,
    )


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize(
    ("name", "content", "kind", "instances"),
    [
        ("a-{}.jsonl", ['{"x": 1}\n{"x": 2}\n', '{"x": 3}\n'], "jsonl", [{"x": 1}, {"x": 2}, {"x": 3}]),
        ("b-{}.csv", ['x,y\n1,"EWR"\n', 'x,y\n2,"JFK"\n'], "csv", [[1.0, "EWR"], [2.0, "JFK"]]),
    ],
)
def test_every_instance_of_the_files_is_predicted_in_order(
    bucket: Bucket,
    name: str,
    content: list[str],
    kind: str,
    instances: list[object],
) -> None:
    """`materialize` computes a whole key set by one job."""
    for number, text in enumerate(content):
        bucket.blob(name.format(number)).upload_from_string(text)
    done = predict(bucket, name.format("*"), kind)
    done.wait()
    assert (done.state, done.completion_stats.successful_count) == (JobState.JOB_STATE_SUCCEEDED, len(instances))
    folder = done.output_info.gcs_output_directory.removeprefix(f"gs://{bucket.name}/")
    lines = bucket.blob(f"{folder}/prediction.results-00000-of-00001").download_as_text().splitlines()
    assert [json.loads(line)["instance"] for line in lines] == instances
    assert [json.loads(line)["prediction"]["instance"] for line in lines] == instances


@pytest.mark.usefixtures("warehouse")
def test_a_batch_that_fails_is_written_beside_those_that_do_not(bucket: Bucket) -> None:
    """No instance is lost without a word."""
    bucket.blob("mixed.jsonl").upload_from_string('{"status": 500}\n{}\n{}\n')
    done = predict(bucket, "mixed.jsonl", "jsonl")
    done.wait()
    assert (done.completion_stats.successful_count, done.completion_stats.failed_count) == (1, 2)
    folder = done.output_info.gcs_output_directory.removeprefix(f"gs://{bucket.name}/")
    failures = bucket.blob(f"{folder}/prediction.errors_stats-00000-of-00001").download_as_text()
    assert failures.count("as asked") == 2


@pytest.mark.usefixtures("warehouse")
def test_a_source_that_is_not_there_fails_the_job_by_name(bucket: Bucket) -> None:
    """The reason names the object."""
    with pytest.raises(RuntimeError, match=r"gs://batch/absent.jsonl does not exist"):
        predict(bucket, "absent.jsonl", "jsonl").wait()
