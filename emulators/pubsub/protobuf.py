"""Messages against Protocol Buffer schemas, in both encodings: https://protobuf.dev/reference/protobuf/proto3-spec/.

A definition is text, and protoc is what reads it: grpcio-tools carries it. It runs as a process of its own, so that no
definition can do harm here.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message, message_factory

from emulators.pubsub.misfit import Misfit

_FILE = "schema.proto"
_SECONDS = 30


def parse(definition: str) -> Any:
    """The class of the one message type that a definition describes.

    Raises:
        Misfit: protoc does not accept it, it imports another file, or it has not exactly one top-level type.
    """
    file = _compiled(definition)
    if file.dependency:
        raise Misfit(f"expected no imports, found {', '.join(file.dependency)}")
    types = [each.name for each in (*file.message_type, *file.enum_type)]
    if len(types) != 1 or not file.message_type:
        raise Misfit(f"expected one top-level type, a message, found {', '.join(types) or 'none'}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    name = f"{file.package}.{types[0]}".lstrip(".")
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def _compiled(definition: str) -> descriptor_pb2.FileDescriptorProto:
    with TemporaryDirectory(prefix="pubsub-schema-") as folder:
        source, target = Path(folder, _FILE), Path(folder, "descriptors")
        source.write_text(definition, encoding="utf-8")
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"--descriptor_set_out={target}", _FILE]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=_SECONDS, check=False)
        if ran.returncode:
            raise Misfit(f"expected a Protocol Buffer definition: {ran.stderr.strip() or ran.returncode}")
        (file,) = descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes()).file
        return file


def read_binary(kind: Any, data: bytes) -> Any:
    """The message in the binary encoding; fields that the schema does not know are let pass, as by any protobuf reader.

    Raises:
        Misfit: the bytes are no such message, or a required field is missing.
    """
    found = kind()
    try:
        found.ParseFromString(data)
    except message.DecodeError as error:
        raise Misfit(f"expected a {kind.DESCRIPTOR.name} in the binary encoding: {error}") from error
    return _initialized(found)


def read_json(kind: Any, data: bytes) -> Any:
    """The message in the JSON encoding: https://protobuf.dev/programming-guides/json/.

    Raises:
        Misfit: the text is no JSON, or not of this schema; names the field.
    """
    try:
        found = json_format.Parse(data, kind())
    except (json_format.ParseError, ValueError, RecursionError) as error:
        raise Misfit(f"expected a {kind.DESCRIPTOR.name} in JSON: {error}") from error
    return _initialized(found)


def _initialized(found: Any) -> Any:
    missing = found.FindInitializationErrors()
    if missing:
        raise Misfit(f"expected the required fields, found none of {', '.join(missing)}")
    return found


def as_values(found: Any) -> dict[str, Any]:
    """A message as plain values by the names in its definition, those not set too."""
    values: dict[str, Any] = json_format.MessageToDict(
        found, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return values


def incompatibility(old: Any, new: Any) -> str:
    """Why `new` cannot be the next revision after `old`, or "": only optional fields may come and go.

    https://cloud.google.com/pubsub/docs/commit-schema-revision
    """
    return _difference(old.DESCRIPTOR, new.DESCRIPTOR, frozenset())


def _difference(old: Any, new: Any, above: frozenset[str]) -> str:
    if old.full_name in above:
        return ""
    before, after = dict(old.fields_by_number), dict(new.fields_by_number)
    for number in sorted(before.keys() ^ after.keys()):
        field = before.get(number) or after[number]
        if field.is_required or field.is_repeated:
            change = "removed" if number in before else "added"
            return f"the field {field.full_name} = {number} is not optional, so it cannot be {change}"
    for number in sorted(before.keys() & after.keys()):
        reason = _field_difference(before[number], after[number], above | {old.full_name})
        if reason:
            return reason
    return ""


def _field_difference(old: Any, new: Any, above: frozenset[str]) -> str:
    for what in ("name", "type", "is_required", "is_repeated"):
        if getattr(old, what) != getattr(new, what):
            return f"the {what} of the field {old.full_name} = {old.number} changed"
    if old.message_type is not None:
        return _difference(old.message_type, new.message_type, above)
    return ""
