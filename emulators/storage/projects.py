"""storage.projects.*: the service agent, and HMAC keys as records."""

import secrets
from typing import Any

import orjson

from emulators.storage.buckets import PROJECT_NUMBER
from emulators.storage.calls import NO_CONTENT, Call, Reply, json_reply
from emulators.storage.errors import StorageError, condition_not_met, invalid, required
from emulators.storage.resources import rfc3339

Resource = dict[str, Any]


async def get_service_account(_: Call) -> Reply:
    """storage.projects.serviceAccount.get: who publishes notifications."""
    email = f"service-{PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
    return json_reply({"kind": "storage#serviceAccount", "email_address": email})


async def create_key(call: Call) -> Reply:
    """storage.projects.hmacKeys.create: the secret is shown this once."""
    email = call.one("serviceAccountEmail")
    if not email:
        raise required("the query parameter 'serviceAccountEmail'")
    project, access_id = call.path["projectId"], "GOOG1E" + secrets.token_hex(28).upper()[:55]
    now = rfc3339(call.store.clock.now())
    resource: Resource = {
        "kind": "storage#hmacKeyMetadata",
        "id": f"{project}/{access_id}",
        "accessId": access_id,
        "projectId": project,
        "serviceAccountEmail": email,
        "state": "ACTIVE",
        "timeCreated": now,
        "updated": now,
        "etag": "1",
    }
    with call.transaction() as store:
        store.run("INSERT INTO hmac_keys VALUES (?, ?, ?)", access_id, project, orjson.dumps(resource))
    return json_reply({"kind": "storage#hmacKey", "metadata": resource, "secret": secrets.token_urlsafe(30)})


async def list_keys(call: Call) -> Reply:
    """storage.projects.hmacKeys.list."""
    rows = call.store.rows("SELECT resource FROM hmac_keys WHERE project = ? ORDER BY rowid", call.path["projectId"])
    keys = [orjson.loads(row[0]) for row in rows]
    email = call.one("serviceAccountEmail")
    shown = [
        key
        for key in keys
        if (not email or key["serviceAccountEmail"] == email)
        and (key["state"] != "DELETED" or call.flag("showDeletedKeys"))
    ]
    return json_reply({"kind": "storage#hmacKeysMetadata", "items": shown})


async def get_key(call: Call) -> Reply:
    """storage.projects.hmacKeys.get."""
    return json_reply(_find(call))


async def update_key(call: Call) -> Reply:
    """storage.projects.hmacKeys.update: ACTIVE or INACTIVE, by compare-and-set of its etag when one is given."""
    given = await call.json()
    with call.transaction():
        key = _find(call)
        state = given.get("state")
        if state not in ("ACTIVE", "INACTIVE"):
            raise invalid(f"'state' must be ACTIVE or INACTIVE. Got {state!r}.")
        if given.get("etag") and given["etag"] != key["etag"]:
            raise condition_not_met("etag", str(given["etag"]), key["etag"])
        _store(call, key, state)
    return json_reply(key)


async def delete_key(call: Call) -> Reply:
    """storage.projects.hmacKeys.delete: only an inactive one."""
    with call.transaction():
        key = _find(call)
        if key["state"] != "INACTIVE":
            raise invalid(f"Only an INACTIVE HMAC key can be deleted. {key['accessId']} is {key['state']}.")
        _store(call, key, "DELETED")
    return NO_CONTENT


def _find(call: Call) -> Resource:
    stored = call.store.value("SELECT resource FROM hmac_keys WHERE access_id = ?", call.path["accessId"])
    if stored is None:
        raise StorageError(404, "notFound", f"There is no HMAC key {call.path['accessId']!r}.")
    key: Resource = orjson.loads(stored)
    return key


def _store(call: Call, key: Resource, state: str) -> None:
    key |= {"state": state, "updated": rfc3339(call.store.clock.now()), "etag": str(int(key["etag"]) + 1)}
    call.store.run("UPDATE hmac_keys SET resource = ? WHERE access_id = ?", orjson.dumps(key), key["accessId"])
