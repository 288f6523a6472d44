"""The endpoints of a pipeline: the one that serves, and the staging one, where a challenger is asked before it does."""

from collections.abc import Container
from hashlib import sha256

from google.api_core import exceptions as google
from google.api_core.operation import Operation
from google.cloud.aiplatform_v1 import EndpointServiceClient
from google.cloud.aiplatform_v1.types import (
    CreateEndpointRequest,
    DedicatedResources,
    DeployedModel,
    DeployModelRequest,
    Endpoint,
    MachineSpec,
)

from dropforge.gcp.errors import translated
from dropforge.gcp.vertex.operations import REQUEST, finished

NEW = "0"  # how a traffic split calls the model that is being deployed


def endpoint_id(pipeline: str, staging: bool = False) -> str:
    """The id of a pipeline's endpoint; given by us, so that two first deployments cannot make two."""
    return f"dropforge-{pipeline}-staging" if staging else f"dropforge-{pipeline}"


def deployed_model_id(model: str, version: str) -> str:
    """The id of a version's deployment, ten digits: a second deployment of it, while one still runs, is refused.

    >>> deployed_model_id("projects/p/locations/l/models/dropforge-flights", "3")
    '9000566025'
    """
    of = f"{model.rpartition('/')[2]}@{version}"
    return str(int(sha256(of.encode()).hexdigest(), 16) % 9_000_000_000 + 1_000_000_000)


class Endpoints:
    """The endpoints of one project and location."""

    def __init__(self, client: EndpointServiceClient, parent: str, machine_type: str = "e2-standard-2") -> None:
        self._client = client
        self._parent = parent
        self._machine_type = machine_type

    def ensure(self, pipeline: str, staging: bool = False) -> Endpoint:
        """The endpoint as it is now, created where it is not there yet."""
        its_id = endpoint_id(pipeline, staging)
        name = f"{self._parent}/endpoints/{its_id}"
        with translated(f"Looking for the endpoint {name}", pipeline=pipeline):
            try:
                return self.get(name)
            except google.NotFound:
                wanted = Endpoint(display_name=its_id, labels={"dropforge": pipeline})
                request = CreateEndpointRequest(parent=self._parent, endpoint=wanted, endpoint_id=its_id)
            try:
                operation = self._client.create_endpoint(request, timeout=REQUEST)
            except google.Conflict:  # another made it at the same moment
                return self.get(name)
        finished(operation, f"The creation of the endpoint {name}")
        with translated(f"Looking for the endpoint {name}", pipeline=pipeline):
            return self.get(name)

    def get(self, name: str) -> Endpoint:
        """The endpoint as it is now. Raises Google's NotFound."""
        return self._client.get_endpoint(name=name, timeout=REQUEST)

    def deploy(self, endpoint: Endpoint, model: str, version: str, traffic: dict[str, int]) -> Operation:
        """Start to deploy a version; an empty `traffic` leaves the endpoint's traffic as it is."""
        wanted = DeployedModel(
            id=deployed_model_id(model, version),
            model=f"{model}@{version}",
            display_name=f"{model.rpartition('/')[2]}-{version}",
            dedicated_resources=DedicatedResources(
                machine_spec=MachineSpec(machine_type=self._machine_type), min_replica_count=1, max_replica_count=1
            ),
        )
        request = DeployModelRequest(endpoint=endpoint.name, deployed_model=wanted, traffic_split=traffic)
        with translated(f"Deploying {model}@{version} to {endpoint.name}", model=model, version=version):
            return self._client.deploy_model(request, timeout=REQUEST)

    def give_traffic(self, name: str, split: dict[str, int]) -> None:
        """Send requests of an endpoint to deployed models, by percentages that add up to 100."""
        endpoint = Endpoint(name=name, traffic_split=split)
        with translated(f"Dividing the traffic of {name} as {split}", endpoint=name):
            self._client.update_endpoint(endpoint=endpoint, update_mask={"paths": ["traffic_split"]}, timeout=REQUEST)

    def undeploy_all_but(self, name: str, kept: Container[str]) -> None:
        """Undeploy every model of an endpoint save those `kept`; without traffic first, as the service demands."""
        with translated(f"Undeploying from {name}", endpoint=name):
            try:
                endpoint = self.get(name)
            except google.NotFound:
                return
        others = sorted(
            (found.id for found in endpoint.deployed_models if found.id not in kept),
            key=lambda found: endpoint.traffic_split.get(found, 0),
        )
        for deployed_id in others:
            with translated(f"Undeploying {deployed_id} from {name}", endpoint=name):
                operation = self._client.undeploy_model(endpoint=name, deployed_model_id=deployed_id, timeout=REQUEST)
            finished(operation, f"The undeployment of {deployed_id} from {name}")

    def close(self) -> None:
        """Close the connection."""
        self._client.transport.close()  # type: ignore[no-untyped-call]  # typed in part


def deployment_of(endpoint: Endpoint, model: str, version: str) -> DeployedModel | None:
    """The endpoint's deployment of a version. Resource names may carry the project's id or its number."""
    its_id = model.rpartition("/")[2]
    for found in endpoint.deployed_models:
        if found.model.partition("@")[0].rpartition("/")[2] == its_id and found.model_version_id == version:
            return found
    return None
