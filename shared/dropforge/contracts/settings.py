"""Settings of a deployment, read once from the environment, typed and strict."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from dropforge.contracts.errors import SettingsInvalid


@dataclass(frozen=True)
class Settings:
    """Where this deployment's things are. `vertex_api` is None on Google Cloud, an emulator's URL on a laptop;
    so is `pubsub_api`, the REST interface, which `predict` uses because Pub/Sub's client takes long to import.

    `predict_backend`: `vertex` asks an endpoint, which scales and runs all the time; with `inline`, `predict` computes
    the answers itself, and nothing costs while nobody asks.
    """

    project: str
    location: str
    landing_bucket: str
    state_bucket: str
    dataset: str
    model_image: str
    vertex_api: str | None
    predict_backend: Literal["vertex", "inline"] = "vertex"
    pubsub_api: str | None = None
    trainer_image: str = ""
    trainer_machine: str = "n2-highmem-8"  # 8 cores, 64 GB: for trainings that are too large for a function

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read `GOOGLE_CLOUD_PROJECT` and the `DROPFORGE_*` variables.

        Raises:
            SettingsInvalid: the project is missing, or a variable is set but empty.
        """
        project = environment.get("GOOGLE_CLOUD_PROJECT", "")
        if not project:
            raise SettingsInvalid("Expected the project's id in GOOGLE_CLOUD_PROJECT. Found nothing.")

        def get(name: str, default: str) -> str:
            value = environment.get(f"DROPFORGE_{name}", default)
            if not value:
                raise SettingsInvalid(
                    f"DROPFORGE_{name} is set but empty. Give it a value, or unset it for {default!r}."
                )
            return value

        location = get("LOCATION", "us-central1")
        backend = get("PREDICT_BACKEND", "vertex")
        if backend not in ("vertex", "inline"):
            raise SettingsInvalid(f"Expected DROPFORGE_PREDICT_BACKEND to be 'vertex' or 'inline'. Found {backend!r}.")
        return cls(
            project=project,
            location=location,
            landing_bucket=get("LANDING_BUCKET", f"{project}-landing"),
            state_bucket=get("STATE_BUCKET", f"{project}-state"),
            dataset=get("DATASET", "dropforge"),
            model_image=get("MODEL_IMAGE", f"{location}-docker.pkg.dev/{project}/dropforge/model-server:latest"),
            vertex_api=environment.get("DROPFORGE_VERTEX_API") or None,
            predict_backend="inline" if backend == "inline" else "vertex",
            trainer_image=get("TRAINER_IMAGE", f"{location}-docker.pkg.dev/{project}/dropforge/trainer:latest"),
            trainer_machine=get("TRAINER_MACHINE", "n2-highmem-8"),
            pubsub_api=environment.get("DROPFORGE_PUBSUB_API") or None,
        )

    def variables(self) -> dict[str, str]:
        """The variables by which another process of this deployment reads where its things are."""
        return {
            "GOOGLE_CLOUD_PROJECT": self.project,
            "DROPFORGE_LOCATION": self.location,
            "DROPFORGE_LANDING_BUCKET": self.landing_bucket,
            "DROPFORGE_STATE_BUCKET": self.state_bucket,
            "DROPFORGE_DATASET": self.dataset,
        }
