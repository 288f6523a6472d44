"""The RPCs of google.pubsub.v1.SchemaService: https://cloud.google.com/pubsub/docs/schemas."""

import asyncio
from typing import Any
from uuid import uuid4

from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from emulators.pubsub import names, schemas
from emulators.pubsub.errors import already_exists, failed_precondition, invalid
from emulators.pubsub.misfit import Misfit
from emulators.pubsub.names import project_of
from emulators.pubsub.pages import page
from emulators.pubsub.schemas import Schema
from emulators.pubsub.state import PubSub

ListSchemasResponse = types.ListSchemasResponse.pb()
ListSchemaRevisionsResponse = types.ListSchemaRevisionsResponse.pb()
ValidateSchemaResponse = types.ValidateSchemaResponse.pb()
ValidateMessageResponse = types.ValidateMessageResponse.pb()
View = types.SchemaView


class SchemaService:
    """One method an RPC; each takes the request message and returns the response message."""

    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub

    async def create_schema(self, request: Any) -> Any:
        name = f"{request.parent}/schemas/{request.schema_id or f'schema-{uuid4().hex}'}"
        names.check(name, "schemas")
        await _check_definition(request.schema)
        if name in self._pubsub.schemas.revisions:
            raise already_exists(name)
        return await self._add(name, request.schema)

    async def get_schema(self, request: Any) -> Any:
        return _viewed(self._pubsub.schemas.find(request.name), request.view or View.FULL)

    async def list_schemas(self, request: Any) -> Any:
        stored = self._pubsub.schemas
        inside = (name for name in stored.revisions if f"projects/{project_of(name)}" == request.parent)
        found, token = page(inside, request.page_size, request.page_token)
        listed = [_viewed(stored.find(name), request.view) for name in found]
        return ListSchemasResponse(schemas=listed, next_page_token=token)

    async def list_schema_revisions(self, request: Any) -> Any:
        name = self._pubsub.schemas.find(request.name).name
        newest_first = {str(n): each for n, each in enumerate(reversed(self._pubsub.schemas.revisions[name]), 10_000)}
        found, token = page(newest_first, request.page_size, request.page_token)
        listed = [_viewed(newest_first[number], request.view) for number in found]
        return ListSchemaRevisionsResponse(schemas=listed, next_page_token=token)

    async def commit_schema(self, request: Any) -> Any:
        stored = self._pubsub.schemas.find(request.name)
        await _check_definition(request.schema)
        schemas.check_next_revision(stored, request.schema)
        return await self._add(stored.name, request.schema)

    async def rollback_schema(self, request: Any) -> Any:
        if not request.revision_id:
            raise invalid("The revision_id to roll back to is empty.")
        name = self._pubsub.schemas.find(request.name).name
        return await self._add(name, self._pubsub.schemas.find(f"{name}@{request.revision_id}"))

    async def delete_schema_revision(self, request: Any) -> Any:
        if "@" not in request.name:
            raise invalid(f"Expected the name of a revision, as SCHEMA@REVISION. Got {request.name}.")
        revision = self._pubsub.schemas.find(request.name)
        if len(self._pubsub.schemas.revisions[revision.name]) == 1:
            raise failed_precondition(f"The only revision of {revision.name} cannot be deleted; delete the schema.")
        self._pubsub.delete_schema_revision(revision)
        await self._pubsub.store.flush()
        return revision

    async def delete_schema(self, request: Any) -> Any:
        self._pubsub.delete_schema(self._pubsub.schemas.find(request.name).name)
        await self._pubsub.store.flush()
        return empty_pb2.Empty()

    async def validate_schema(self, request: Any) -> Any:
        await _check_definition(request.schema)
        return ValidateSchemaResponse()

    async def validate_message(self, request: Any) -> Any:
        if request.name:
            schema = self._pubsub.schemas.find(request.name)
        else:
            schema = request.schema
            await _check_definition(schema)
        if request.encoding not in (schemas.Encoding.JSON, schemas.Encoding.BINARY):
            raise invalid("The encoding must be JSON or BINARY; it is not given.")
        try:
            schemas.read(schema, request.encoding, request.message)
        except Misfit as error:
            raise invalid(f"Invalid data in message: Message failed schema validation: {error}.") from error
        return ValidateMessageResponse()

    async def _add(self, name: str, schema: Any) -> Any:
        if len(self._pubsub.schemas.revisions.get(name, [])) >= schemas.REVISIONS:
            raise failed_precondition(f"{name} has {schemas.REVISIONS} revisions, the most there may be: delete one.")
        revision = Schema(name=name, type_=schema.type_, definition=schema.definition, revision_id=uuid4().hex[:8])
        revision.revision_create_time.FromNanoseconds(int(self._pubsub.clock.now() * 1e6) * 1000)
        self._pubsub.add_schema_revision(revision)
        await self._pubsub.store.flush()
        return revision


async def _check_definition(schema: Any) -> None:
    await asyncio.to_thread(schemas.check_definition, schema)  # a thread, because protoc is waited for


def _viewed(schema: Any, view: int) -> Any:
    shown = Schema()
    shown.CopyFrom(schema)
    if view != View.FULL:
        shown.ClearField("definition")
    return shown
