"""What a container is told by its environment.

https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements#aip-variables
"""

import os

from emulators.vertex.names import last_segment
from emulators.vertex.schema import Json


def routes(spec: Json, endpoint_id: str, deployed_id: str) -> tuple[str, str]:
    """The predict route and the health route of a deployed model; Vertex AI has defaults for both."""
    base = f"/v1/endpoints/{endpoint_id}/deployedModels/{deployed_id}"
    return spec.get("predictRoute") or f"{base}:predict", spec.get("healthRoute") or base


def prediction_variables(version: Json, endpoint: str, deployed_id: str, port: int, machine: str) -> dict[str, str]:
    """The variables of Vertex AI for one replica of a deployed model.

    Two differ on purpose: AIP_HTTP_PORT is a free port of this machine, because replicas share its ports, and
    AIP_STORAGE_URI is the model's own `artifactUri`, not that of a copy.
    """
    endpoint_id = last_segment(endpoint)
    predict_route, health_route = routes(version["containerSpec"], endpoint_id, deployed_id)
    return {
        "AIP_DEPLOYED_MODEL_ID": deployed_id,
        "AIP_ENDPOINT_ID": endpoint_id,
        "AIP_FRAMEWORK": "CUSTOM_CONTAINER",
        "AIP_HEALTH_ROUTE": health_route,
        "AIP_HTTP_PORT": str(port),
        "AIP_MACHINE_TYPE": machine,
        "AIP_MODE": "PREDICTION",
        "AIP_MODE_VERSION": "1.0.0",
        "AIP_MODEL_NAME": endpoint_id,
        "AIP_PREDICT_ROUTE": predict_route,
        "AIP_PROJECT_NUMBER": endpoint.split("/")[1],
        "AIP_STORAGE_URI": version.get("artifactUri", ""),
        "AIP_VERSION_NAME": deployed_id,
    }


def spec_variables(spec: Json, own: dict[str, str]) -> dict[str, str]:
    """The variables of a container spec's `env`, in which `$(NAME)` stands for an earlier variable."""
    known = dict(own)
    for entry in spec.get("env", []):
        value = entry.get("value", "")
        for name, earlier in known.items():
            value = value.replace(f"$({name})", earlier)
        known[entry["name"]] = value
    return known


def inherited() -> dict[str, str]:
    """This process's environment, so that a container's clients find the other emulators; without what would lead its
    Python to our modules, as a container has none of them."""
    ours = ("PYTHONPATH", "PYTHONHOME")
    return {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("AIP_")}
