"""Request-response logging into the BigQuery emulator, through the official clients."""

import json
import time

from google.cloud import aiplatform, bigquery

from tests.emulators.vertex.conftest import MACHINE, upload


def test_predictions_are_logged_at_their_rate(warehouse: bigquery.Client) -> None:
    """Monitoring reads what was asked and answered; every second of four is two."""
    endpoint = aiplatform.Endpoint.create(
        display_name="logged",
        enable_request_response_logging=True,
        request_response_logging_sampling_rate=0.5,
        request_response_logging_bq_destination_table="bq://test-project.logs.asked",
    )
    endpoint.deploy(upload("logged"), machine_type=MACHINE)
    for number in range(4):
        endpoint.predict([{"x": number}])
    rows = logged(warehouse, "logs.asked", 2)
    assert [json.loads(row.request_payload[0]) for row in rows] == [{"x": 1}, {"x": 3}]
    assert {row.deployed_model_id for row in rows} == {endpoint.list_models()[0].id}
    assert [json.loads(row.response_payload[0])["instance"] for row in rows] == [{"x": 1}, {"x": 3}]


def logged(client: bigquery.Client, table: str, count: int) -> list[bigquery.Row]:
    """The rows, once there are so many; they are written after the answer."""
    for _ in range(50):
        if table.partition(".")[0] in [dataset.dataset_id for dataset in client.list_datasets()]:
            rows = list(client.query_and_wait(f"SELECT * FROM {table} ORDER BY logging_time"))
            if len(rows) >= count:
                return rows
        time.sleep(0.1)
    raise AssertionError(f"There were never {count} rows in {table}.")
