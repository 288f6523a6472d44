"""Evaluations of model versions, through the official client."""

import pytest
from google.cloud import aiplatform
from google.cloud.aiplatform_v1.types import ModelEvaluation, ModelEvaluationSlice
from google.protobuf import json_format, struct_pb2

from tests.emulators.vertex.conftest import upload

pytestmark = pytest.mark.usefixtures("sdk")
ALSO_IN_THE_CLOUD = True
SCHEMA = "gs://google-cloud-aiplatform/schema/modelevaluation/classification_metrics_1.0.0.yaml"


def test_an_evaluation_belongs_to_its_version_and_has_slices() -> None:
    """The judge writes what it measured beside the version it measured."""
    first = upload("evaluated")
    second = upload("evaluated", parent_model=first.resource_name, is_default_version=False)
    metrics = json_format.ParseDict({"auRoc": 0.75}, struct_pb2.Value())
    client = first.api_client
    given = ModelEvaluation(display_name="holdout", metrics_schema_uri=SCHEMA, metrics=metrics)
    made = client.import_model_evaluation(parent=second.versioned_resource_name, model_evaluation=given)
    (found,) = aiplatform.Model(second.versioned_resource_name).list_model_evaluations()
    assert (found.resource_name, dict(found.metrics or {})) == (made.name, {"auRoc": 0.75})
    assert first.list_model_evaluations() == []
    slice_ = ModelEvaluationSlice.Slice(dimension="annotationSpec", value="EWR")
    one = ModelEvaluationSlice(slice_=slice_, metrics_schema_uri=SCHEMA, metrics=metrics)
    client.batch_import_model_evaluation_slices(parent=made.name, model_evaluation_slices=[one])
    assert [found.slice_.value for found in client.list_model_evaluation_slices(parent=made.name)] == ["EWR"]
