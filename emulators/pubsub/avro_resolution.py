"""Whether what was written by one Avro schema can be read by another.

https://avro.apache.org/docs/1.11.1/specification/#schema-resolution
"""

from typing import Any

_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
_NAMED = ("record", "error", "enum", "fixed")


def incompatibility(old: Any, new: Any) -> str:
    """Why `new` cannot be the next revision after `old`, or "": each must be able to read what the other wrote."""
    return _Resolution(new, old).reason(new, old, "$") or _Resolution(old, new).reason(old, new, "$")


class _Resolution:
    """Knows the named types of a reader's and a writer's schema, both as fastavro parsed them."""

    def __init__(self, reader: Any, writer: Any) -> None:
        self._reader_names: dict[str, Any] = {}
        self._writer_names: dict[str, Any] = {}
        _learn(reader, self._reader_names)
        _learn(writer, self._writer_names)
        self._above: set[tuple[str, str]] = set()

    def reason(self, reader: Any, writer: Any, at: str) -> str:
        """Why `reader` cannot read what `writer` wrote, or ""."""
        if isinstance(writer, list):
            return next((why for each in writer if (why := self.reason(reader, each, at))), "")
        if isinstance(reader, list):
            if any(not self.reason(each, writer, at) for each in reader):
                return ""
            return f"at {at}: no branch of {_kinds(reader)} reads a {_kind(writer)}"
        reader, writer = self._resolved(reader, self._reader_names), self._resolved(writer, self._writer_names)
        wanted, found = _kind(reader), _kind(writer)
        if wanted != found:
            return "" if wanted in _PROMOTIONS.get(found, ()) else f"at {at}: a {wanted} cannot read a {found}"
        return self._inside(reader, writer, found, at)

    def _inside(self, reader: Any, writer: Any, kind: str, at: str) -> str:
        if kind in ("array", "map"):
            inner = "items" if kind == "array" else "values"
            return self.reason(reader[inner], writer[inner], f"{at}.{inner}")
        if kind not in _NAMED:
            return ""
        if reader["name"].rpartition(".")[2] != writer["name"].rpartition(".")[2]:
            return f"at {at}: the name {writer['name']!r} became {reader['name']!r}"
        if kind == "fixed" and reader["size"] != writer["size"]:
            return f"at {at}: {writer['size']} bytes became {reader['size']}"
        if kind == "enum":
            gone = [] if "default" in reader else sorted(set(writer["symbols"]) - set(reader["symbols"]))
            return f"at {at}: the symbols {gone} are not known" if gone else ""
        return self._fields(reader, writer, at) if kind in ("record", "error") else ""

    def _fields(self, reader: Any, writer: Any, at: str) -> str:
        pair = (reader["name"], writer["name"])
        if pair in self._above:
            return ""
        self._above.add(pair)
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            names = (field["name"], *field.get("aliases", ()))
            source = next((written[name] for name in names if name in written), None)
            if source is None:
                if "default" not in field:
                    return f"at {at}.{field['name']}: the field is in one revision only, and has no default"
            elif why := self.reason(field["type"], source["type"], f"{at}.{field['name']}"):
                return why
        return ""

    def _resolved(self, schema: Any, names: dict[str, Any]) -> Any:
        while isinstance(schema, dict) and isinstance(schema["type"], dict):
            schema = schema["type"]
        return names.get(schema, schema) if isinstance(schema, str) else schema


def _learn(schema: Any, names: dict[str, Any]) -> None:
    if isinstance(schema, list):
        for branch in schema:
            _learn(branch, names)
    elif isinstance(schema, dict):
        if schema.get("type") in _NAMED:
            names[schema["name"]] = schema
        for inner in (
            *(field["type"] for field in schema.get("fields", ())),
            schema.get("items"),
            schema.get("values"),
        ):
            _learn(inner, names)


def _kind(schema: Any) -> str:
    return str(schema if isinstance(schema, str) else schema["type"])


def _kinds(branches: list[Any]) -> list[str]:
    return [_kind(branch) for branch in branches]
