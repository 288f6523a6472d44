"""IAM policies of models and endpoints: kept and shown; the emulator refuses nobody."""

from collections.abc import Callable, Mapping

from emulators.vertex.calls import Call, Handler
from emulators.vertex.errors import Aborted
from emulators.vertex.rules import fresh_etag
from emulators.vertex.schema import Json
from emulators.vertex.state import Store

KIND = "iam-policy"


class Policies:
    """Calls of `getIamPolicy`, `setIamPolicy` and `testIamPermissions`."""

    def __init__(self, store: Store, owners: Mapping[str, Callable[[str], object]]) -> None:
        """`owners` gives for each collection what raises NotFound where a resource is not there."""
        self._store = store
        self._owners = owners

    def handlers(self) -> dict[str, Handler]:
        """Calls by name."""
        calls = {"getIamPolicy": self.get, "setIamPolicy": self.set, "testIamPermissions": self.test}
        return {f"aiplatform.{owner}.{verb}": call for owner in self._owners for verb, call in calls.items()}

    def _policy(self, call: Call) -> Json:
        self._owners[call.target.method.split(".")[1]](call.name)
        return self._store.get(KIND, f"{call.name}/iamPolicy") or {"version": 1, "etag": "ACAB"}

    async def get(self, call: Call) -> Json:
        """The policy that was set last, or an empty one."""
        return self._policy(call)

    async def set(self, call: Call) -> Json:
        """Replace the policy, unless somebody else did since it was read."""
        current, given = self._policy(call), call.body.get("policy", {})
        if given.get("etag") and given["etag"] != current["etag"]:
            raise Aborted("There were concurrent policy changes. Please retry the whole read-modify-write.")
        return self._store.put(KIND, f"{call.name}/iamPolicy", {"version": 1, **given, "etag": fresh_etag()})

    async def test(self, call: Call) -> Json:
        """All permissions that are asked for."""
        self._policy(call)
        # Google's client sends them in the query, although the service's reference has them in the body.
        asked = call.option("permissions")
        return {"permissions": call.body.get("permissions") or (asked.split(",") if asked else [])}
