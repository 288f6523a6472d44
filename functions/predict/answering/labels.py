"""`:label`: what came of predictions, by their ids or by the keys of their rows, handed on to Pub/Sub.

{"labels": [{"id": "2013010110-0123456789abcdef-0", "label": true}, {"key": {"order": 7}, "label": false}]}
"""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson

from dropforge.contracts import logged
from dropforge.contracts.errors import RequestInvalid

from .publisher import Message, Publisher

MOST = 10_000  # labels of a request
SCHEMA = {  # of a request, for the OpenAPI document
    "type": "object",
    "required": ["labels"],
    "properties": {
        "labels": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST,
            "items": {
                "type": "object",
                "required": ["label"],
                "properties": {
                    "id": {"type": "string", "description": "of a prediction"},
                    "key": {"type": "object", "description": "of its row, by the columns of the main table's key"},
                    "label": {"type": ["boolean", "number", "string"], "description": "By what is predicted."},
                },
                "oneOf": [{"required": ["id"]}, {"required": ["key"]}],
                "additionalProperties": False,
            },
        }
    },
}
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "binary": ((bool,), "true or false"),
    "regression": ((int, float), "a number"),
    "multiclass": ((str,), "the name of a class"),
}
_SHOWN = 20  # problems that an answer lists


async def take(publisher: Publisher, pipeline: str, task: str, body: Any) -> dict[str, Any]:
    """Take the labels of a parsed body, as they are for a task of `outcomes`; returns the answer once Pub/Sub has them.

    Raises:
        RequestInvalid: a label breaks the form; none is taken.
        ServiceUnavailable: Pub/Sub does not take them.
    """
    found = read(body, task)
    await publisher.publish(logged.LABELS_TOPIC, [message(pipeline, found)])
    return {"labels": len(found)}


def read(body: Any, task: str) -> list[dict[str, Any]]:
    """The labels, as `events.GivenLabel`.

    Raises:
        RequestInvalid: with `problems` in its fields, one for each label that breaks the form.
    """
    given = body.get("labels") if isinstance(body, dict) else None
    if not isinstance(given, list) or not 1 <= len(given) <= MOST:
        raise RequestInvalid(
            f'Expected a body {{"labels": [...]}} of 1 to {MOST} labels. Found none such.', problems=[]
        )
    wrong = [found for index, each in enumerate(given) if (found := _problem(index, each, task)) is not None]
    if wrong:
        first = wrong[0]
        said = f"Label {first['instance']}: expected {first['expected']}. Found {first['found']}."
        raise RequestInvalid(said, problems=wrong[:_SHOWN], count=len(wrong))
    return [
        {
            "id": each.get("id"),
            "key": logged.key_name(each["key"]) if "key" in each else None,
            "label": each["label"],
        }
        for each in given
    ]


def message(pipeline: str, found: list[dict[str, Any]]) -> Message:
    """A message of `events.LabelsGiven`; the same labels given again are the same chunk."""
    name = blake2b(orjson.dumps(found), digest_size=12).hexdigest()
    at = datetime.now(UTC).isoformat()
    data = orjson.dumps({"pipeline": pipeline, "chunk": name, "at": at, "rows": found})
    return data, {"schema": logged.LABELS_SCHEMA, "pipeline": pipeline}


def _problem(index: int, given: Any, task: str) -> dict[str, Any] | None:
    expected, found = "", repr(given)[:80]
    if not isinstance(given, dict) or ("id" in given) == ("key" in given) or given.keys() - {"id", "key", "label"}:
        expected = "an object with 'label' and one of 'id' and 'key'"
    elif "id" in given and (type(given["id"]) is not str or logged.partition_of_id(given["id"]) is None):
        expected, found = "the 'id' of a prediction, as its answer gave it", repr(given["id"])[:80]
    elif "key" in given and (type(given["key"]) is not dict or not given["key"]):
        expected, found = "'key' as an object of the key's columns", repr(given["key"])[:80]
    elif type(given.get("label")) not in _KINDS[task][0]:
        expected, found = f"'label' to be {_KINDS[task][1]}", repr(given.get("label"))[:80]
    if not expected:
        return None
    return {"pointer": f"/labels/{index}", "instance": index, "field": "", "expected": expected, "found": found}
