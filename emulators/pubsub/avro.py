"""Messages against Avro schemas, in both encodings: https://avro.apache.org/docs/1.11.1/specification/.

fastavro parses schemas and the binary encoding. The JSON encoding is read here, because a message must be refused for
a field too many or a number for a string, where fastavro's own reader is lenient.
"""

import json
import math
from collections.abc import Callable
from io import BytesIO
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException, UnknownType

from emulators.pubsub.misfit import Misfit

_INTEGERS = {"int": 1 << 31, "long": 1 << 63}


def parse(definition: str) -> Any:
    """The schema as fastavro parsed it.

    Raises:
        Misfit: it is no JSON, or no Avro schema.
    """
    try:
        raw = json.loads(definition)
        _require_fields(raw)
        return fastavro.parse_schema(raw)
    except (ValueError, TypeError, KeyError, AttributeError, SchemaParseException, UnknownType) as error:
        raise Misfit(f"expected an Avro schema in JSON, found {type(error).__name__}: {error}") from error


def _require_fields(schema: Any) -> None:
    """What fastavro lets pass: a record must list its fields, though it may list none."""
    if isinstance(schema, list):
        for branch in schema:
            _require_fields(branch)
    elif isinstance(schema, dict):
        if schema.get("type") in ("record", "error") and not isinstance(schema.get("fields"), list):
            raise Misfit(f"expected the 'fields' of the record {schema.get('name')!r}, found none")
        for field in schema.get("fields", []):
            _require_fields(field["type"])
        for inner in ("items", "values", "type"):
            _require_fields(schema.get(inner))


def read_binary(schema: Any, data: bytes) -> Any:
    """The datum of one message in the binary encoding.

    Raises:
        Misfit: the bytes end early, go on after the datum, or are none of this schema.
    """
    stream = BytesIO(data)
    try:
        datum = fastavro.schemaless_reader(stream, schema, None)
    except (EOFError, ValueError, IndexError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise Misfit(f"expected Avro's binary encoding, found {type(error).__name__}: {error}") from error
    if stream.tell() != len(data):
        raise Misfit(f"expected {stream.tell()} bytes, found {len(data)}")
    return datum


def with_logical_types(schema: Any, datum: Any) -> Any:
    """A datum as `read_json` gives it, with dates, times, decimals and UUIDs as such, as `read_binary` gives it.

    Raises:
        Misfit: a text is half a surrogate pair, or a number beyond what its logical type can be.
    """
    stream = BytesIO()
    try:
        fastavro.schemaless_writer(stream, schema, datum)
    except ValueError as error:
        raise Misfit(f"expected what Avro's binary encoding has a form for: {error}") from error
    return read_binary(schema, stream.getvalue())


def read_json(schema: Any, data: bytes) -> Any:
    """The datum of one message in the JSON encoding, unions as `{"type": value}`.

    Raises:
        Misfit: the text is no JSON, or not of this schema; names the path.
    """
    try:
        value = json.loads(data)
    except ValueError as error:
        raise Misfit(f"expected JSON: {error}") from error
    return _Reader(schema).read(schema, value, "$")


class _Reader:
    """Knows the named types of one schema."""

    def __init__(self, schema: Any) -> None:
        self._named: dict[str, Any] = {}
        self._learn(schema)
        self._complex: dict[str, Callable[[Any, Any, str], Any]] = {
            "record": self._record,
            "error": self._record,
            "enum": self._enum,
            "fixed": self._fixed,
            "array": self._array,
            "map": self._map,
        }

    def _learn(self, schema: Any) -> None:
        if isinstance(schema, list):
            for branch in schema:
                self._learn(branch)
        elif isinstance(schema, dict):
            if "name" in schema and "type" in schema and schema["type"] in ("record", "error", "enum", "fixed"):
                self._named[schema["name"]] = schema
            for field in schema.get("fields", []):
                self._learn(field["type"])
            for inner in ("items", "values"):
                self._learn(schema.get(inner))

    def read(self, schema: Any, value: Any, at: str) -> Any:
        """The datum, or Misfit."""
        if isinstance(schema, list):
            return self._union(schema, value, at)
        if isinstance(schema, str):
            return self.read(self._named[schema], value, at) if schema in self._named else _primitive(schema, value, at)
        kind = schema["type"]
        return self._complex[kind](schema, value, at) if kind in self._complex else self.read(kind, value, at)

    def _union(self, branches: list[Any], value: Any, at: str) -> Any:
        names = {_name(branch): branch for branch in branches}
        if value is None and "null" in names:
            return None
        if isinstance(value, dict) and len(value) == 1:
            ((name, inner),) = value.items()
            if name in names and name != "null":
                return self.read(names[name], inner, f"{at}.{name}")
        raise _wrong(at, 'an object {"type": value} with a type of ' + ", ".join(names), value)

    def _record(self, schema: Any, value: Any, at: str) -> Any:
        if not isinstance(value, dict):
            raise _wrong(at, f"a {schema['name']} as an object", value)
        fields = {field["name"]: field["type"] for field in schema["fields"]}
        if set(value) != set(fields):
            raise _wrong(at, f"the fields {sorted(fields)}", sorted(value))
        return {name: self.read(kind, value[name], f"{at}.{name}") for name, kind in fields.items()}

    def _enum(self, schema: Any, value: Any, at: str) -> Any:
        if value not in schema["symbols"]:
            raise _wrong(at, f"one of {schema['symbols']}", value)
        return value

    def _fixed(self, schema: Any, value: Any, at: str) -> Any:
        found = _primitive("bytes", value, at)
        if len(found) != schema["size"]:
            raise _wrong(at, f"{schema['size']} bytes", value)
        return found

    def _array(self, schema: Any, value: Any, at: str) -> Any:
        if not isinstance(value, list):
            raise _wrong(at, "an array", value)
        return [self.read(schema["items"], each, f"{at}[{number}]") for number, each in enumerate(value)]

    def _map(self, schema: Any, value: Any, at: str) -> Any:
        if not isinstance(value, dict):
            raise _wrong(at, "an object", value)
        return {key: self.read(schema["values"], each, f"{at}.{key}") for key, each in value.items()}


def _primitive(kind: str, value: Any, at: str) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "null" and value is None:
        return None
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind in _INTEGERS and number and isinstance(value, int) and -_INTEGERS[kind] <= value < _INTEGERS[kind]:
        return value
    if kind in ("float", "double") and number and math.isfinite(value):
        return float(value)
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "bytes" and isinstance(value, str) and all(ord(letter) < 256 for letter in value):
        return value.encode("latin-1")
    raise _wrong(at, f"a value of type {kind}", value)


def _name(branch: Any) -> str:
    """What stands for a branch of a union in JSON."""
    if isinstance(branch, str):
        return branch
    return str(branch.get("name", branch["type"]))


def _wrong(at: str, expected: str, found: Any) -> Misfit:
    return Misfit(f"at {at}: expected {expected}, found {json.dumps(found)[:100]}")
