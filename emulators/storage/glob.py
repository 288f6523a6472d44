"""The glob patterns of `matchGlob`: https://cloud.google.com/storage/docs/json_api/v1/objects/list#list-objects-and-prefixes-using-glob"""

import re

from emulators.storage.errors import invalid


def compiled(pattern: str) -> re.Pattern[str] | None:
    """A regular expression for a whole object name; None for no pattern.

    `*` and `?` do not match `/`, `**` does, `[a-z]` is a class, `{a,b}` one of several.

    Raises:
        StorageError: 400, an unclosed bracket or brace.
    """
    if not pattern:
        return None
    return re.compile(_translated(pattern), re.DOTALL)


def _translated(pattern: str) -> str:
    out: list[str] = []
    place = 0
    depth = 0
    while place < len(pattern):
        letter = pattern[place]
        place += 1
        if letter == "*":
            if pattern[place : place + 1] == "*":
                place += 1
                if pattern[place : place + 1] == "/":  # "**/" also matches no folder at all
                    place += 1
                    out.append("(?:.*/)?")
                else:
                    out.append(".*")
            else:
                out.append("[^/]*")
        elif letter == "?":
            out.append("[^/]")
        elif letter == "[":
            close = pattern.find("]", place + 1)
            if close < 0:
                raise invalid(f"'matchGlob' has an unclosed '[' at {place - 1}: {pattern!r}.")
            inner = pattern[place:close].replace("\\", "\\\\").replace("[", "\\[")
            out.append(f"[{'^' + inner[1:] if inner[0] in '!^' else inner}]")
            place = close + 1
        elif letter == "{":
            depth += 1
            out.append("(?:")
        elif letter == "}" and depth:
            depth -= 1
            out.append(")")
        elif letter == "," and depth:
            out.append("|")
        elif letter == "\\" and place < len(pattern):
            out.append(re.escape(pattern[place]))
            place += 1
        else:
            out.append(re.escape(letter))
    if depth:
        raise invalid(f"'matchGlob' has an unclosed '{{': {pattern!r}.")
    return "".join(out)
