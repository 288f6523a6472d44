"""The Model Registry: models, their immutable versions, aliases, labels."""

from google.cloud.aiplatform_v1 import types

from emulators.vertex.calls import Call, Handler
from emulators.vertex.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from emulators.vertex.explanations import check_spec
from emulators.vertex.listing import page
from emulators.vertex.names import canonical, fresh_id, split_version
from emulators.vertex.operations import Finish, Operations
from emulators.vertex.rules import check_aliases, check_labels, check_model, check_model_id, fresh_etag
from emulators.vertex.schema import Json, patched
from emulators.vertex.state import Store

MODEL = "model"  # what all versions share: the counter of version ids
VERSION = "model-version"
DEFAULT = "default"
_CHANGEABLE = frozenset({"displayName", "description", "versionDescription", "labels", "explanationSpec"})
# What only the service sets.
_OUTPUT_ONLY = frozenset(
    {
        "name",
        "versionId",
        "versionCreateTime",
        "versionUpdateTime",
        "createTime",
        "updateTime",
        "deployedModels",
        "etag",
        "trainingPipeline",
        "supportedExportFormats",
        "supportedDeploymentResourcesTypes",
        "supportedInputStorageFormats",
        "supportedOutputStorageFormats",
        "originalModelInfo",
        "modelSourceInfo",
    }
)
# What the service says of every model with a custom container.
_SUPPORTED = {
    "supportedDeploymentResourcesTypes": ["DEDICATED_RESOURCES", "SHARED_RESOURCES"],
    "supportedInputStorageFormats": ["jsonl", "bigquery", "csv", "tf-record", "tf-record-gzip", "file-list"],
    "supportedOutputStorageFormats": ["jsonl", "bigquery"],
}


