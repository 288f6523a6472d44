"""Subscription filters: expressions over a message's attributes (https://cloud.google.com/pubsub/docs/filtering).

filter     = term { "AND" term } | term { "OR" term }      the two only mix with parentheses
term       = [ "NOT" | "-" ] factor
factor     = "(" filter ")" | "attributes" ":" key | "attributes" "." key ( "=" | "!=" ) string
           | "hasPrefix" "(" "attributes" "." key "," string ")"
"""

import re
from collections.abc import Callable, Mapping

from emulators.pubsub.errors import ServiceError, invalid, too_large

Matcher = Callable[[Mapping[str, str]], bool]

MAX_BYTES = 256

_TOKEN = re.compile(r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_][A-Za-z0-9_\-]*)|(?P<sign>!=|[=:.,()\-]))')
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[0-7]{3}|.)", re.DOTALL)


def compile_filter(text: str) -> Matcher:
    """What decides whether a message with these attributes is delivered; an empty filter lets all through.

    Raises:
        ServiceError: INVALID_ARGUMENT that names the place and what was expected there.
    """
    if not text.strip():
        return _everything
    if len(text.encode()) > MAX_BYTES:
        raise too_large("filter_bytes", len(text.encode()), MAX_BYTES)
    return _Parser(text).parse()


def _everything(_attributes: Mapping[str, str]) -> bool:
    return True


class _Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, int]] = []
        self._next = 0
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._error("a word, a double-quoted string or an operator", at)
            self._tokens.append((found[0].strip(), found.end() - len(found[0].strip())))
            at = found.end()

    def parse(self) -> Matcher:
        matcher = self._filter()
        if self._peek():
            raise self._error("the end, or AND or OR (which mix with parentheses only)")
        return matcher

    def _filter(self) -> Matcher:
        terms = [self._term()]
        operator = self._peek()
        if operator in ("AND", "OR"):
            while self._peek() == operator:
                self._next += 1
                terms.append(self._term())
        if len(terms) == 1:
            return terms[0]
        combine = all if operator == "AND" else any
        return lambda attributes: combine(term(attributes) for term in terms)

    def _term(self) -> Matcher:
        if self._peek() in ("NOT", "-"):
            self._next += 1
            factor = self._factor()
            return lambda attributes: not factor(attributes)
        return self._factor()

    def _factor(self) -> Matcher:
        start = self._peek()
        if start == "(":
            self._next += 1
            inner = self._filter()
            self._expect(")")
            return inner
        if start == "hasPrefix":
            self._next += 1
            self._expect("(")
            self._expect("attributes")
            self._expect(".")
            key = self._key()
            self._expect(",")
            prefix = self._string()
            self._expect(")")
            return lambda attributes: key in attributes and attributes[key].startswith(prefix)
        self._expect("attributes", "'attributes', 'hasPrefix', 'NOT' or '('")
        if self._peek() == ":":
            self._next += 1
            key = self._key()
            return lambda attributes: key in attributes
        self._expect(".", "':' or '.'")
        key = self._key()
        if self._peek() == "!=":
            self._next += 1
            unwanted = self._string()
            return lambda attributes: key in attributes and attributes[key] != unwanted
        self._expect("=", "'=' or '!='")
        wanted = self._string()
        return lambda attributes: attributes.get(key) == wanted

    def _peek(self) -> str:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else ""

    def _expect(self, token: str, described: str = "") -> None:
        if self._peek() != token:
            raise self._error(described or f"{token!r}")
        self._next += 1

    def _key(self) -> str:
        token = self._peek()
        if token.startswith('"'):
            return self._string()
        if not (token and (token[0].isalpha() or token[0] == "_")):
            raise self._error("an attribute key")
        self._next += 1
        return token

    def _string(self) -> str:
        token = self._peek()
        if not token.startswith('"'):
            raise self._error("a double-quoted string")
        self._next += 1
        return _ESCAPE.sub(_unescape, token[1:-1])

    def _error(self, expected: str, at: int | None = None) -> ServiceError:
        if at is None:
            at = self._tokens[self._next][1] if self._next < len(self._tokens) else len(self._text)
        found = repr(self._text[at : at + 20].strip()) if self._text[at:].strip() else "the end"
        return invalid(f"Invalid filter {self._text!r}: expected {expected} at character {at}, found {found}.")


def _unescape(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) > 1 and code[0] in "ux":
        return chr(int(code[1:], 16))
    if len(code) == 3:
        return chr(int(code, 8))
    return {"n": "\n", "t": "\t", "r": "\r"}.get(code, code)
