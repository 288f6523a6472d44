"""Lists: filter, order, pages, as https://google.aip.dev/160 and /158 have them and Vertex AI uses them."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any

from emulators.vertex.errors import InvalidArgument
from emulators.vertex.schema import camel

Json = dict[str, Any]
Test = Callable[[Json], bool]
_TOKEN = re.compile(
    r"""\s*(\(|\)|AND\b|OR\b|NOT\b|-(?=[a-zA-Z])|!=|>=|<=|=|:|<|>|"(?:[^"\\]|\\.)*"|'[^']*'|[^\s()=:<>!]+)"""
)
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "=": lambda found, given: found == given,
    "!=": lambda found, given: found != given,
    ">": lambda found, given: found > given,
    "<": lambda found, given: found < given,
    ">=": lambda found, given: found >= given,
    "<=": lambda found, given: found <= given,
}
MAX_PAGE = 1000


def page(items: Sequence[Json], key: str, query: dict[str, str], *, identity: str = "") -> Json:
    """One page of `items` under `key`, filtered and ordered as the query says.

    Args:
        items: whole resources, in their natural order.
        key: the list's field in the answer, such as `models`.
        query: `filter`, `orderBy`, `pageSize`, `pageToken`; snake_case is taken too.
        identity: the filter's name for the last segment of the resource name, such as `model`.

    Raises:
        InvalidArgument: the filter, the order or the token cannot be read.
    """
    given = {camel(name): value for name, value in query.items()}
    chosen = list(items)
    if given.get("filter"):
        test = parse_filter(given["filter"], identity)
        chosen = [item for item in chosen if test(item)]
    if given.get("orderBy"):
        chosen = _ordered(chosen, given["orderBy"])
    start = _offset(given.get("pageToken", ""))
    size = min(int(given.get("pageSize") or 0) or 100, MAX_PAGE)
    answer: Json = {key: chosen[start : start + size]}
    if start + size < len(chosen):
        answer["nextPageToken"] = urlsafe_b64encode(str(start + size).encode()).decode()
    return answer


def _offset(token: str) -> int:
    try:
        return int(urlsafe_b64decode(token.encode()) or 0)
    except ValueError as error:
        raise InvalidArgument(f"Invalid page token: {token}") from error


def _ordered(items: list[Json], order: str) -> list[Json]:
    for part in reversed(order.split(",")):
        field, _, direction = part.strip().partition(" ")
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise InvalidArgument(f"Invalid order_by: {order}")
        items = sorted(
            items, key=lambda item: str(_value(item, field, "")), reverse=direction.strip().lower() == "desc"
        )
    return items


def parse_filter(text: str, identity: str = "") -> Test:
    """A test of one resource: comparisons joined by AND, OR, NOT and brackets; `labels.k:*` and `labels:k` ask for
    presence.

    Raises:
        InvalidArgument: the filter cannot be read.
    """
    tokens, position = [], 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if found is None:
            raise InvalidArgument(f"Invalid filter: {text!r}, at character {position + 1}.")
        tokens.append(found[1])
        position = found.end()
    parser = _Parser(tokens, text, identity)
    test = parser.disjunction()
    if parser.left:
        raise InvalidArgument(f"Invalid filter: {text!r}, {parser.left[0]!r} was not expected.")
    return test


class _Parser:
    def __init__(self, tokens: list[str], text: str, identity: str) -> None:
        self.left = tokens
        self._text = text
        self._identity = identity

    def _take(self) -> str:
        if not self.left:
            raise InvalidArgument(f"Invalid filter: {self._text!r} ends too early.")
        return self.left.pop(0)

    def _next_is(self, *tokens: str) -> bool:
        return bool(self.left) and self.left[0] in tokens

    def disjunction(self) -> Test:
        tests = [self._conjunction()]
        while self._next_is("OR"):
            self._take()
            tests.append(self._conjunction())
        return lambda item: any(test(item) for test in tests)

    def _conjunction(self) -> Test:
        tests = [self._factor()]
        while self.left and not self._next_is("OR", ")"):
            if self._next_is("AND"):
                self._take()
            tests.append(self._factor())
        return lambda item: all(test(item) for test in tests)

    def _factor(self) -> Test:
        if self._next_is("NOT", "-"):
            self._take()
            test = self._factor()
            return lambda item: not test(item)
        if self._next_is("("):
            self._take()
            test = self.disjunction()
            if self._take() != ")":
                raise InvalidArgument(f"Invalid filter: {self._text!r}, a bracket is not closed.")
            return test
        return self._comparison()

    def _comparison(self) -> Test:
        field, operator, value = _unquoted(self._take()), self._take(), _unquoted(self._take())
        identity = self._identity
        if operator == ":":
            if value != "*" and field.rpartition(".")[0] == "":  # `labels:key`
                return lambda item: value in (_value(item, field, identity) or {})
            if value == "*":
                return lambda item: _value(item, field, identity) is not None
            operator = "="
        compare = _COMPARE.get(operator)
        if compare is None:
            raise InvalidArgument(f"Invalid filter: {self._text!r}, {operator!r} is no comparison.")

        def test(item: Json) -> bool:
            found = _value(item, field, identity)
            return operator == "!=" if found is None else compare(str(found), value)

        return test


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token[:1] in "\"'" and len(token) > 1 else token


def _value(item: Json, field: str, identity: str) -> Any:
    if identity and field in (identity, f"{identity}_id"):
        return item["name"].rpartition("/")[2]
    head, _, rest = field.partition(".")
    found = item.get(camel(head))
    return found.get(rest) if rest and isinstance(found, dict) else found
