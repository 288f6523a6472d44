"""The table of methods is true: what it calls absent is absent by name, and no RPC of the client is missing in it."""

import grpc
import pytest
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.schema_service.transports import SchemaServiceGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from emulators.pubsub.methods import IAM, METHODS, PUBLISHER, SCHEMAS, SUBSCRIBER, Method
from tests.emulators.pubsub.bench import PROJECT, Bench

TRANSPORTS = {
    PUBLISHER: PublisherGrpcTransport,
    SUBSCRIBER: SubscriberGrpcTransport,
    SCHEMAS: SchemaServiceGrpcTransport,
}
UNSENT = {"close", "operations_client", "kind", "grpc_channel", "create_channel", "host", "get_operation"}


@pytest.mark.parametrize("service", TRANSPORTS)
def test_every_rpc_of_the_client_is_in_the_table(service: str) -> None:
    """A new release of the client shows here what it can newly ask for."""
    offered = {name for name in vars(TRANSPORTS[service]) if not name.startswith("_")} - UNSENT
    listed = {method.function for method in METHODS if method.service in (service, IAM)}
    assert offered <= listed
    assert {method.function for method in METHODS if method.service == service} <= offered


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.operation)
def test_a_method_says_why_it_is_not_as_in_the_service(method: Method) -> None:
    """The generated documentation shows the reason beside what differs."""
    assert bool(method.reason) is (method.status != "done")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.operation)
def test_only_absent_methods_answer_unimplemented(bench: Bench, method: Method) -> None:
    """Each is called with an empty request; an absent one is refused by name, the others by what they do."""
    with grpc.insecure_channel(bench.host) as channel:
        path = f"/{method.service}/{method.name}"
        if method.stream:
            call = channel.stream_stream(path)(iter([b""]), timeout=5)
        else:
            call = channel.unary_unary(path).future(b"", timeout=5)
        assert (call.code() is grpc.StatusCode.UNIMPLEMENTED) is (method.status == "absent")
        assert method.status != "absent" or method.operation in call.details()


def test_a_method_nobody_knows_is_refused_by_name(bench: Bench) -> None:
    """One that a later client asks for."""
    with grpc.insecure_channel(bench.host) as channel:
        call = channel.unary_unary("/google.pubsub.v1.Publisher/PublishBackwards").future(b"", timeout=5)
        assert call.code() is grpc.StatusCode.UNIMPLEMENTED
        assert "google.pubsub.v1.Publisher.PublishBackwards" in call.details()


def test_names_of_other_projects_do_not_mix(bench: Bench) -> None:
    """Lists hold one project's resources."""
    bench.topic()
    assert list(bench.publisher.list_topics(project=f"projects/{PROJECT}-other")) == []
