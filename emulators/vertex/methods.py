"""Every call of Vertex AI: done, done otherwise on purpose (`differs`, with the reason), or absent.

What the service has is read from the client library's own transports, so that nothing is restated; what stands here is
what this emulator does of it. A test holds the two together, and the documentation's table is made from `methods()`.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from google.cloud.aiplatform_v1 import services

from emulators.vertex.absences import reason
from emulators.vertex.names import Target

Status = Literal["done", "differs", "absent"]

DONE = """
models: get list listVersions patch delete deleteVersion mergeVersionAliases upload copy
models.evaluations: import get list
models.evaluations.slices: batchImport get list
endpoints: create get list patch update delete undeployModel mutateDeployedModel rawPredict
operations: list delete cancel wait
customJobs: get list cancel delete
trainingPipelines: get list cancel delete
batchPredictionJobs: get list cancel delete
metadataStores: create get list delete
metadataStores.metadataSchemas: get list
metadataStores.contexts: create get list patch delete addContextChildren addContextArtifactsAndExecutions
metadataStores.contexts: queryContextLineageSubgraph removeContextChildren purge
metadataStores.executions: create get list patch delete addExecutionEvents queryExecutionInputsAndOutputs purge
metadataStores.artifacts: create get list patch delete purge queryArtifactLineageSubgraph
"""

DIFFERS = {
    "endpoints.deployModel": "replicas follow CPU and requests, not accelerators; AIP_HTTP_PORT is a free port of this "
    "machine; AIP_STORAGE_URI is the artifactUri itself, not that of a copy",
    "endpoints.predict": "the split between models is exact in every 100 requests, not at random",
    "endpoints.explain": "sampled Shapley over the container's own predict route; the same request has the same "
    "paths; approximationError is the standard error of the paths, as a share of the difference explained",
    **dict.fromkeys(
        [f"{owner}.{verb}IamPolicy" for owner in ("models", "endpoints") for verb in ("get", "set")],
        "kept and shown; the emulator refuses nobody",
    ),
    **dict.fromkeys(["models.testIamPermissions", "endpoints.testIamPermissions"], "grants all that is asked"),
    "metadataStores.metadataSchemas.create": "nodes are not held against the schemas that they name",
    "operations.get": "waits up to a second for the operation's end, so that local runs need not sleep between polls",
    "customJobs.create": "Python packages are unpacked, not installed; replicas are processes that share this machine",
    "trainingPipelines.create": "custom tasks only, without a managed data set",
    "batchPredictionJobs.create": "no TFRecord; startingReplicaCount model servers, without autoscaling; one shard; in "
    "BigQuery predictions and explanations are JSON as text",
}


# Calls that every service of the client library repeats.
_MIXINS = re.compile(r"(?P<Operations>\w+Operations?)|(?P<IAMPolicy>\w*Iam\w+)|(?P<Locations>\w+Locations?)")


@dataclass(frozen=True)
class Method:
    """One call of the service: its name, by which faults are ordered, its RPC, and what this emulator does of it."""

    name: str  # such as `aiplatform.models.upload`
    rpc: str  # such as `ModelService.UploadModel`
    verb: str
    path: str
    status: Status
    reason: str = ""


def implemented() -> dict[str, tuple[Status, str]]:
    """Status and reason of what this emulator has, by name."""
    found: dict[str, tuple[Status, str]] = {}
    for line in DONE.strip().splitlines():
        collection, _, verbs = line.partition(":")
        found |= {f"aiplatform.{collection}.{verb}": ("done", "") for verb in verbs.split()}
    return found | {f"aiplatform.{name}": ("differs", reason) for name, reason in DIFFERS.items()}


def methods() -> tuple[Method, ...]:
    """Every call of the service, by name."""
    known = implemented()
    rows: dict[str, Method] = {}
    for rpc, options in bindings():
        for option in options:
            verb, path = option["method"].upper(), option["uri"]
            name = Target.of(verb, example(path)).method
            rows.setdefault(name, Method(name, rpc, verb, path, *(known.get(name) or ("absent", reason(name)))))
    return tuple(rows[name] for name in sorted(rows))


def bindings() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each RPC, such as `ModelService.UploadModel`, with its HTTP bindings below a project's location."""
    for package in pkgutil.iter_modules(services.__path__):
        module = importlib.import_module(f"{services.__name__}.{package.name}.transports.rest_base")
        (transport,) = [kind for name, kind in vars(module).items() if re.fullmatch(r"_Base\w+RestTransport", name)]
        service = transport.__name__.removeprefix("_Base").removesuffix("RestTransport")
        for attribute, binding in vars(transport).items():
            options = binding._get_http_options() if hasattr(binding, "_get_http_options") else []
            own = [option for option in options if "projects/*/locations/*" in option["uri"]]
            rpc = attribute.removeprefix("_Base")
            mixin = _MIXINS.fullmatch(rpc)
            if own:
                yield f"{mixin.lastgroup if mixin else service}.{rpc}", own


def example(template: str) -> str:
    """A path that a URI template matches: `/v1/{name=projects/*/models/*}` gives `/v1/projects/x/models/x`."""
    return re.sub(r"\{[\w.]+=([^}]*)\}", r"\1", template).replace("**", "x").replace("*", "x")
