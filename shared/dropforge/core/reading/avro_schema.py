"""The schema that an Avro file carries: trusted only once it is known to lead to no endless reading."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dropforge.contracts.errors import FileUnreadable
from dropforge.core.reading.limits import Limits

DEEP = 40  # levels within each other


@dataclass(frozen=True)
class Schema:
    """As `given`, and `parsed` for fastavro."""

    given: Any
    parsed: Any


def header_schema(given: Any) -> Schema:
    """The schema of a header.

    A type that holds itself could be nested until the stack ends, and an array of nothing be counted until time does:
    both are refused.

    Raises:
        FileUnreadable: `schema_not_read`, for such a type.
        ValueError, TypeError, LookupError: it is no schema.
    """
    from fastavro import parse_schema
    from fastavro.schema import SchemaParseException, UnknownType

    _check(given, ())
    try:
        return Schema(given, parse_schema(given))
    except (SchemaParseException, UnknownType) as error:
        raise ValueError(f"its schema is not valid: {error}") from error


def columns_of(schema: Schema, limits: Limits) -> list[str]:
    """The fields of the record that each row is.

    Raises:
        FileUnreadable: `not_a_table`, or `too_many_columns`.
    """
    if not isinstance(schema.given, dict) or schema.given.get("type") != "record":
        raise FileUnreadable(
            "The Avro file holds single values. Expected records, whose fields are the columns.",
            code="not_a_table",
            expected="records",
            observed=str(schema.given)[:100],
        )
    names = [field["name"] for field in schema.given["fields"]]
    if not 0 < len(names) <= limits.columns:
        raise FileUnreadable(
            f"The file has {len(names):,} columns. Expected 1 to {limits.columns:,}.",
            code="too_many_columns" if names else "not_a_table",
            expected=limits.columns,
            observed=len(names),
        )
    return names


def _check(schema: Any, within: tuple[str, ...]) -> None:
    if len(within) > DEEP:
        raise _refused(f"types within each other, {DEEP} deep and more")
    if isinstance(schema, str):
        if schema.rpartition(".")[2] in {name.rpartition(".")[2] for name in within if name}:
            raise _refused(f"the type {schema!r}, which holds itself")
        return
    name = str(schema.get("name", "")) if isinstance(schema, dict) else ""
    for inner in _inner(schema):
        _check(inner, (*within, name))
    if isinstance(schema, dict) and schema.get("type") == "array" and _may_be_nothing(schema["items"]):
        raise _refused("arrays of values that take no bytes")


def _inner(schema: Any) -> Iterator[Any]:
    if isinstance(schema, list):
        yield from schema
    elif isinstance(schema, dict):
        kind = schema["type"]
        if kind == "record":
            yield from (field["type"] for field in schema["fields"])
        elif kind in ("array", "map"):
            yield schema["items" if kind == "array" else "values"]
        elif not isinstance(kind, str):
            yield kind
    else:
        raise TypeError(f"its schema has {schema!r} where a type should stand")


def _may_be_nothing(schema: Any) -> bool:
    """Whether a value may take no bytes; of a name, what it names is not looked up, and it may."""
    if isinstance(schema, dict):
        if schema["type"] == "record":
            return all(_may_be_nothing(field["type"]) for field in schema["fields"])
        if schema["type"] == "fixed":
            return not schema.get("size")
        return not isinstance(schema["type"], str) and _may_be_nothing(schema["type"])
    return bool(schema == "null")


def _refused(what: str) -> FileUnreadable:
    return FileUnreadable(
        f"The schema of the Avro file has {what}, which is not read here. Drop it as Parquet or JSON Lines.",
        code="schema_not_read",
        expected="types of bounded size",
        observed=what,
    )
