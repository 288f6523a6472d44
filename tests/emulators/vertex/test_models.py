"""The Model Registry, through the official client."""

import pytest
import requests
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import aiplatform
from google.cloud.aiplatform import initializer

from tests.emulators.launch import Emulator
from tests.emulators.vertex.conftest import upload

pytestmark = pytest.mark.usefixtures("sdk")
ALSO_IN_THE_CLOUD = True


def test_an_uploaded_model_is_read_back_whole() -> None:
    """Lineage is read from the registry, so nothing may be lost or changed on the way."""
    metadata = {"artifact_uri": "gs://b/a", "labels": {"pipeline": "flights"}, "version_description": "first"}
    model = aiplatform.Model(
        upload("whole", **metadata, serving_container_environment_variables={"A": "1"}).resource_name
    )
    assert (model.display_name, model.version_id, model.version_aliases) == ("whole", "1", ["default"])
    assert (model.uri, model.labels, model.version_description) == ("gs://b/a", {"pipeline": "flights"}, "first")
    spec = model.container_spec
    assert spec is not None
    assert ([(env.name, env.value) for env in spec.env], spec.predict_route) == ([("A", "1")], "/predict")


def test_a_name_carries_the_project_number_and_either_form_is_taken() -> None:
    """The service answers with numbers; code that compares names with ids would fail in the cloud."""
    model = upload("numbered")
    assert model.resource_name.split("/")[1].isdigit()
    by_id = model.resource_name.replace(model.resource_name.split("/")[1], initializer.global_config.project)
    assert aiplatform.Model(by_id).resource_name == model.resource_name


def test_a_new_version_is_default_only_when_asked() -> None:
    """A challenger is registered without being what the model's name means."""
    first = upload("versions")
    second = upload("versions", parent_model=first.resource_name, is_default_version=False)
    assert second.version_id == "2"
    assert aiplatform.Model(first.resource_name).version_id == "1"
    third = upload("versions", parent_model=first.resource_name, is_default_version=True)
    assert aiplatform.Model(first.resource_name).version_id == third.version_id == "3"
    found = first.versioning_registry.list_versions()
    assert {version.version_id: version.version_aliases for version in found} == {"1": [], "2": [], "3": ["default"]}


def test_an_alias_moves_from_version_to_version() -> None:
    """The champion is an alias, and there is one champion."""
    first = upload("aliases", version_aliases=["champion"], is_default_version=True)
    upload("aliases", parent_model=first.resource_name, is_default_version=False)
    registry = first.versioning_registry
    registry.add_version_aliases(["champion"], version="2")
    assert registry.get_model("champion").version_id == "2"
    assert registry.get_model("1").version_aliases == ["default"]
    registry.remove_version_aliases(["champion"], version="2")
    with pytest.raises(NotFound):
        registry.get_model("champion")


def test_the_default_alias_cannot_be_removed() -> None:
    """A model's name always means a version."""
    with pytest.raises(BadRequest, match="default alias"):
        upload("no-default").versioning_registry.remove_version_aliases(["default"], version="1")


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ('labels.team="a"', {"f1", "f2"}),
        ('labels.team="a" AND labels.tier="x"', {"f1"}),
        ('labels.team="a" AND NOT labels.tier="x"', {"f2"}),
        ("labels.tier:*", {"f1", "f3"}),
        ('display_name="f2" OR (labels.team="b" AND display_name=f3)', {"f2", "f3"}),
        ('labels.team!="a"', {"f3"}),
    ],
)
def test_models_are_found_by_filter(filter_: str, found: set[str]) -> None:
    """The publisher finds a pipeline's model by its label."""
    if not aiplatform.Model.list(filter='display_name="f1"'):
        upload("f1", labels={"team": "a", "tier": "x"})
        upload("f2", labels={"team": "a"})
        upload("f3", labels={"team": "b", "tier": "x"})
    listed = {model.display_name for model in aiplatform.Model.list(filter=filter_)}
    assert listed & {"f1", "f2", "f3"} == found


def test_a_filter_that_cannot_be_read_is_refused() -> None:
    """An ignored filter would select every model."""
    with pytest.raises(BadRequest, match="Invalid filter"):
        aiplatform.Model.list(filter='labels.team="a" AND')


def test_a_long_list_comes_in_pages() -> None:
    """The client follows page tokens until there is none."""
    names = {upload(f"page-{number}", labels={"paged": "yes"}).display_name for number in range(5)}
    client = aiplatform.Model._instantiate_client()
    parent = initializer.global_config.common_location_path()
    request = {"parent": parent, "filter": "labels.paged=yes", "page_size": 2}
    pages = [[model.display_name for model in page.models] for page in client.list_models(request=request).pages]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {name for page in pages for name in page} == names


def test_labels_of_a_version_are_changed() -> None:
    """A verdict is written onto the version that it is about."""
    model = upload("labelled", labels={"verdict": "none"})
    model.update(labels={"verdict": "published"}, description="judged")
    again = aiplatform.Model(model.resource_name)
    assert (again.labels, again.description, again.display_name) == ({"verdict": "published"}, "judged", "labelled")


def test_a_deleted_version_is_gone_and_its_number_is_not_used_again() -> None:
    """Versions are immutable: a number never means two models."""
    first = upload("numbers")
    upload("numbers", parent_model=first.resource_name, is_default_version=False)
    registry = first.versioning_registry
    registry.delete_version("2")
    with pytest.raises(NotFound):
        registry.get_model("2")
    assert upload("numbers", parent_model=first.resource_name, is_default_version=False).version_id == "3"
    with pytest.raises(BadRequest, match="default version"):
        registry.delete_version("1")


def test_a_deleted_model_is_gone_with_all_versions() -> None:
    """Nothing is served from a forgotten model."""
    model = upload("gone")
    model.delete()
    with pytest.raises(NotFound):
        aiplatform.Model(model.resource_name)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"labels": {"UPPER": "x"}}, "Invalid label"),
        ({"version_aliases": ["1st"]}, "aliases must match"),
        ({"serving_container_environment_variables": {"AIP_MODE": "x"}}, "AIP_"),
        ({"parent_model": "projects/1/locations/us-central1/models/7"}, "does not exist"),
    ],
)
def test_what_the_service_refuses_is_refused(given: dict[str, object], reason: str) -> None:
    """Local runs must fail where the cloud would."""
    with pytest.raises((BadRequest, NotFound), match=reason):
        upload("refused", **given)


def test_an_unknown_field_is_refused_by_name(emulator: Emulator) -> None:
    """A misspelt field must not vanish."""
    url = f"{emulator.url}/v1/projects/p/locations/l/models:upload"
    answer = requests.post(url, json={"model": {"displayNam": "x"}}, timeout=10)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert 'Unknown name "displayNam"' in answer.json()["error"]["message"]
