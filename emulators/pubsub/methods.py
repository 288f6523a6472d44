"""Every RPC that google-cloud-pubsub can call, and whether this emulator does it."""

from dataclasses import dataclass
from typing import Any, Literal

from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import empty_pb2
from google.pubsub_v1 import types

Status = Literal["done", "differs", "absent"]

PUBLISHER = "google.pubsub.v1.Publisher"
SUBSCRIBER = "google.pubsub.v1.Subscriber"
SCHEMAS = "google.pubsub.v1.SchemaService"
IAM = "google.iam.v1.IAMPolicy"

_EXPORTS = (
    "BigQuery subscriptions write by tabledata.insertAll; Bigtable subscriptions and message transforms answer"
    " UNIMPLEMENTED"
)


@dataclass(frozen=True)
class Method:
    """One RPC. `request` and `response` are message classes, None where absent; `reason` says how it differs."""

    service: str
    name: str
    status: Status
    request: Any = None
    response: Any = None
    reason: str = ""
    stream: bool = False

    @property
    def operation(self) -> str:
        """The name that faults use."""
        return f"{self.service}.{self.name}"

    @property
    def function(self) -> str:
        """The method of the service's class that does it."""
        return "".join("_" + c.lower() if c.isupper() else c for c in self.name).lstrip("_")


def _methods() -> list[Method]:
    t = types
    empty = empty_pb2.Empty
    iam = iam_policy_pb2
    topic, subscription, snapshot, schema = t.Topic.pb(), t.Subscription.pb(), t.Snapshot.pb(), t.Schema.pb()
    rows: list[tuple[str, str, Status, Any, Any, str]] = [
        (PUBLISHER, "CreateTopic", "differs", topic, topic, "ingestion and transforms answer UNIMPLEMENTED"),
        (PUBLISHER, "UpdateTopic", "differs", t.UpdateTopicRequest.pb(), topic, "as CreateTopic"),
        (PUBLISHER, "Publish", "done", t.PublishRequest.pb(), t.PublishResponse.pb(), ""),
        (PUBLISHER, "GetTopic", "done", t.GetTopicRequest.pb(), topic, ""),
        (PUBLISHER, "ListTopics", "done", t.ListTopicsRequest.pb(), t.ListTopicsResponse.pb(), ""),
        (
            PUBLISHER,
            "ListTopicSubscriptions",
            "done",
            t.ListTopicSubscriptionsRequest.pb(),
            t.ListTopicSubscriptionsResponse.pb(),
            "",
        ),
        (
            PUBLISHER,
            "ListTopicSnapshots",
            "done",
            t.ListTopicSnapshotsRequest.pb(),
            t.ListTopicSnapshotsResponse.pb(),
            "",
        ),
        (PUBLISHER, "DeleteTopic", "done", t.DeleteTopicRequest.pb(), empty, ""),
        (
            PUBLISHER,
            "DetachSubscription",
            "done",
            t.DetachSubscriptionRequest.pb(),
            t.DetachSubscriptionResponse.pb(),
            "",
        ),
        (SUBSCRIBER, "CreateSubscription", "differs", subscription, subscription, _EXPORTS),
        (SUBSCRIBER, "GetSubscription", "done", t.GetSubscriptionRequest.pb(), subscription, ""),
        (SUBSCRIBER, "UpdateSubscription", "differs", t.UpdateSubscriptionRequest.pb(), subscription, _EXPORTS),
        (
            SUBSCRIBER,
            "ListSubscriptions",
            "done",
            t.ListSubscriptionsRequest.pb(),
            t.ListSubscriptionsResponse.pb(),
            "",
        ),
        (SUBSCRIBER, "DeleteSubscription", "done", t.DeleteSubscriptionRequest.pb(), empty, ""),
        (SUBSCRIBER, "ModifyAckDeadline", "done", t.ModifyAckDeadlineRequest.pb(), empty, ""),
        (SUBSCRIBER, "Acknowledge", "done", t.AcknowledgeRequest.pb(), empty, ""),
        (
            SUBSCRIBER,
            "Pull",
            "differs",
            t.PullRequest.pb(),
            t.PullResponse.pb(),
            "waits 5 s for a first message, then answers with none",
        ),
        (
            SUBSCRIBER,
            "StreamingPull",
            "differs",
            t.StreamingPullRequest.pb(),
            t.StreamingPullResponse.pb(),
            "a stream is never closed to rebalance",
        ),
        (
            SUBSCRIBER,
            "ModifyPushConfig",
            "differs",
            t.ModifyPushConfigRequest.pb(),
            empty,
            "http endpoints are allowed",
        ),
        (SUBSCRIBER, "GetSnapshot", "done", t.GetSnapshotRequest.pb(), snapshot, ""),
        (SUBSCRIBER, "ListSnapshots", "done", t.ListSnapshotsRequest.pb(), t.ListSnapshotsResponse.pb(), ""),
        (SUBSCRIBER, "CreateSnapshot", "done", t.CreateSnapshotRequest.pb(), snapshot, ""),
        (SUBSCRIBER, "UpdateSnapshot", "done", t.UpdateSnapshotRequest.pb(), snapshot, ""),
        (SUBSCRIBER, "DeleteSnapshot", "done", t.DeleteSnapshotRequest.pb(), empty, ""),
        (SUBSCRIBER, "Seek", "done", t.SeekRequest.pb(), t.SeekResponse.pb(), ""),
        (SCHEMAS, "CreateSchema", "done", t.CreateSchemaRequest.pb(), schema, ""),
        (SCHEMAS, "GetSchema", "done", t.GetSchemaRequest.pb(), schema, ""),
        (SCHEMAS, "ListSchemas", "done", t.ListSchemasRequest.pb(), t.ListSchemasResponse.pb(), ""),
        (
            SCHEMAS,
            "ListSchemaRevisions",
            "done",
            t.ListSchemaRevisionsRequest.pb(),
            t.ListSchemaRevisionsResponse.pb(),
            "",
        ),
        (SCHEMAS, "CommitSchema", "done", t.CommitSchemaRequest.pb(), schema, ""),
        (SCHEMAS, "RollbackSchema", "done", t.RollbackSchemaRequest.pb(), schema, ""),
        (SCHEMAS, "DeleteSchemaRevision", "done", t.DeleteSchemaRevisionRequest.pb(), schema, ""),
        (SCHEMAS, "DeleteSchema", "done", t.DeleteSchemaRequest.pb(), empty, ""),
        (
            SCHEMAS,
            "ValidateSchema",
            "done",
            t.ValidateSchemaRequest.pb(),
            t.ValidateSchemaResponse.pb(),
            "",
        ),
        (
            SCHEMAS,
            "ValidateMessage",
            "done",
            t.ValidateMessageRequest.pb(),
            t.ValidateMessageResponse.pb(),
            "",
        ),
        (IAM, "SetIamPolicy", "differs", iam.SetIamPolicyRequest, policy_pb2.Policy, "kept, and restricts nobody"),
        (IAM, "GetIamPolicy", "done", iam.GetIamPolicyRequest, policy_pb2.Policy, ""),
        (
            IAM,
            "TestIamPermissions",
            "differs",
            iam.TestIamPermissionsRequest,
            iam.TestIamPermissionsResponse,
            "every permission is granted",
        ),
    ]
    return [Method(*row, stream=row[1] == "StreamingPull") for row in rows]


METHODS: list[Method] = _methods()
