"""A step that dies between any two of its calls to the world."""

from collections.abc import Callable, Iterator
from typing import Any


class Crash(BaseException):
    """The process was killed. Not an Exception: nothing may catch it and carry on."""


class Fuse:
    """Counts calls of all the ports that share it, and kills at one of them: before its effect, or right after."""

    def __init__(self, at: int | None = None, after: bool = False) -> None:
        self.at = at
        self.after = after
        self.calls = 0

    def around(self, call: Callable[[], Any]) -> Any:
        """Make one call, or die at it."""
        self.calls += 1
        mine = self.calls
        if mine == self.at and not self.after:
            raise Crash
        try:
            return call()
        finally:
            if mine == self.at:
                raise Crash


class Mortal:
    """A port whose every call goes past a fuse."""

    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port = port
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found
        return lambda *given, **named: self._fuse.around(lambda: found(*given, **named))


def every_crash(run: Callable[[Fuse], None]) -> Iterator[Fuse]:
    """Fuses for a crash before and after each call that `run` makes when nothing goes wrong."""
    whole = Fuse()
    run(whole)
    assert whole.calls > 0
    for at in range(1, whole.calls + 1):
        yield Fuse(at, after=False)
        yield Fuse(at, after=True)
