"""Snapshots and seeking: https://cloud.google.com/pubsub/docs/replay-overview."""

from typing import Any

from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from emulators.pubsub import configuration, limits, names
from emulators.pubsub.errors import already_exists, failed_precondition, invalid
from emulators.pubsub.pages import page
from emulators.pubsub.snapshots import Snapshot
from emulators.pubsub.state import PubSub

ListSnapshotsResponse = types.ListSnapshotsResponse.pb()
SeekResponse = types.SeekResponse.pb()
SnapshotConfig = types.Snapshot.pb()

_SNAPSHOT_SECONDS = 7 * limits.DAY
_SHORTEST_SECONDS = 3_600


class Seeking:
    """The snapshot and seek part of the Subscriber service."""

    _pubsub: PubSub

    async def create_snapshot(self, request: Any) -> Any:
        pubsub = self._pubsub
        names.check(request.name, "snapshots")
        subscription = pubsub.subscription(request.subscription)
        if request.name in pubsub.snapshots:
            raise already_exists(request.name)
        now = pubsub.clock.now()
        unacked = {entry.message.seq: entry.message for entry in subscription.queue.entries.values()}
        oldest = min((message.published for message in unacked.values()), default=now)
        expires = oldest + _SNAPSHOT_SECONDS
        if expires < now + _SHORTEST_SECONDS:
            raise failed_precondition("The subscription's backlog is too old: the snapshot would expire within 1 hour.")
        config = SnapshotConfig(name=request.name, topic=subscription.config.topic, labels=request.labels)
        config.expire_time.FromNanoseconds(int(expires * 1e6) * 1000)
        snapshot = Snapshot(config, pubsub.next_id())
        snapshot.messages = unacked
        for message in unacked.values():
            message.holders += 1
        pubsub.put_snapshot(snapshot)
        pubsub.store.hold([(snapshot.uid, seq, 0, 1) for seq in unacked])
        await pubsub.store.flush()
        return config

    async def get_snapshot(self, request: Any) -> Any:
        return self._pubsub.snapshot(request.snapshot).config

    async def list_snapshots(self, request: Any) -> Any:
        stored = self._pubsub.snapshots
        inside = (name for name in stored if f"projects/{names.project_of(name)}" == request.project)
        found, token = page(inside, request.page_size, request.page_token)
        return ListSnapshotsResponse(snapshots=[stored[name].config for name in found], next_page_token=token)

    async def update_snapshot(self, request: Any) -> Any:
        snapshot = self._pubsub.snapshot(request.snapshot.name)
        snapshot.config = configuration.updated(snapshot.config, request.snapshot, request.update_mask)
        self._pubsub.put_snapshot(snapshot)
        await self._pubsub.store.flush()
        return snapshot.config

    async def delete_snapshot(self, request: Any) -> Any:
        self._pubsub.delete_snapshot(self._pubsub.snapshot(request.snapshot))
        await self._pubsub.store.flush()
        return empty_pb2.Empty()

    async def seek(self, request: Any) -> Any:
        subscription = self._pubsub.subscription(request.subscription)
        known = {entry.message.seq: entry.message for entry in subscription.queue.entries.values()}
        if request.HasField("snapshot"):
            snapshot = self._pubsub.snapshot(request.snapshot)
            if snapshot.config.topic != subscription.config.topic:
                raise invalid(f"The snapshot {snapshot.name} is of another topic than {subscription.name}.")
            wanted = dict(snapshot.messages)
        elif request.HasField("time"):
            since = request.time.ToNanoseconds() / 1e9
            topic = self._pubsub.topics.get(subscription.config.topic)
            kept = known | subscription.retained | (topic.log if topic is not None else {})
            wanted = {seq: message for seq, message in kept.items() if message.published >= since}
        else:
            raise invalid("A seek needs a time or a snapshot; the request has neither.")
        subscription.rebuild({s: m for s, m in wanted.items() if subscription.matches(m.body.attributes)})
        await self._pubsub.store.flush()
        return SeekResponse()
