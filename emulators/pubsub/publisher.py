"""The RPCs of google.pubsub.v1.Publisher."""

from typing import Any

from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from emulators.pubsub import configuration, limits
from emulators.pubsub.errors import already_exists
from emulators.pubsub.names import project_of
from emulators.pubsub.pages import page
from emulators.pubsub.schemas import check_settings
from emulators.pubsub.state import PubSub

ListTopicsResponse = types.ListTopicsResponse.pb()
ListTopicSubscriptionsResponse = types.ListTopicSubscriptionsResponse.pb()
ListTopicSnapshotsResponse = types.ListTopicSnapshotsResponse.pb()
PublishResponse = types.PublishResponse.pb()
DetachSubscriptionResponse = types.DetachSubscriptionResponse.pb()


class Publisher:
    """One method an RPC; each takes the request message and returns the response message."""

    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub

    async def create_topic(self, request: Any) -> Any:
        config = configuration.complete_topic(request)
        if config.name in self._pubsub.topics:
            raise already_exists(config.name)
        if config.HasField("schema_settings"):
            check_settings(self._pubsub.schemas, config.schema_settings)
        topic = self._pubsub.put_topic(config)
        await self._pubsub.store.flush()
        return topic.config

    async def update_topic(self, request: Any) -> Any:
        topic = self._pubsub.topic(request.topic.name)
        config = configuration.updated(topic.config, request.topic, request.update_mask)
        if config.HasField("schema_settings"):
            check_settings(self._pubsub.schemas, config.schema_settings)
        self._pubsub.put_topic(configuration.complete_topic(config))
        await self._pubsub.store.flush()
        return topic.config

    async def get_topic(self, request: Any) -> Any:
        return self._pubsub.topic(request.topic).config

    async def list_topics(self, request: Any) -> Any:
        inside = (name for name in self._pubsub.topics if f"projects/{project_of(name)}" == request.project)
        names, token = page(inside, request.page_size, request.page_token)
        return ListTopicsResponse(topics=[self._pubsub.topics[n].config for n in names], next_page_token=token)

    async def list_topic_subscriptions(self, request: Any) -> Any:
        topic = self._pubsub.topic(request.topic)
        names, token = page(topic.subscriptions, request.page_size, request.page_token)
        return ListTopicSubscriptionsResponse(subscriptions=names, next_page_token=token)

    async def list_topic_snapshots(self, request: Any) -> Any:
        topic = self._pubsub.topic(request.topic)
        names, token = page(topic.snapshots, request.page_size, request.page_token)
        return ListTopicSnapshotsResponse(snapshots=names, next_page_token=token)

    async def delete_topic(self, request: Any) -> Any:
        self._pubsub.delete_topic(self._pubsub.topic(request.topic))
        await self._pubsub.store.flush()
        return empty_pb2.Empty()

    async def publish(self, request: Any) -> Any:
        topic = self._pubsub.topic(request.topic)
        limits.check_publish(request)
        return PublishResponse(message_ids=await self._pubsub.publish(topic, request.messages))

    async def detach_subscription(self, request: Any) -> Any:
        subscription = self._pubsub.subscription(request.subscription)
        config = type(subscription.config)()
        config.CopyFrom(subscription.config)
        config.detached = True
        subscription.clear()
        self._pubsub.put_subscription(config)
        await self._pubsub.store.flush()
        return DetachSubscriptionResponse()
