"""Keep-alive pings: the client sends one every 30 s, with or without a call under way."""

import time

import grpc
from google.pubsub_v1 import types

from tests.emulators.pubsub.bench import Bench


def test_pings_are_not_answered_with_goaway(bench: Bench) -> None:
    """gRPC's default is to close a connection at the third ping within five minutes without data.

    Five pings, one a second (the fastest that a client sends), leave the channel as it was.
    """
    options = [
        ("grpc.keepalive_time_ms", 1_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]
    states: list[grpc.ChannelConnectivity] = []
    with grpc.insecure_channel(bench.host, options=options) as channel:
        grpc.channel_ready_future(channel).result(timeout=5)
        channel.subscribe(states.append)
        list_topics = channel.unary_unary("/google.pubsub.v1.Publisher/ListTopics")
        request = types.ListTopicsRequest(project="projects/bench-project")
        list_topics(types.ListTopicsRequest.serialize(request), timeout=5)
        time.sleep(5.5)
        list_topics(types.ListTopicsRequest.serialize(request), timeout=5)
        channel.unsubscribe(states.append)
    assert set(states) == {grpc.ChannelConnectivity.READY}
