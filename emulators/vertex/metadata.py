"""Vertex ML Metadata, as far as the SDK's experiment tracking needs it: contexts, executions, artifacts, and how they
hang together. Every store exists once it is asked for, under the id `default` in the SDK's case."""

import re
from collections.abc import Sequence

from google.cloud.aiplatform_v1 import types

from emulators.vertex.calls import Call, Handler
from emulators.vertex.errors import AlreadyExists, InvalidArgument, NotFound
from emulators.vertex.listing import page, parse_filter
from emulators.vertex.names import canonical, fresh_id
from emulators.vertex.operations import Finish, Operations
from emulators.vertex.rules import check_labels, fresh_etag
from emulators.vertex.schema import Json
from emulators.vertex.state import Store

STORE = "metadataStores"
MEMBER = "metadata-member"  # of a context: a child context, an execution, an artifact
EVENT = "metadata-event"  # an artifact that an execution read or wrote
NODES: dict[str, type] = {"contexts": types.Context, "executions": types.Execution, "artifacts": types.Artifact}
_OUTPUT_ONLY = frozenset({"name", "createTime", "updateTime", "parentContexts"})
_IN_CONTEXT = re.compile(r"in_context\(([^)]*)\)")
_PROJECT_NAME = re.compile(r"projects/[^/\"']+/locations/[^\"')\s]+")


