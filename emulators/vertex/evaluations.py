"""Evaluations of a model's version, imported by whoever made them."""

from google.cloud.aiplatform_v1 import types

from emulators.vertex.calls import Call, Handler
from emulators.vertex.errors import InvalidArgument, NotFound
from emulators.vertex.listing import page
from emulators.vertex.names import fresh_id, split_version
from emulators.vertex.operations import Operations
from emulators.vertex.schema import Json
from emulators.vertex.state import Store
from emulators.vertex.versions import Versions

KIND = "evaluation"
SLICE = "evaluation-slice"


class Evaluations:
    """Calls below `models/*/evaluations`."""

    def __init__(self, store: Store, operations: Operations, versions: Versions) -> None:
        self._store = store
        self._operations = operations
        self._versions = versions

    def handlers(self) -> dict[str, Handler]:
        """Calls by name."""
        base = "aiplatform.models.evaluations"
        return {
            f"{base}.import": self.import_,
            f"{base}.get": self.get,
            f"{base}.list": self.list,
            f"{base}.slices.batchImport": self.import_slices,
            f"{base}.slices.get": self.get_slice,
            f"{base}.slices.list": self.list_slices,
        }

    async def import_(self, call: Call) -> Json:
        """Add an evaluation to the version that the parent names, or to the default one."""
        version = self._versions.version(call.name)
        given = call.message(types.ImportModelEvaluationRequest).get("modelEvaluation", {})
        if "metrics" not in given or not given.get("metricsSchemaUri"):
            raise InvalidArgument("ModelEvaluation needs metrics and metrics_schema_uri.")
        name = f"{version['name']}/evaluations/{fresh_id()}"
        evaluation: Json = given | {"name": name, "createTime": self._operations.timestamp()}
        self._store.put(KIND, name, evaluation | {"_version": version["versionId"]})
        return evaluation

    async def get(self, call: Call) -> Json:
        """One evaluation."""
        return _public(self._existing(KIND, call.name))

    async def list(self, call: Call) -> Json:
        """The evaluations of a version: the parent's, or the default one."""
        version = self._versions.version(call.name)
        below = self._store.all(KIND, f"{version['name']}/evaluations/")
        found = [_public(each) for each in below if each["_version"] == version["versionId"]]
        return page(found, "modelEvaluations", call.query)

    async def import_slices(self, call: Call) -> Json:
        """Add the evaluations of slices, such as regions, to an evaluation."""
        self._existing(KIND, _unversioned(call.name))
        names = []
        request = call.message(types.BatchImportModelEvaluationSlicesRequest)
        with self._store.transaction():
            for given in request.get("modelEvaluationSlices", []):
                name = f"{_unversioned(call.name)}/slices/{fresh_id()}"
                self._store.put(SLICE, name, given | {"name": name, "createTime": self._operations.timestamp()})
                names.append(name)
        return {"importedModelEvaluationSlices": names}

    async def get_slice(self, call: Call) -> Json:
        """The evaluation of one slice."""
        return self._existing(SLICE, call.name)

    async def list_slices(self, call: Call) -> Json:
        """The evaluations of an evaluation's slices."""
        self._existing(KIND, _unversioned(call.name))
        return page(self._store.all(SLICE, f"{_unversioned(call.name)}/slices/"), "modelEvaluationSlices", call.query)

    def _existing(self, kind: str, name: str) -> Json:
        found = self._store.get(kind, _unversioned(name))
        if found is None:
            raise NotFound(f"The evaluation does not exist: {name}")
        return found


def _unversioned(name: str) -> str:
    """`models/1/evaluations/2` of `models/1@3/evaluations/2`."""
    model, rest = split_version(name)
    return f"{model}/{rest.partition('/')[2]}" if "/" in rest else name


def _public(evaluation: Json) -> Json:
    return {key: value for key, value in evaluation.items() if not key.startswith("_")}
