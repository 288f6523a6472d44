"""Partial responses: the `fields` parameter, such as `items(name,metadata/owner),nextPageToken`.

https://cloud.google.com/storage/docs/json_api#partial-response
"""

from typing import Any

import orjson

from emulators.storage.errors import invalid

Tree = dict[str, "Tree"]


def selected(body: bytes, fields: str) -> bytes:
    """The part of a JSON body that `fields` names; what it names and the body lacks is left out.

    Raises:
        StorageError: 400, `fields` cannot be read.
    """
    tree, rest = _parse(fields)
    if rest:
        raise invalid(f"Invalid field selection {fields!r}: unexpected {rest[:1]!r}.")
    return orjson.dumps(_pick(orjson.loads(body), tree))


def _parse(text: str) -> tuple[Tree, str]:
    """A selection up to its end or the closing parenthesis, and what follows."""
    tree: Tree = {}
    while True:
        inner = tree
        while True:
            length = next((place for place, letter in enumerate(text) if letter in ",()/"), len(text))
            inner = inner.setdefault(text[:length].strip(), {})
            text = text[length:]
            if not text.startswith("/"):
                break
            text = text[1:]
        if text.startswith("("):
            sub, text = _parse(text[1:])
            if not text.startswith(")"):
                raise invalid("Invalid field selection: a '(' is not closed.")
            inner |= sub
            text = text[1:]
        if not text.startswith(","):
            return tree, text
        text = text[1:]


def _pick(value: Any, tree: Tree) -> Any:
    if not tree or "*" in tree:
        return value
    if isinstance(value, list):
        return [_pick(item, tree) for item in value]
    if isinstance(value, dict):
        return {key: _pick(value[key], sub) for key, sub in tree.items() if key in value}
    return value
