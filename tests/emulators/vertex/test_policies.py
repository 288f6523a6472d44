"""IAM policies of models and endpoints, through the official client."""

from typing import Any

import pytest
from google.api_core.exceptions import Conflict, NotFound
from google.cloud import aiplatform

from tests.emulators.vertex.conftest import upload

pytestmark = pytest.mark.usefixtures("sdk")
BINDING = {"role": "roles/aiplatform.user", "members": ["user:somebody@example.com"]}


@pytest.mark.parametrize("kind", ["models", "endpoints"])
def test_a_policy_is_kept_and_changed_by_who_read_it_last(kind: str) -> None:
    """Infrastructure as code sets policies, and must not undo each other's."""
    made: Any = upload("policy") if kind == "models" else aiplatform.Endpoint.create(display_name="policy")
    client, resource = made.api_client, made.resource_name
    first = client.get_iam_policy(request={"resource": resource})
    stored = client.set_iam_policy(
        request={"resource": resource, "policy": {"bindings": [BINDING], "etag": first.etag}}
    )
    assert client.get_iam_policy(request={"resource": resource}) == stored
    assert [binding.role for binding in stored.bindings] == [BINDING["role"]]
    with pytest.raises(Conflict):
        client.set_iam_policy(request={"resource": resource, "policy": {"bindings": [], "etag": first.etag}})
    asked = client.test_iam_permissions(request={"resource": resource, "permissions": ["aiplatform.models.get"]})
    assert list(asked.permissions) == ["aiplatform.models.get"]
    with pytest.raises(NotFound):
        client.get_iam_policy(request={"resource": f"{resource}7"})
