"""From chunks of UTF-8 to blocks of physical lines, numbered from 1; a line too long is passed over in chunks."""

from collections.abc import Callable, Iterable, Iterator

from dropforge.core.reading.limits import Limits

TooLong = Callable[[int, bytes, int], None]


def blocks(chunks: Iterable[bytes], limits: Limits, too_long: TooLong) -> Iterator[tuple[int, list[bytes]]]:
    """Blocks of lines without their ends (LF, CRLF; CR in a file without LF), each with the number of its first line.

    `too_long` is told the number, the beginning and the size in bytes of each line beyond `limits.record`.
    """
    number, rest, skipped, kept = 1, b"", 0, b""
    for chunk in _line_feeds(chunks):
        content = rest + chunk
        end = content.rfind(b"\n") + 1
        rest = content[end:]
        if end:
            lines = content[: end - 1].split(b"\n")
            if skipped:
                too_long(number, kept, skipped + len(lines[0]))
                number, skipped, lines = number + 1, 0, lines[1:]
            yield from _within(number, lines, limits, too_long)
            number += len(lines)
        if len(rest) > limits.record:
            kept = kept if skipped else rest[: limits.reject_text]
            skipped, rest = skipped + len(rest), b""
    if skipped:
        too_long(number, kept, skipped + len(rest))
    elif rest:
        yield number, [rest]


def _within(first: int, lines: list[bytes], limits: Limits, too_long: TooLong) -> Iterator[tuple[int, list[bytes]]]:
    if not lines:
        return
    if max(map(len, lines)) <= limits.record:
        yield first, lines
        return
    for number, line in enumerate(lines, start=first):
        if len(line) > limits.record:
            too_long(number, line[: limits.reject_text], len(line))
        else:
            yield number, [line]


def _line_feeds(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks with every line ended by LF; a CR at a chunk's end waits for what follows."""
    held, only_cr = b"", None
    for chunk in chunks:
        content = held + chunk
        held = b""
        if b"\r" not in content:
            only_cr = False if only_cr is None and b"\n" in content else only_cr
            yield content
            continue
        if content.endswith(b"\r"):
            content, held = content[:-1], b"\r"
        if only_cr is None and (b"\r" in content or b"\n" in content):
            only_cr = b"\n" not in content
        yield content.replace(b"\r", b"\n") if only_cr else content.replace(b"\r\n", b"\n")
    if held:
        yield b"\n"
