"""The Vertex AI Model Registry: one model a pipeline, one version a candidate, the alias `champion` on what serves."""

from google.api_core import exceptions as google
from google.cloud.aiplatform_v1 import ListModelVersionsRequest, ModelServiceClient, UploadModelRequest
from google.cloud.aiplatform_v1.types import EnvVar, Model, ModelContainerSpec, Port

from dropforge.gcp.errors import translated
from dropforge.gcp.vertex.operations import REQUEST, finished

CHAMPION = "champion"
# As in functions/flow.yaml, which is not part of a bundle; a test holds the two together.
PREDICT_ROUTE = "/predict"
HEALTH_ROUTE = "/healthz"
PORT = 8080


MODEL = "DROPFORGE_MODEL_SHA256"
COMPILED = "DROPFORGE_COMPILED_SHA256"


def digests_of(sha256: str, compiled_sha256: str | None) -> dict[str, str]:
    """The variables of the container by which a server knows what it may load."""
    return {MODEL: sha256} | ({} if compiled_sha256 is None else {COMPILED: compiled_sha256})


def model_id(pipeline: str) -> str:
    """The id of a pipeline's model; given by us, so that two first uploads cannot make two models."""
    return f"dropforge-{pipeline}"


class Registry:
    """The models of one project and location."""

    def __init__(self, client: ModelServiceClient, parent: str, image: str) -> None:
        self._client = client
        self._parent = parent
        self._image = image

    def register(self, pipeline: str, candidate_id: str, artefact_uri: str, digests: dict[str, str]) -> tuple[str, str]:
        """As `Platform.register`; `digests` become variables of the container."""
        name = f"{self._parent}/models/{model_id(pipeline)}"
        fields = {"pipeline": pipeline, "candidate_id": candidate_id}
        with translated(f"Looking for the version of {name} with the candidate {candidate_id}", **fields):
            versions = self._versions(name, candidate_id)
        if versions is None:
            place = {"model_id": model_id(pipeline)}
        elif versions:
            return _plain(versions[0].name), versions[0].version_id
        else:
            place = {"parent_model": name}
        request = UploadModelRequest(
            parent=self._parent, model=self._described(pipeline, candidate_id, artefact_uri, digests), **place
        )
        with translated(f"Uploading the candidate {candidate_id} to {name}", **fields):
            operation = self._client.upload_model(request, timeout=REQUEST)
        made = finished(operation, f"The upload of the candidate {candidate_id} to {name}")
        return _plain(made.model), made.model_version_id

    def crown(self, model: str, version: str) -> None:
        """Move the alias `champion` to this version.

        Whether the service moves an alias or refuses one that is taken is not documented, so it is first removed where
        it was: for a moment no version has it. What serves is read from the champion pointer, not from the alias.
        """
        with translated(f"Moving the alias {CHAMPION} to {model}@{version}", model=model, version=version):
            listed = self._client.list_model_versions(name=model, timeout=REQUEST)
            holders = [found.version_id for found in listed if CHAMPION in found.version_aliases]
            for holder in holders:
                if holder != version:
                    self._client.merge_version_aliases(
                        name=f"{model}@{holder}", version_aliases=[f"-{CHAMPION}"], timeout=REQUEST
                    )
            if version not in holders:
                self._client.merge_version_aliases(
                    name=f"{model}@{version}", version_aliases=[CHAMPION], timeout=REQUEST
                )

    def described(self, model: str, version: str) -> tuple[str, dict[str, str]]:
        """Where a version's artefact lies, and the variables of its container."""
        with translated(f"Looking up {model}@{version}", model=model, version=version):
            found = self._client.get_model(name=f"{model}@{version}", timeout=REQUEST)
        return found.artifact_uri, {each.name: each.value for each in found.container_spec.env}

    def close(self) -> None:
        """Close the connection."""
        self._client.transport.close()  # type: ignore[no-untyped-call]  # typed in part

    def _versions(self, name: str, candidate_id: str) -> list[Model] | None:
        """The versions made from a candidate, the first first; None where there is no such model at all."""
        request = ListModelVersionsRequest(name=name, filter=f'labels.candidate="{candidate_id}"')
        try:
            found = list(self._client.list_model_versions(request, timeout=REQUEST))
        except google.NotFound:
            return None
        ours = [version for version in found if version.labels.get("candidate") == candidate_id]
        return sorted(ours, key=lambda version: int(version.version_id))

    def _described(self, pipeline: str, candidate_id: str, artefact_uri: str, digests: dict[str, str]) -> Model:
        variables = {"DROPFORGE_CANDIDATE": candidate_id, **digests}
        return Model(
            display_name=model_id(pipeline),
            labels={"dropforge": pipeline, "candidate": candidate_id},
            artifact_uri=artefact_uri,
            container_spec=ModelContainerSpec(
                image_uri=self._image,
                predict_route=PREDICT_ROUTE,
                health_route=HEALTH_ROUTE,
                ports=[Port(container_port=PORT)],
                env=[EnvVar(name=name, value=value) for name, value in variables.items()],
            ),
        )


def _plain(name: str) -> str:
    """A model's resource name without the version that some answers append."""
    return name.partition("@")[0]