class Metadata:
    """Calls below `metadataStores`."""

    def __init__(self, store: Store, operations: Operations) -> None:
        self._store = store
        self._operations = operations
        operations.register("metadata.createStore", self._carry_out_create_store)
        operations.register("metadata.delete", self._carry_out_delete)

    def handlers(self) -> dict[str, Handler]:
        """Calls by name."""
        base = f"aiplatform.{STORE}"
        calls: dict[str, Handler] = {
            f"{base}.create": self.create_store,
            f"{base}.get": self.get_store,
            f"{base}.list": self.list_stores,
            f"{base}.contexts.addContextChildren": self.add_children,
            f"{base}.contexts.removeContextChildren": self.remove_children,
            f"{base}.contexts.addContextArtifactsAndExecutions": self.add_artifacts_and_executions,
            f"{base}.executions.addExecutionEvents": self.add_events,
        }
        for kind in NODES:
            calls |= {
                f"{base}.{kind}.create": self.create,
                f"{base}.{kind}.get": self.get,
                f"{base}.{kind}.list": self.list,
                f"{base}.{kind}.patch": self.patch,
                f"{base}.{kind}.delete": self.delete,
            }
        return calls

    async def create_store(self, call: Call) -> Json:
        """A new store."""
        name = f"{call.name}/{STORE}/{call.option('metadataStoreId') or fresh_id()}"
        if self._store.get(STORE, name) is not None:
            raise AlreadyExists(f"The MetadataStore {name} already exists.")
        return self._operations.start(
            "metadata.createStore",
            name,
            {"name": name},
            metadata="CreateMetadataStoreOperationMetadata",
            response="MetadataStore",
        )

    async def _carry_out_create_store(self, payload: Json) -> Finish:
        now = self._operations.timestamp()
        body = {"name": payload["name"], "createTime": now, "updateTime": now}
        return lambda: self._store.put(STORE, payload["name"], body)

    async def get_store(self, call: Call) -> Json:
        """One store."""
        found = self._store.get(STORE, call.name)
        if found is None:
            raise NotFound(f"The MetadataStore does not exist: {call.name}")
        return found

    async def list_stores(self, call: Call) -> Json:
        """All stores of the location."""
        return page(self._store.all(STORE, f"{call.name}/"), STORE, call.query)

    async def create(self, call: Call) -> Json:
        """A new context, execution or artifact."""
        kind = call.target.method.split(".")[-2]
        given = _given(call, kind)
        identity = call.option(f"{kind[:-1]}Id") or fresh_id()
        name = f"{call.name}/{kind}/{identity}"
        if self._store.get(kind, name) is not None:
            raise AlreadyExists(f"The {NODES[kind].__name__} {name} already exists.")
        now = self._operations.timestamp()
        return self._shown(self._store.put(kind, name, given | {"name": name, "createTime": now, **self._stamp()}))

    def _stamp(self) -> Json:
        return {"updateTime": self._operations.timestamp(), "etag": fresh_etag()}

    def existing(self, name: str) -> Json:
        """A context, execution or artifact.

        Raises:
            NotFound: there is none.
        """
        kind = name.split("/")[-2]
        found = self._store.get(kind, name) if kind in NODES else None
        if found is None:
            raise NotFound(f"There is no {name}")
        return found

    def _shown(self, node: Json) -> Json:
        contexts = self._contexts_of(node["name"]) if "/contexts/" in node["name"] else []
        return node | ({"parentContexts": contexts} if contexts else {})

    def _contexts_of(self, name: str) -> list[str]:
        return [link["context"] for link in self._store.all(MEMBER, f"{name} in ")]

    async def get(self, call: Call) -> Json:
        """One of them."""
        return self._shown(self.existing(call.name))

    async def list(self, call: Call) -> Json:
        """Those of a store that a filter finds; `in_context("NAME")` asks for the members of a context."""
        kind = call.target.method.split(".")[-2]
        query = dict(call.query)
        return page(self.found(kind, call.name, query.pop("filter", "")), kind, query)

    async def patch(self, call: Call) -> Json:
        """Replace what was given; the service has no update mask here either."""
        kind = call.target.method.split(".")[-2]
        given = _given(call, kind)
        found = self._store.get(kind, call.name)
        if found is None and call.option("allowMissing") != "true":
            raise NotFound(f"There is no {call.name}")
        now = self._operations.timestamp()
        node = (found or {"name": call.name, "createTime": now}) | given | self._stamp()
        return self._shown(self._store.put(kind, call.name, node))

    async def delete(self, call: Call) -> Json:
        """Forget one of them, and what hangs on it."""
        self.existing(call.name)
        return self._operations.start(
            "metadata.delete", call.name, {"name": call.name}, metadata="DeleteOperationMetadata"
        )

    async def _carry_out_delete(self, payload: Json) -> Finish:
        def finish() -> Json:
            self.forget(payload["name"])
            return {}

        return finish

    def forget(self, name: str) -> None:
        """Delete a node, and what hangs on it."""
        for kind, fields in ((MEMBER, ("member", "context")), (EVENT, ("artifact", "execution"))):
            for link in self._store.all(kind):
                if name in [link[field] for field in fields]:
                    self._store.delete(link["_name"])
        self._store.delete(name)

    def found(self, kind: str, store: str, text: str) -> Sequence[Json]:
        """All nodes of a kind in a store that a filter finds, every node where the filter is empty."""
        nodes = [self._shown(node) for node in self._store.all(kind, f"{store}/")]
        if not text:
            return nodes
        asked = _IN_CONTEXT.sub(r"in_contexts:\1", text)
        test = parse_filter(_PROJECT_NAME.sub(lambda name: canonical(name[0]), asked))
        return [node for node in nodes if test(node | {"inContexts": self._contexts_of(node["name"])})]

    async def add_children(self, call: Call) -> Json:
        """Put contexts below a context, as an experiment's runs are."""
        request = call.message(types.AddContextChildrenRequest)
        return self._add_members(call.name, request.get("childContexts", []))

    async def remove_children(self, call: Call) -> Json:
        """Take contexts out of a context; they stay themselves."""
        self.existing(call.name)
        with self._store.transaction():
            for child in call.message(types.RemoveContextChildrenRequest).get("childContexts", []):
                self._store.delete(f"{canonical(child)} in {call.name}")
        return {}

    async def add_artifacts_and_executions(self, call: Call) -> Json:
        """Put artifacts and executions into a context."""
        request = call.message(types.AddContextArtifactsAndExecutionsRequest)
        return self._add_members(call.name, request.get("artifacts", []) + request.get("executions", []))

    def _add_members(self, context: str, members: Sequence[str]) -> Json:
        self.existing(context)
        with self._store.transaction():
            for member in map(canonical, members):
                self.existing(member)
                name = f"{member} in {context}"
                self._store.put(MEMBER, name, {"member": member, "context": context, "_name": name})
        return {}

    async def add_events(self, call: Call) -> Json:
        """Say which artifacts an execution read (INPUT) or wrote (OUTPUT)."""
        self.existing(call.name)
        with self._store.transaction():
            for event in call.message(types.AddExecutionEventsRequest).get("events", []):
                if "artifact" not in event or "type" not in event:
                    raise InvalidArgument("An event needs an artifact and a type.")
                artifact = canonical(event["artifact"])
                self.existing(artifact)
                name = f"{call.name} {event['type']} {artifact}"
                stored = {"eventTime": self._operations.timestamp(), **event, "_name": name}
                self._store.put(EVENT, name, stored | {"artifact": artifact, "execution": call.name})
        return {}


def _given(call: Call, kind: str) -> Json:
    given = call.message(NODES[kind])
    check_labels(given.get("labels", {}))
    return {key: value for key, value in given.items() if key not in _OUTPUT_ONLY}
