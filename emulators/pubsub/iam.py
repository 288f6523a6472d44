"""The RPCs of google.iam.v1.IAMPolicy: policies are kept and given back, and restrict nobody."""

import hashlib
from typing import Any

from google.iam.v1 import iam_policy_pb2, policy_pb2

from emulators.pubsub.errors import aborted
from emulators.pubsub.names import id_of
from emulators.pubsub.state import PubSub


class IamPolicy:
    """One method an RPC."""

    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub

    async def set_iam_policy(self, request: Any) -> Any:
        self._find(request.resource)
        if request.policy.etag and request.policy.etag != self._policy(request.resource).etag:
            raise aborted(f"The policy of {id_of(request.resource)} was changed meanwhile: read it again and retry.")
        policy = policy_pb2.Policy()
        policy.CopyFrom(request.policy)
        policy.etag = b""
        policy.etag = hashlib.sha256(policy.SerializeToString(deterministic=True)).digest()[:8]
        self._pubsub.set_policy(request.resource, policy)
        await self._pubsub.store.flush()
        return policy

    async def get_iam_policy(self, request: Any) -> Any:
        self._find(request.resource)
        return self._policy(request.resource)

    async def test_iam_permissions(self, request: Any) -> Any:
        self._find(request.resource)
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=request.permissions)

    def _policy(self, resource: str) -> Any:
        return self._pubsub.policies.get(resource) or policy_pb2.Policy(version=1, etag=b"ACAB")

    def _find(self, resource: str) -> None:
        if "/subscriptions/" in resource:
            self._pubsub.subscription(resource)
        elif "/snapshots/" in resource:
            self._pubsub.snapshot(resource)
        elif "/schemas/" in resource:
            self._pubsub.schemas.find(resource)
        else:
            self._pubsub.topic(resource)
