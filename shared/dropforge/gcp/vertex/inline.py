"""`Platform` without an endpoint: models are registered, and `predict` answers by itself.

What `answer` rehearses is what `predict` will do: it loads the compiled predictor from where the registry says, by the
digest that the registry has.
"""

import time
from typing import Self

from google.cloud.aiplatform_v1 import ModelServiceClient

from dropforge.contracts.errors import SettingsInvalid
from dropforge.contracts.predictions import Request
from dropforge.contracts.served import ServedCandidate
from dropforge.contracts.settings import Settings
from dropforge.core import compiled
from dropforge.core.ports import Deployed, Objects
from dropforge.gcp.vertex.connection import Connection
from dropforge.gcp.vertex.registry import COMPILED, Registry, digests_of

DEPLOYED = "inline"


class Inline:
    """The registry, and the bucket that candidates lie in."""

    def __init__(self, registry: Registry, state: Objects) -> None:
        self._registry = registry
        self._state = state

    @classmethod
    def connect(cls, settings: Settings, state: Objects) -> Self:
        """The service, or the emulator where the settings name one."""
        to = Connection.of(settings)
        to.http.close()
        return cls(Registry(ModelServiceClient(**to.client), to.parent, settings.model_image), state)

    def register(
        self, pipeline: str, candidate_id: str, artefact_uri: str, sha256: str, compiled_sha256: str | None = None
    ) -> tuple[str, str]:
        """As `Platform.register`.

        Raises:
            SettingsInvalid: the candidate has no compiled form, and so could not be served.
        """
        if compiled_sha256 is None:
            raise SettingsInvalid(
                f"Expected a compiled form of {candidate_id}, as DROPFORGE_PREDICT_BACKEND is 'inline'. Found none: "
                "see 'compiled_because' in its candidate.json, or set the backend to 'vertex'.",
                pipeline=pipeline,
            )
        return self._registry.register(pipeline, candidate_id, artefact_uri, digests_of(sha256, compiled_sha256))

    def deploy(self, pipeline: str, model: str, version: str) -> Deployed:  # noqa: ARG002  # there is no endpoint
        """As `Platform.deploy`: there is nothing to do."""
        return Deployed(model=model, version=version, endpoint="", deployed_model_id=DEPLOYED)

    def answer(self, deployed: Deployed, instances: list[dict[str, object]]) -> list[object]:
        """As `Platform.answer`."""
        record = f"{self._folder(deployed)[0]}/candidate.json"
        outcome = ServedCandidate.read(self._state.read(record)[0], record).outcome
        request = Request(list(instances))
        return [request.answer(given, outcome) for given in self._loaded(deployed).predict(instances)]

    def timed(self, deployed: Deployed, instances: list[dict[str, object]]) -> list[float]:
        """As `Platform.timed`: of the predictor alone, once it is loaded."""
        model, seconds = self._loaded(deployed), []
        for instance in instances:
            began = time.perf_counter()
            model.predict([instance])
            seconds.append(time.perf_counter() - began)
        return seconds

    def _loaded(self, deployed: Deployed) -> compiled.Predictor:
        place, variables = self._folder(deployed)
        content, _ = self._state.read(f"{place}/predictor.json")
        return compiled.load(content, variables[COMPILED])

    def _folder(self, deployed: Deployed) -> tuple[str, dict[str, str]]:
        """Where in the bucket its files lie, and what the registry says of them."""
        folder, variables = self._registry.described(deployed.model, deployed.version)
        return folder.removeprefix(f"gs://{self._state.bucket}/").rstrip("/"), variables

    def share(self, champion: Deployed, challenger: Deployed, percent: int) -> None:
        """As `Platform.share`: `predict` reads the canary's state itself, and divides its requests by it."""

    def serve(self, deployed: Deployed) -> None:
        """As `Platform.serve`: the alias; `predict` follows the champion pointer."""
        self._registry.crown(deployed.model, deployed.version)

    def retire(self, deployed: Deployed) -> None:
        """As `Platform.retire`: nothing runs."""

    def close(self) -> None:
        """Close the connection."""
        self._registry.close()