class Models:
    """Calls below `models`."""

    def __init__(self, store: Store, operations: Operations) -> None:
        self._store = store
        self._operations = operations
        operations.register("models.upload", self._carry_out_upload)
        operations.register("models.delete", self._carry_out_delete)
        operations.register("models.deleteVersion", self._carry_out_delete_version)
        operations.register("models.copy", self._carry_out_copy)

    def handlers(self) -> dict[str, Handler]:
        """Calls by name."""
        return {
            "aiplatform.models.upload": self.upload,
            "aiplatform.models.get": self.get,
            "aiplatform.models.list": self.list,
            "aiplatform.models.patch": self.patch,
            "aiplatform.models.delete": self.delete,
            "aiplatform.models.listVersions": self.list_versions,
            "aiplatform.models.deleteVersion": self.delete_version,
            "aiplatform.models.mergeVersionAliases": self.merge_version_aliases,
            "aiplatform.models.copy": self.copy,
        }

    def version(self, name: str) -> Json:
        """The version that a name means: `M@2`, `M@alias`, or `M` for the default one.

        Raises:
            NotFound: there is none.
        """
        model, wanted = split_version(canonical(name))
        for version in self._store.all(VERSION, f"{model}@"):
            if wanted == version["versionId"] or (wanted or DEFAULT) in version["versionAliases"]:
                return version
        raise NotFound(f"The Model does not exist: {canonical(name)}")

    def versions(self, name: str) -> list[Json]:
        """All versions of a model, newest first.

        Raises:
            NotFound: there is no such model.
        """
        found = self._store.all(VERSION, f"{split_version(name)[0]}@")
        if not found:
            raise NotFound(f"The Model does not exist: {name}")
        return found

    def keep(self, version: Json) -> None:
        """Store a changed version under a fresh etag."""
        now = self._operations.timestamp()
        changed = version | {"etag": fresh_etag(), "updateTime": now, "versionUpdateTime": now}
        self._store.put(VERSION, f"{version['name']}@{version['versionId']}", changed)

    def shown(self, version: Json) -> Json:
        """A version with the endpoints that it is deployed to."""
        refs = [
            {"endpoint": endpoint["name"], "deployedModelId": deployed["id"]}
            for endpoint in self._store.all("endpoint")
            for deployed in endpoint.get("deployedModels", [])
            if deployed["model"] == version["name"] and deployed["modelVersionId"] == version["versionId"]
        ]
        return version | ({"deployedModels": refs} if refs else {})

    async def upload(self, call: Call) -> Json:
        """A new model, or with `parentModel` a new version of one."""
        request = call.message(types.UploadModelRequest)
        parent, model_id = request.get("parentModel", ""), request.get("modelId", "")
        payload = self._checked(call.name, request.get("model", {}), parent, model_id)
        return self._operations.start(
            "models.upload",
            payload["name"],
            payload,
            metadata="UploadModelOperationMetadata",
            response="UploadModelResponse",
        )

    def _checked(self, location: str, given: Json, parent: str, model_id: str) -> Json:
        """What adding a version needs."""
        model = {key: value for key, value in given.items() if key not in _OUTPUT_ONLY}
        check_model(model)
        if "explanationSpec" in model:
            check_spec(model["explanationSpec"])
        if parent:
            name = split_version(canonical(parent))[0]
            self.versions(name)
        else:
            if model_id:
                check_model_id(model_id)
            name = f"{location}/models/{model_id or fresh_id()}"
            if self._store.get(MODEL, name) is not None:
                raise AlreadyExists(f"The Model {name} already exists.")
        return {"name": name, "model": model, "must_be_new": not parent}

    def add(self, location: str, model: Json, *, parent: str, model_id: str) -> Json:
        """Upload at once, for a training pipeline; `{"model": ..., "modelVersionId": ...}`."""
        payload = self._checked(location, model, parent, model_id)
        with self._store.transaction():
            return self._add_version(payload["name"], payload["model"], must_be_new=payload["must_be_new"])

    async def _carry_out_upload(self, payload: Json) -> Finish:
        return lambda: self._add_version(payload["name"], payload["model"], must_be_new=payload["must_be_new"])

    def _add_version(self, name: str, model: Json, *, must_be_new: bool) -> Json:
        shared = self._store.get(MODEL, name)
        if must_be_new and shared is not None:
            raise AlreadyExists(f"The Model {name} already exists.")
        now = self._operations.timestamp()
        shared = shared or {"createTime": now, "versions": 0}
        shared["versions"] += 1
        version_id = str(shared["versions"])
        aliases = list(dict.fromkeys(model.get("versionAliases", [])))
        if version_id == "1" and DEFAULT not in aliases:
            aliases.append(DEFAULT)
        self._take_aliases(name, set(aliases))
        self._store.put(MODEL, name, shared)
        version = {
            **_SUPPORTED,
            **model,
            "name": name,
            "versionId": version_id,
            "versionAliases": aliases,
            "createTime": shared["createTime"],
            "versionCreateTime": now,
        }
        self.keep(version)
        return {"model": name, "modelVersionId": version_id}

    def _take_aliases(self, name: str, aliases: set[str]) -> None:
        """An alias stands for one version at most: take these from whichever version has them."""
        for other in self._store.all(VERSION, f"{name}@"):
            if aliases & set(other["versionAliases"]):
                other["versionAliases"] = [alias for alias in other["versionAliases"] if alias not in aliases]
                self.keep(other)

    async def get(self, call: Call) -> Json:
        """One version."""
        return self.shown(self.version(call.name))

    async def list(self, call: Call) -> Json:
        """The default version of each model."""
        defaults = [
            version for version in self._store.all(VERSION, f"{call.name}/") if DEFAULT in version["versionAliases"]
        ]
        return page([self.shown(version) for version in defaults], "models", call.query, identity="model")

    async def list_versions(self, call: Call) -> Json:
        """All versions of one model."""
        versions = [self.shown(version) for version in self.versions(call.name)]
        return page(versions, "models", call.query, identity="model")

    async def patch(self, call: Call) -> Json:
        """Change what may change of a version; the model behind it never does."""
        version = self.version(call.name)
        given = call.message(types.Model)
        if given.get("etag") and given["etag"] != version["etag"]:
            raise FailedPrecondition(f"The etag of Model {call.name} does not match. Got {given['etag']}.")
        changed = patched(version, given, call.option("updateMask"), _CHANGEABLE)
        check_labels(changed.get("labels", {}))
        self.keep(changed)
        return self.shown(self.version(f"{version['name']}@{version['versionId']}"))

    async def merge_version_aliases(self, call: Call) -> Json:
        """Give aliases to a version, taking them from others; `-alias` removes one."""
        version = self.version(call.name)
        merged = call.message(types.MergeVersionAliasesRequest).get("versionAliases", [])
        adding = {alias for alias in merged if not alias.startswith("-")}
        removing = {alias[1:] for alias in merged if alias.startswith("-")}
        check_aliases(adding)
        if DEFAULT in removing:
            raise InvalidArgument("The default alias cannot be removed, only given to another version.")
        name = version["name"]
        with self._store.transaction():
            self._take_aliases(name, adding - set(version["versionAliases"]))
            kept = [alias for alias in version["versionAliases"] if alias not in removing]
            version["versionAliases"] = kept + sorted(adding - set(kept) - removing)
            self.keep(version)
        return self.shown(self.version(f"{name}@{version['versionId']}"))

    async def delete(self, call: Call) -> Json:
        """Forget a model and all its versions."""
        versions = self.versions(call.name)
        for version in versions:
            self._refuse_when_deployed(version)
        name = versions[0]["name"]
        return self._operations.start("models.delete", name, {"name": name}, metadata="DeleteOperationMetadata")

    async def _carry_out_delete(self, payload: Json) -> Finish:
        def finish() -> Json:
            for version in self.versions(payload["name"]):
                self._refuse_when_deployed(version)
                self._store.delete(f"{version['name']}@{version['versionId']}")
            for evaluation in self._store.all("evaluation", payload["name"] + "/"):
                self._store.delete(evaluation["name"])
            self._store.delete(payload["name"])
            return {}

        return finish

    async def delete_version(self, call: Call) -> Json:
        """Forget one version."""
        if "@" not in call.name:
            raise InvalidArgument(f"A version is required to delete it: expected models/ID@VERSION, got {call.name}.")
        version = self.version(call.name)
        self._refuse_to_delete(version)
        payload = {"name": f"{version['name']}@{version['versionId']}"}
        return self._operations.start(
            "models.deleteVersion", version["name"], payload, metadata="DeleteOperationMetadata"
        )

    async def _carry_out_delete_version(self, payload: Json) -> Finish:
        def finish() -> Json:
            self._refuse_to_delete(self.version(payload["name"]))
            self._store.delete(payload["name"])
            return {}

        return finish

    def _refuse_to_delete(self, version: Json) -> None:
        if DEFAULT in version["versionAliases"]:
            raise FailedPrecondition(
                f"The default version {version['versionId']} of Model {version['name']} cannot be deleted. "
                "Give the default alias to another version, or delete the Model."
            )
        self._refuse_when_deployed(version)

    def _refuse_when_deployed(self, version: Json) -> None:
        refs = self.shown(version).get("deployedModels", [])
        if refs:
            endpoints = ", ".join(ref["endpoint"] for ref in refs)
            raise FailedPrecondition(
                f"The Model {version['name']}@{version['versionId']} is deployed or being deployed at the following "
                f"Endpoint(s): {endpoints}."
            )

    async def copy(self, call: Call) -> Json:
        """A copy of a version, as a new model or as a new version of one; within or across locations."""
        request = call.message(types.CopyModelRequest)
        source = self.version(request.get("sourceModel", ""))
        parent = canonical(request.get("parentModel", ""))
        if parent:
            self.versions(parent)
        name = parent or f"{call.name}/models/{request.get('modelId') or fresh_id()}"
        if not parent and self._store.get(MODEL, name) is not None:
            raise AlreadyExists(f"The Model {name} already exists.")
        model = {key: value for key, value in source.items() if key not in _OUTPUT_ONLY | {"versionAliases"}}
        payload = {"name": name, "model": model, "must_be_new": not parent}
        return self._operations.start(
            "models.copy", name, payload, metadata="CopyModelOperationMetadata", response="CopyModelResponse"
        )

    async def _carry_out_copy(self, payload: Json) -> Finish:
        return await self._carry_out_upload(payload)
