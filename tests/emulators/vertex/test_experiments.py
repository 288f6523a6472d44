"""The SDK's experiment tracking."""

from itertools import pairwise
from typing import Any

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


def test_lineage_of_an_artifact_leads_over_executions_both_ways(sdk: Emulator) -> None:  # noqa: ARG001
    """From a model back to the file that it was trained on, and from the file to all that was made of it."""
    names = ("january", "features", "model")
    made = [aiplatform.Artifact.create(schema_title="system.Artifact", display_name=name) for name in names]
    for read, wrote in pairwise(made):
        with aiplatform.start_execution(schema_title="system.ContainerExecution") as execution:
            execution.assign_input_artifacts([read])
            execution.assign_output_artifacts([wrote])
    client: Any = made[0].api_client
    for each in made:
        graph = client.query_artifact_lineage_subgraph(artifact=each.resource_name)
        assert {artifact.display_name for artifact in graph.artifacts} == set(names)
        assert len(graph.executions) == 2
    near = client.query_artifact_lineage_subgraph(request={"artifact": made[0].resource_name, "max_hops": 1})
    assert {artifact.display_name for artifact in near.artifacts} == {"january", "features"}


def test_an_experiment_is_deleted_with_its_runs(sdk: Emulator) -> None:  # noqa: ARG001
    """What was only tried can be cleared away."""
    experiment = aiplatform.Experiment.create("tried")
    run = aiplatform.ExperimentRun.create("one", experiment=experiment)
    run.log_metrics({"auc": 0.5})
    run.delete()
    experiment.delete()
    assert "tried" not in [found.name for found in aiplatform.Experiment.list()]


def test_purging_counts_what_a_filter_finds_and_forgets_it_when_forced(sdk: Emulator) -> None:  # noqa: ARG001
    """A look before the leap."""
    made = aiplatform.Artifact.create(schema_title="system.Artifact", display_name="old")
    client: Any = made.api_client
    request = {"parent": made.resource_name.partition("/artifacts/")[0], "filter": 'display_name="old"'}
    assert client.purge_artifacts(request=request).result().purge_count == 1
    assert aiplatform.Artifact.get(made.name) is not None
    assert client.purge_artifacts(request=request | {"force": True}).result().purge_count == 1
    assert aiplatform.Artifact.list(filter='display_name="old"') == []


def test_a_purge_finds_what_a_list_finds(sdk: Emulator) -> None:  # noqa: ARG001
    """Contexts below a context, as an experiment's runs are."""
    experiment, run = (
        aiplatform.Context.create(schema_title="system.Context", display_name=name) for name in ("parent", "child")
    )
    client: Any = experiment.api_client
    client.add_context_children(context=experiment.resource_name, child_contexts=[run.resource_name])
    below = f'parent_contexts:"{experiment.resource_name}"'
    assert [found.name for found in aiplatform.Context.list(filter=below)] == [run.name]
    request = {"parent": experiment.resource_name.partition("/contexts/")[0], "filter": below, "force": True}
    assert client.purge_contexts(request=request).result().purge_count == 1
    assert aiplatform.Context.list(filter=below) == []
