"""Topic and subscription configurations: defaults filled in, limits checked, updates by field mask."""

from typing import Any
from urllib.parse import urlsplit

from emulators.pubsub import limits, names
from emulators.pubsub.errors import invalid, unimplemented
from emulators.pubsub.exports import settings as exports

# Fields of a Subscription and a Topic that this emulator does not act on, so that it must not take them silently.
_UNOFFERED_IN_SUBSCRIPTION = (
    "bigtable_config",
    "message_transforms",
    "analytics_hub_subscription_info",
)
_UNOFFERED_IN_TOPIC = ("ingestion_data_source_settings", "message_transforms")
_IMMUTABLE_IN_SUBSCRIPTION = ("name", "topic", "filter", "enable_message_ordering")


def complete_topic(config: Any) -> Any:
    """A checked copy of a Topic with the service's defaults.

    Raises:
        ServiceError: INVALID_ARGUMENT or UNIMPLEMENTED, naming the field.
    """
    complete = type(config)()
    complete.CopyFrom(config)
    names.check(complete.name, "topics")
    _refuse(complete, _UNOFFERED_IN_TOPIC)
    if complete.HasField("message_retention_duration"):
        seconds = complete.message_retention_duration.seconds
        limits.check_between("message_retention_duration_seconds", seconds, limits.RETENTION_SECONDS)
    complete.state = type(config).State.Value("ACTIVE")
    return complete


def complete_subscription(config: Any) -> Any:
    """A checked copy of a Subscription with the service's defaults.

    Raises:
        ServiceError: INVALID_ARGUMENT or UNIMPLEMENTED, naming the field.
    """
    complete = type(config)()
    complete.CopyFrom(config)
    names.check(complete.name, "subscriptions")
    if complete.topic != names.DELETED_TOPIC:
        names.check(complete.topic, "topics")
    _refuse(complete, _UNOFFERED_IN_SUBSCRIPTION)
    complete.ack_deadline_seconds = complete.ack_deadline_seconds or limits.ACK_DEADLINE_SECONDS[0]
    limits.check_between("ack_deadline_seconds", complete.ack_deadline_seconds, limits.ACK_DEADLINE_SECONDS)
    if not complete.HasField("message_retention_duration"):
        complete.message_retention_duration.seconds = 7 * limits.DAY
    retention = complete.message_retention_duration.seconds
    limits.check_between("message_retention_duration_seconds", retention, limits.RETENTION_SECONDS)
    if not complete.HasField("expiration_policy"):
        complete.expiration_policy.ttl.seconds = 31 * limits.DAY
    elif complete.expiration_policy.HasField("ttl"):
        limits.check_between(
            "expiration_policy.ttl_seconds", complete.expiration_policy.ttl.seconds, (limits.DAY, 365 * limits.DAY)
        )
    _complete_redelivery(complete)
    _complete_push(complete)
    exports.complete(complete)
    complete.state = type(config).State.Value("ACTIVE")
    return complete


def _complete_redelivery(config: Any) -> None:
    if config.HasField("dead_letter_policy"):
        policy = config.dead_letter_policy
        names.check(policy.dead_letter_topic, "topics")
        policy.max_delivery_attempts = policy.max_delivery_attempts or limits.DELIVERY_ATTEMPTS[0]
        limits.check_between("max_delivery_attempts", policy.max_delivery_attempts, limits.DELIVERY_ATTEMPTS)
    if config.HasField("retry_policy"):
        policy = config.retry_policy
        if not policy.HasField("minimum_backoff"):
            policy.minimum_backoff.seconds = 10
        if not policy.HasField("maximum_backoff"):
            policy.maximum_backoff.seconds = 600
        for field in ("minimum_backoff", "maximum_backoff"):
            limits.check_between(
                f"retry_policy.{field}_seconds", getattr(policy, field).seconds, limits.BACKOFF_SECONDS
            )
        if policy.minimum_backoff.ToNanoseconds() > policy.maximum_backoff.ToNanoseconds():
            raise invalid("The retry_policy's minimum_backoff is larger than its maximum_backoff.")


def _complete_push(config: Any) -> None:
    push = config.push_config
    if not push.push_endpoint:
        return
    url = urlsplit(push.push_endpoint)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise invalid(f"Invalid push endpoint given (endpoint={push.push_endpoint}): expected an http or https URL.")
    if config.enable_exactly_once_delivery:
        raise invalid("Exactly-once delivery is for pull subscriptions only; this one has a push endpoint.")
    if push.HasField("oidc_token") and not push.oidc_token.service_account_email:
        raise invalid("The push_config's oidc_token needs a service_account_email; it is empty.")
    if not push.HasField("no_wrapper"):
        push.attributes["x-goog-version"] = "v1"


def updated(stored: Any, request_config: Any, mask: Any) -> Any:
    """A copy of `stored` with the masked fields taken from the request.

    Raises:
        ServiceError: INVALID_ARGUMENT for an empty mask, an unknown field, or one that cannot change.
    """
    if not mask.paths:
        raise invalid("The update_mask in the request is empty; expected the name of at least one field.")
    if not mask.IsValidForDescriptor(stored.DESCRIPTOR):
        raise invalid(f"The update_mask {list(mask.paths)} names a field that {stored.DESCRIPTOR.name} does not have.")
    for path in mask.paths:
        immutable = _IMMUTABLE_IN_SUBSCRIPTION if stored.DESCRIPTOR.name == "Subscription" else ("name",)
        if path in immutable:
            raise invalid(f"Invalid update_mask provided in the request: {path} is not a mutable field.")
    copy = type(stored)()
    copy.CopyFrom(stored)
    mask.MergeMessage(request_config, copy, replace_message_field=True, replace_repeated_field=True)
    return copy


def _refuse(config: Any, fields: tuple[str, ...]) -> None:
    given = {descriptor.name for descriptor, _ in config.ListFields()}
    for field in fields:
        if field in given:
            raise unimplemented(f"{config.DESCRIPTOR.name}.{field}")
