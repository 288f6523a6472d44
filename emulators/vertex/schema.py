"""Request bodies, read by the service's own message types, so that a wrong field is refused and a number for an enum,
as the generated clients send it, becomes its name."""

import json
import re
from typing import Any

from google.protobuf import json_format

from emulators.vertex.errors import InvalidArgument

Json = dict[str, Any]
_UNKNOWN = re.compile(r'Message type "([^"]+)" has no field named "([^"]+)"')


def canonical_body(message: type, body: Json, *, lenient: bool = False) -> Json:
    """`body` as proto-JSON with camelCase keys and names for enums.

    Args:
        message: a proto-plus message class, such as `aiplatform_v1.types.Model`.
        body: what was sent; snake_case keys are taken too.
        lenient: pass over unknown fields (`v1beta1` has some that `v1` lacks).

    Raises:
        InvalidArgument: it is no such message; the text is the service's.
    """
    pb = message.pb(message())  # type: ignore[attr-defined]  # proto-plus makes `pb` on its metaclass
    try:
        json_format.ParseDict(body, pb, ignore_unknown_fields=lenient)
    except json_format.ParseError as error:
        raise InvalidArgument(_reason(str(error))) from error
    parsed: Json = json_format.MessageToDict(pb)
    return parsed


def _reason(text: str) -> str:
    unknown = _UNKNOWN.search(text)
    if unknown:
        return f'Invalid JSON payload received. Unknown name "{unknown[2]}": Cannot find field.'
    return f"Invalid value in the JSON payload: {text}"


def read_json(raw: bytes) -> Json:
    """A request's body, which must be a JSON object or empty.

    Raises:
        InvalidArgument: it is not.
    """
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise InvalidArgument(f"Invalid JSON payload received. {error}") from error
    if not isinstance(body, dict):
        raise InvalidArgument("Invalid JSON payload received. Expected an object.")
    return body


def mask_fields(mask: str) -> list[str]:
    """The top-level fields of an update mask, in camelCase: `display_name,labels.a` gives `displayName`, `labels`."""
    fields = [path.strip().partition(".")[0] for path in mask.split(",") if path.strip()]
    return list(dict.fromkeys(camel(field) for field in fields))


def camel(name: str) -> str:
    """`display_name` as `displayName`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def patched(current: Json, given: Json, mask: str, allowed: frozenset[str]) -> Json:
    """`current` with the masked fields of `given`; a masked field that was not given is cleared.

    Raises:
        InvalidArgument: there is no mask, or it names a field that cannot be changed.
    """
    fields = mask_fields(mask)
    if fields == ["*"]:
        fields = sorted(allowed & given.keys())
    if not fields:
        raise InvalidArgument("Update mask is required.")
    wrong = sorted(set(fields) - allowed)
    if wrong:
        raise InvalidArgument(f"Invalid update mask: fields {', '.join(wrong)} cannot be updated.")
    result = {key: value for key, value in current.items() if key not in fields}
    return result | {field: given[field] for field in fields if field in given}
