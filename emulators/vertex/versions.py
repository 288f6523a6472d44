"""The versions of models that are registered: found by name or alias, added, kept, shown."""

from collections.abc import Callable

from emulators.vertex.errors import AlreadyExists, FailedPrecondition, NotFound
from emulators.vertex.explanations import check_spec
from emulators.vertex.names import canonical, fresh_id, split_version
from emulators.vertex.rules import check_model, check_model_id, fresh_etag
from emulators.vertex.schema import Json
from emulators.vertex.state import Store

MODEL = "model"  # what all versions share: the counter of version ids
VERSION = "model-version"
DEFAULT = "default"
# What only the service sets.
OUTPUT_ONLY = frozenset(
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


class Versions:
    """What the Model Registry holds. `timestamp` gives the emulator's time, as the service writes it."""

    def __init__(self, store: Store, timestamp: Callable[[], str]) -> None:
        self._store = store
        self._timestamp = timestamp

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
        now = self._timestamp()
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

    def checked(self, location: str, given: Json, parent: str, model_id: str) -> Json:
        """What adding a version needs, as `put_new` takes it: `location` is the parent of a new model.

        Raises:
            InvalidArgument, AlreadyExists, NotFound: it cannot be added.
        """
        model = {key: value for key, value in given.items() if key not in OUTPUT_ONLY}
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
        payload = self.checked(location, model, parent, model_id)
        with self._store.transaction():
            return self.put_new(payload)

    def put_new(self, payload: Json) -> Json:
        """Store what `checked` let pass; `{"model": ..., "modelVersionId": ...}`."""
        name, model = payload["name"], payload["model"]
        shared = self._store.get(MODEL, name)
        if payload["must_be_new"] and shared is not None:
            raise AlreadyExists(f"The Model {name} already exists.")
        now = self._timestamp()
        shared = shared or {"createTime": now, "versions": 0}
        shared["versions"] += 1
        version_id = str(shared["versions"])
        aliases = list(dict.fromkeys(model.get("versionAliases", [])))
        if version_id == "1" and DEFAULT not in aliases:
            aliases.append(DEFAULT)
        self.take_aliases(name, set(aliases))
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

    def take_aliases(self, name: str, aliases: set[str]) -> None:
        """An alias stands for one version at most: take these from whichever version has them."""
        for other in self._store.all(VERSION, f"{name}@"):
            if aliases & set(other["versionAliases"]):
                other["versionAliases"] = [alias for alias in other["versionAliases"] if alias not in aliases]
                self.keep(other)

    def refuse_to_delete(self, version: Json) -> None:
        """Raises FailedPrecondition: it is the default version, or deployed."""
        if DEFAULT in version["versionAliases"]:
            raise FailedPrecondition(
                f"The default version {version['versionId']} of Model {version['name']} cannot be deleted. "
                "Give the default alias to another version, or delete the Model."
            )
        self.refuse_when_deployed(version)

    def refuse_when_deployed(self, version: Json) -> None:
        """Raises FailedPrecondition: it is deployed."""
        refs = self.shown(version).get("deployedModels", [])
        if refs:
            endpoints = ", ".join(ref["endpoint"] for ref in refs)
            raise FailedPrecondition(
                f"The Model {version['name']}@{version['versionId']} is deployed or being deployed at the following "
                f"Endpoint(s): {endpoints}."
            )
