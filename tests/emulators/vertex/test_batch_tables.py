"""Batch prediction from and to BigQuery, between three emulators, through the official clients."""

import json
from typing import Any

import pytest
from google.cloud import aiplatform, bigquery
from google.cloud.aiplatform import jobs
from google.cloud.aiplatform_v1.types import JobState
from google.cloud.storage import Bucket

from tests.emulators.vertex.conftest import MACHINE, upload
from tests.emulators.vertex.test_explanations import SUMS, metadata, parameters
from tests.waiting import until

FLIGHTS = (
    "CREATE TABLE d.flights AS SELECT * FROM UNNEST([STRUCT(1 AS id, 'EWR' AS origin, DATE '2013-01-01' AS day, "
    "1.5 AS delay, [1, 2] AS legs), (2, NULL, DATE '2013-01-02', 2.5, [3])])"
)
FLIGHTS_URI = "bq://test-project.d.flights"
LOCATION = "projects/test-project/locations/us-central1"


@pytest.fixture(scope="module")
def client(warehouse: bigquery.Client) -> bigquery.Client:
    """With the flights in a table."""
    warehouse.query_and_wait(f"CREATE SCHEMA d; {FLIGHTS}")
    return warehouse


def predict(model: Any, **given: Any) -> Any:
    """Run a batch prediction over the table, unless another source is given, to its end."""
    source = {"bigquery_source": FLIGHTS_URI, "instances_format": "bigquery"}
    source = {"gcs_source": given.pop("gcs_source")} if "gcs_source" in given else source
    done = model.batch_predict(job_display_name="batch", machine_type=MACHINE, sync=False, **source, **given)
    done.wait()
    assert done.state == JobState.JOB_STATE_SUCCEEDED
    return done


@pytest.fixture(scope="module")
def model(client: bigquery.Client) -> aiplatform.Model:  # noqa: ARG001  # the SDK must be connected
    """Answers with what it was asked."""
    return upload("echo")


def test_rows_of_a_table_become_rows_with_their_predictions(client: bigquery.Client, model: aiplatform.Model) -> None:
    """Each row is a list in the order of its columns, and comes back whole beside its prediction."""
    done = predict(model, predictions_format="bigquery", bigquery_destination_prefix="bq://test-project")
    table = f"{done.output_info.bigquery_output_dataset.removeprefix('bq://')}.predictions"
    rows = sorted(client.query_and_wait(f"SELECT * FROM `{table}`"), key=lambda row: row.id)
    assert [(row.origin, row.day.isoformat(), row.delay, row.legs) for row in rows] == [
        ("EWR", "2013-01-01", 1.5, [1, 2]),
        (None, "2013-01-02", 2.5, [3]),
    ]
    assert json.loads(rows[0].prediction)["instance"] == [1, "EWR", "2013-01-01", 1.5, [1, 2]]
    assert list(client.list_rows(table.replace("predictions", "errors"))) == []
    assert len(list(done.iter_outputs())) == 2


def test_a_model_is_asked_for_chosen_fields_and_answers_by_key(
    client: bigquery.Client, model: aiplatform.Model
) -> None:
    """Objects, without the key; into a data set of the caller's own."""
    request = {
        "display_name": "keyed",
        "model": model.resource_name,
        "input_config": {"instances_format": "bigquery", "bigquery_source": {"input_uri": FLIGHTS_URI}},
        "instance_config": {"instance_type": "object", "key_field": "id", "excluded_fields": ["day", "legs"]},
        "output_config": {
            "predictions_format": "bigquery",
            "bigquery_destination": {"output_uri": "bq://test-project.mine"},
        },
        "dedicated_resources": {"machine_spec": {"machine_type": MACHINE}, "starting_replica_count": 2},
    }
    service: Any = jobs.BatchPredictionJob._instantiate_client()
    started = service.create_batch_prediction_job(parent=LOCATION, batch_prediction_job=request)
    until(lambda: service.get_batch_prediction_job(name=started.name).end_time)
    done = service.get_batch_prediction_job(name=started.name)
    rows = list(client.list_rows(f"test-project.mine.{done.output_info.bigquery_output_table}"))
    asked = {row.key: json.loads(row.prediction)["instance"] for row in rows}
    assert asked == {1: {"origin": "EWR", "delay": 1.5}, 2: {"origin": None, "delay": 2.5}}


def test_lines_of_an_object_become_rows_and_failures_another_table(
    client: bigquery.Client, bucket: Bucket, model: aiplatform.Model
) -> None:
    """Types come from the values, where no table gives them."""
    bucket.blob("mixed.jsonl").upload_from_string('{"a": 1, "b": {"c": 2}}\n{"a": 1.5}\n{"status": 500, "a": 3}\n')
    source = f"gs://{bucket.name}/mixed.jsonl"
    place = {"predictions_format": "bigquery", "bigquery_destination_prefix": "bq://test-project"}
    done = predict(model, gcs_source=source, batch_size=1, **place)
    dataset = done.output_info.bigquery_output_dataset.removeprefix("bq://")
    rows = list(client.query_and_wait(f"SELECT a, b FROM `{dataset}.predictions` ORDER BY a"))
    assert [tuple(row.values()) for row in rows] == [(1.0, '{"c": 2}'), (1.5, None)]
    (failed,) = client.list_rows(f"{dataset}.errors")
    assert (failed.a, "as asked" in failed.errors["message"]) == (3.0, True)


@pytest.mark.usefixtures("client")
def test_predictions_of_a_batch_are_explained(bucket: Bucket) -> None:
    """As an online prediction is, beside each instance and its prediction."""
    spec = {"explanation_parameters": parameters(), "explanation_metadata": metadata("a", "b")}
    summing = upload("sums", serving_container_environment_variables=SUMS, **spec)
    bucket.blob("pairs.jsonl").upload_from_string('{"a": 3, "b": 0}\n')
    done = predict(
        summing,
        gcs_source=f"gs://{bucket.name}/pairs.jsonl",
        gcs_destination_prefix=f"gs://{bucket.name}/out",
        generate_explanation=True,
    )
    folder = done.output_info.gcs_output_directory.removeprefix(f"gs://{bucket.name}/")
    line = json.loads(bucket.blob(f"{folder}/prediction.results-00000-of-00001").download_as_text())
    assert line["prediction"]["score"] == 6
    assert line["explanation"]["attributions"][0]["featureAttributions"] == {"a": 6, "b": 0}


def test_a_table_that_is_not_there_fails_the_job_by_name(model: aiplatform.Model) -> None:
    """The reason names the table."""
    with pytest.raises(RuntimeError, match=r"test-project\.d\.absent"):
        model.batch_predict(
            job_display_name="batch",
            bigquery_source="bq://test-project.d.absent",
            instances_format="bigquery",
            bigquery_destination_prefix="bq://test-project",
            predictions_format="bigquery",
            machine_type=MACHINE,
        )
