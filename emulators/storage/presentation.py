"""Stored resources as an answer shows them: with links, and with or without access control lists."""

from typing import Any
from urllib.parse import quote

from emulators.storage.calls import Call
from emulators.storage.state import Generation

Resource = dict[str, Any]


def object_resource(call: Call, subject: Generation) -> Resource:
    """An object for this call: `projection=full` shows its owner and access control list."""
    resource = with_links(subject.resource, call.base_url, call.base_url)
    if call.one("projection") != "full":
        resource.pop("acl", None)
        resource.pop("owner", None)
    return resource


def with_links(stored: Resource, api: str, media: str) -> Resource:
    """An object resource with id, selfLink and mediaLink below the two base URLs, without its policy."""
    bucket, name, generation = stored["bucket"], stored["name"], stored["generation"]
    path = f"storage/v1/b/{bucket}/o/{quote(name, safe='')}"
    return {
        **{key: value for key, value in stored.items() if key != "iamPolicy"},
        "id": f"{bucket}/{name}/{generation}",
        "selfLink": f"{api}/{path}",
        "mediaLink": f"{media}/download/{path}?generation={generation}&alt=media",
    }


def bucket_resource(call: Call, stored: Resource) -> Resource:
    """A bucket for this call."""
    resource = {**stored, "id": stored["name"], "selfLink": f"{call.base_url}/storage/v1/b/{stored['name']}"}
    if call.one("projection") != "full":
        for field in ("acl", "defaultObjectAcl", "owner"):
            resource.pop(field, None)
    resource.pop("iamPolicy", None)
    return resource
