"""The SDK's experiment tracking."""

import pytest
from google.cloud import aiplatform

from tests.emulators.launch import Emulator, anonymous


def test_an_experiments_runs_are_read_back_with_parameters_and_metrics(sdk: Emulator) -> None:
    """Whoever compares training runs sees all of them, and which artefact each made."""
    aiplatform.init(
        project="test-project",
        location="us-central1",
        api_endpoint=sdk.url,
        api_transport="rest",
        credentials=anonymous(),
        experiment="flights",
        experiment_tensorboard=False,
    )
    for run, auc in (("months-2", 0.70), ("months-4", 0.75)):
        with aiplatform.start_run(run):
            aiplatform.log_params({"months": int(run[-1]), "model": "boosting"})
            aiplatform.log_metrics({"auc": auc})
    runs = {run.name: run for run in aiplatform.ExperimentRun.list(experiment="flights")}
    assert {name: run.get_metrics() for name, run in runs.items()} == {
        "months-2": {"auc": pytest.approx(0.70)},
        "months-4": {"auc": pytest.approx(0.75)},
    }
    assert runs["months-4"].get_params() == {"months": 4, "model": "boosting"}
    assert {run.get_state() for run in runs.values()} == {"COMPLETE"}


def test_lineage_leads_from_an_execution_to_what_it_read_and_wrote(sdk: Emulator) -> None:  # noqa: ARG001
    """Lineage by the service's own means."""
    read = aiplatform.Artifact.create(schema_title="system.Dataset", uri="gs://b/january.csv")
    wrote = aiplatform.Artifact.create(schema_title="system.Model", uri="gs://b/model.joblib")
    with aiplatform.start_execution(schema_title="system.ContainerExecution", display_name="train") as execution:
        execution.assign_input_artifacts([read])
        execution.assign_output_artifacts([wrote])
    assert [artifact.uri for artifact in execution.get_input_artifacts()] == ["gs://b/january.csv"]
    assert [artifact.uri for artifact in execution.get_output_artifacts()] == ["gs://b/model.joblib"]
