"""Messages as rows of a BigQuery table, in the JSON form of tabledata.insertAll.

https://cloud.google.com/pubsub/docs/bigquery#properties_subscription
"""

import base64
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from emulators.pubsub.exports.attributes import attributes

Row = dict[str, Any]
Columns = dict[str, dict[str, Any]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NoRow(ValueError):
    """A message that is no row of the table; the text says why."""


def columns_of(table: dict[str, Any]) -> Columns:
    """The top-level columns of a table resource, by name."""
    return {field["name"]: field for field in table.get("schema", {}).get("fields", [])}


def metadata(subscription: str, body: Any) -> Row:
    """What `write_metadata` adds to a row; all but the first three is one JSON object."""
    return {
        "subscription_name": subscription,
        "message_id": body.message_id,
        "publish_time": body.publish_time.ToJsonString(),
        "attributes": json.dumps(attributes(body), ensure_ascii=False),
    }


def data_row(data: bytes, columns: Columns) -> Row:
    """The row of a message without any schema: its bytes in the column `data`, of type BYTES, STRING or JSON.

    Raises:
        NoRow: text is wanted and the bytes are none, or JSON is and the text is none.
    """
    kind = columns.get("data", {}).get("type", "BYTES")
    if kind == "BYTES":
        return {"data": base64.b64encode(data).decode()}
    try:
        text = data.decode()
        if kind == "JSON":
            json.loads(text)
    except ValueError as error:
        raise NoRow(f"expected {kind} for the column 'data': {error}") from error
    return {"data": text}


def json_row(data: bytes, columns: Columns) -> Row:
    """The row of a message that is a JSON object with the table's columns as keys.

    Raises:
        NoRow: the data is no JSON object.
    """
    try:
        found = json.loads(data)
    except ValueError as error:
        raise NoRow(f"expected a JSON object with the table's columns: {error}") from error
    if not isinstance(found, dict):
        raise NoRow(f"expected a JSON object with the table's columns, found {type(found).__name__}")
    return fitted(found, columns)


def fitted(values: Row, columns: Columns) -> Row:
    """Values as insertAll takes them for these columns; nulls are left out, unknown names stay as they are."""
    return {name: _value(value, columns.get(name, {"type": ""})) for name, value in values.items() if value is not None}


def _value(value: Any, field: dict[str, Any]) -> Any:
    if field.get("mode") == "REPEATED" and isinstance(value, list):
        return [_value(each, {**field, "mode": "NULLABLE"}) for each in value]
    if field["type"] in ("RECORD", "STRUCT") and isinstance(value, dict):
        return fitted(value, {inner["name"]: inner for inner in field["fields"]})
    if field["type"] == "JSON" and not isinstance(value, str):
        return json.dumps(_plain(value))
    if type(value) is int and field["type"] == "TIMESTAMP":
        return (_EPOCH + timedelta(microseconds=value)).isoformat()
    if type(value) is int and field["type"] == "DATE":
        return (_EPOCH + timedelta(days=value)).date().isoformat()
    return _plain(value)


def _plain(value: Any) -> Any:
    """What JSON has no form for, as BigQuery reads it."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    return value
