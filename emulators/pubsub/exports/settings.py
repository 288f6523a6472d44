"""What a BigQuery or Cloud Storage subscription may say: defaults filled in, limits checked.

https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions
"""

import re
from typing import Any

from emulators.pubsub.errors import invalid
from emulators.pubsub.exports.naming import check_datetime_format
from emulators.pubsub.limits import check_between

_TABLE = re.compile(r"(?P<project>[A-Za-z0-9:.\-]+?)[.:](?P<dataset>[A-Za-z0-9_]+)\.(?P<table>[^.:/]+)")
_KINDS = ("bigquery_config", "cloud_storage_config")
_DURATION_SECONDS = (60, 600)
_BYTES = (1_000, 10 * 1024**3)
_MESSAGES = (1_000, 2**31 - 1)


def kind_of(config: Any) -> str:
    """The field of a Subscription that says where messages are written, or "" where nothing is."""
    return next((kind for kind in _KINDS if config.HasField(kind)), "")


def table_of(name: str) -> tuple[str, str, str]:
    """Project, dataset and table of `PROJECT.DATASET.TABLE` or the older `PROJECT:DATASET.TABLE`.

    Raises:
        ServiceError: INVALID_ARGUMENT.
    """
    found = _TABLE.fullmatch(name)
    if found is None:
        raise invalid(f"Expected the bigquery_config's table as PROJECT.DATASET.TABLE. Got {name!r}.")
    return found["project"], found["dataset"], found["table"]


def complete(config: Any) -> None:
    """Fill in the defaults of a Subscription's export, if it has one.

    Raises:
        ServiceError: INVALID_ARGUMENT, naming the field.
    """
    kind = kind_of(config)
    if not kind:
        return
    if all(config.HasField(each) for each in _KINDS) or config.push_config.push_endpoint:
        raise invalid("A subscription has at most one of push_config, bigquery_config and cloud_storage_config.")
    if config.enable_exactly_once_delivery:
        raise invalid(f"Exactly-once delivery is for pull subscriptions only; this one has a {kind}.")
    if kind == "bigquery_config":
        _complete_bigquery(config.bigquery_config)
    else:
        _complete_cloud_storage(config.cloud_storage_config)


def _complete_bigquery(export: Any) -> None:
    table_of(export.table)
    if export.use_topic_schema and export.use_table_schema:
        raise invalid("A bigquery_config has at most one of use_topic_schema and use_table_schema.")
    if export.drop_unknown_fields and not (export.use_topic_schema or export.use_table_schema):
        raise invalid("A bigquery_config's drop_unknown_fields needs use_topic_schema or use_table_schema.")
    export.state = export.State.Value("ACTIVE")


def _complete_cloud_storage(export: Any) -> None:
    if not export.bucket or export.bucket.startswith("gs://"):
        raise invalid(f"Expected the cloud_storage_config's bucket as a name without gs://. Got {export.bucket!r}.")
    check_datetime_format(export.filename_datetime_format)
    if not export.HasField("max_duration"):
        export.max_duration.seconds = 300
    check_between("cloud_storage_config.max_duration_seconds", export.max_duration.seconds, _DURATION_SECONDS)
    if export.max_bytes:
        check_between("cloud_storage_config.max_bytes", export.max_bytes, _BYTES)
    if export.max_messages:
        check_between("cloud_storage_config.max_messages", export.max_messages, _MESSAGES)
    if not export.HasField("avro_config"):
        export.text_config.SetInParent()
    export.state = export.State.Value("ACTIVE")
