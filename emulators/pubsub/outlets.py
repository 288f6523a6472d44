"""Which outlet a subscription's configuration asks for, and whether what it leads to is there."""

from collections.abc import Callable
from typing import Any

from emulators.pubsub.errors import failed_precondition, not_found
from emulators.pubsub.exports import settings
from emulators.pubsub.exports.bigquery import BigQueryTable
from emulators.pubsub.exports.cloud_storage import Bucket
from emulators.pubsub.exports.exporter import Exporter
from emulators.pubsub.exports.sink import Sink, Unreachable, Unwritable
from emulators.pubsub.outlet import Outlet
from emulators.pubsub.push import Pusher
from emulators.pubsub.runtime import Runtime
from emulators.pubsub.subscription import Subscription

SchemaOf = Callable[[str], Any]  # a topic's full name to its SchemaSettings, None without


def kind_of(config: Any) -> str:
    """The field of a Subscription that asks for an outlet, or "" where messages are pulled."""
    if config.detached:
        return ""
    return "push_config" if config.push_config.push_endpoint else settings.kind_of(config)


def start(runtime: Runtime, subscription: Subscription, schema_of: SchemaOf) -> None:
    """Give a subscription the outlet that its configuration asks for, or take it away."""
    wanted, outlet = kind_of(subscription.config), subscription.outlet
    if outlet is not None and outlet.kind != wanted:
        outlet.close()
        outlet = None
    if outlet is None and wanted:
        outlet = _made(runtime, subscription, schema_of)
    subscription.outlet = outlet
    if outlet is not None:
        outlet.configure()
    subscription.queue.notify()


async def check(runtime: Runtime, config: Any, schema_of: SchemaOf) -> None:
    """Raises NOT_FOUND where an export leads to no table or bucket, FAILED_PRECONDITION where nobody answers."""
    if settings.kind_of(config):
        try:
            await _sink(runtime, config, schema_of).check()
        except Unwritable as error:
            raise not_found(error.reason) from error
        except Unreachable as error:
            raise failed_precondition(f"The subscription {config.name} cannot write: {error}.") from error


def _made(runtime: Runtime, subscription: Subscription, schema_of: SchemaOf) -> Outlet:
    if kind_of(subscription.config) == "push_config":
        return Pusher(runtime, subscription)
    return Exporter(runtime, subscription, _sink(runtime, subscription.config, schema_of))


def _sink(runtime: Runtime, config: Any, schema_of: SchemaOf) -> Sink:
    kinds: dict[str, Any] = {"bigquery_config": BigQueryTable, "cloud_storage_config": Bucket}
    made: Sink = kinds[settings.kind_of(config)](runtime, config, schema_of)
    return made
