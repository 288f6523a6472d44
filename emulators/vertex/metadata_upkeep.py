"""Vertex ML Metadata in bulk: stores deleted, nodes purged; and the schemas that nodes may name."""

from typing import Any

from google.cloud.aiplatform_v1 import types

from emulators.vertex.calls import Call, Handler
from emulators.vertex.errors import AlreadyExists, InvalidArgument, NotFound
from emulators.vertex.listing import page
from emulators.vertex.metadata import EVENT, MEMBER, NODES, STORE, Metadata
from emulators.vertex.names import fresh_id
from emulators.vertex.operations import Finish, Operations
from emulators.vertex.schema import Json
from emulators.vertex.state import Store

SCHEMAS = "metadataSchemas"
SAMPLE = 100  # names that an answer shows of what is purged


class MetadataUpkeep:
    """Calls below `metadataStores` that concern many nodes, or none."""

    def __init__(self, store: Store, operations: Operations, metadata: Metadata) -> None:
        self._store = store
        self._operations = operations
        self._metadata = metadata
        operations.register("metadata.purge", self._carry_out_purge)
        operations.register("metadata.deleteStore", self._carry_out_delete_store)

    def handlers(self) -> dict[str, Handler]:
        """Calls by name."""
        base = f"aiplatform.{STORE}"
        purges: dict[str, Handler] = {f"{base}.{kind}.purge": self.purge for kind in NODES}
        return purges | {
            f"{base}.delete": self.delete_store,
            f"{base}.{SCHEMAS}.create": self.create_schema,
            f"{base}.{SCHEMAS}.get": self.get_schema,
            f"{base}.{SCHEMAS}.list": self.list_schemas,
        }

    async def purge(self, call: Call) -> Json:
        """Forget all nodes of a kind that a filter finds; without `force` only count them."""
        kind = call.target.method.split(".")[-2]
        title = kind.capitalize()
        request = call.message(getattr(types, f"Purge{title}Request"))
        if not request.get("filter"):
            raise InvalidArgument(f"Purge{title}Request.filter is required.")
        payload = {"parent": call.name, "kind": kind, "filter": request["filter"], "force": request.get("force", False)}
        return self._operations.start(
            "metadata.purge",
            call.name,
            payload,
            metadata=f"Purge{title}Metadata",
            response=f"Purge{title}Response",
        )

    async def _carry_out_purge(self, payload: Json) -> Finish:
        def finish() -> Json:
            found = self._metadata.found(payload["kind"], payload["parent"], payload["filter"])
            for node in found if payload["force"] else ():
                self._metadata.forget(node["name"])
            return {"purgeCount": str(len(found)), "purgeSample": [node["name"] for node in found[:SAMPLE]]}

        return finish

    async def delete_store(self, call: Call) -> Json:
        """Forget a store and all that is in it."""
        if self._store.get(STORE, call.name) is None:
            raise NotFound(f"The MetadataStore does not exist: {call.name}")
        metadata = "DeleteMetadataStoreOperationMetadata"
        return self._operations.start("metadata.deleteStore", call.name, {"name": call.name}, metadata=metadata)

    async def _carry_out_delete_store(self, payload: Json) -> Finish:
        def finish() -> Json:
            for kind in (*NODES, SCHEMAS):
                for node in self._store.all(kind, f"{payload['name']}/"):
                    self._store.delete(node["name"])
            for kind in (MEMBER, EVENT):
                for link in self._store.all(kind, f"{payload['name']}/"):
                    self._store.delete(link["_name"])
            self._store.delete(payload["name"])
            return {}

        return finish

    async def create_schema(self, call: Call) -> Json:
        """Keep a schema; nodes are not held against it."""
        given = call.message(types.MetadataSchema)
        if not given.get("schema"):
            raise InvalidArgument("MetadataSchema.schema is required.")
        name = f"{call.name}/{SCHEMAS}/{call.option('metadataSchemaId') or fresh_id()}"
        if self._store.get(SCHEMAS, name) is not None:
            raise AlreadyExists(f"The MetadataSchema {name} already exists.")
        own: dict[str, Any] = {"name": name, "createTime": self._operations.timestamp()}
        return self._store.put(SCHEMAS, name, given | own)

    async def get_schema(self, call: Call) -> Json:
        """One schema."""
        found = self._store.get(SCHEMAS, call.name)
        if found is None:
            raise NotFound(f"The MetadataSchema does not exist: {call.name}")
        return found

    async def list_schemas(self, call: Call) -> Json:
        """All schemas of the store."""
        return page(self._store.all(SCHEMAS, f"{call.name}/"), SCHEMAS, call.query)
