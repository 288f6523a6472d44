"""A lease with a fencing token: at most one run of a step at a time, never stuck after a crash.

The token is the generation of the lease object, so it grows with every holder; a write that must not come from a
holder that was overtaken passes it along (Kleppmann, "How to do distributed locking", 2016).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from dropforge.contracts.errors import GenerationMismatch, LeaseHeld, NotFound, ServiceUnavailable
from dropforge.core.ports import Clock, Objects

RENEWED_SECONDS = 600.0


@contextmanager
def held(objects: Objects, name: str, holder: str, seconds: float, clock: Clock) -> Iterator[int]:
    """Hold the lease `name` for at most `seconds`; yields the fencing token.

    The same `holder` that comes back takes its own lease over. Released at the end, or when time is up.

    Raises:
        LeaseHeld: another holder has it and its time is not up.
    """
    token = _take(objects, name, holder, seconds, clock)
    try:
        yield token
    finally:
        _release(objects, name, holder, token)


def hand_over(objects: Objects, name: str, to: str, seconds: float, token: int, clock: Clock) -> int:
    """Give a lease that is held by `token` to another holder, for at most `seconds`; returns the new token.

    Raises:
        LeaseHeld: `token` is not the lease's any more.
    """
    try:
        return objects.replace(name, _body(to, seconds, clock), token)
    except GenerationMismatch as error:
        raise LeaseHeld(f"{name} was taken by another meanwhile.", lease=name) from error


@dataclass
class Kept:
    """A lease that is renewed; `lost` once another has taken it."""

    token: int
    lost: bool = False


@contextmanager
def renewed(objects: Objects, name: str, holder: str, clock: Clock, seconds: float = RENEWED_SECONDS) -> Iterator[Kept]:
    """Hold a lease for as long as the block lasts, however long, and no longer than `seconds` after a crash in it.

    Raises:
        LeaseHeld: another holder has it.
    """
    kept, done = Kept(_take(objects, name, holder, seconds, clock)), Event()

    def renew() -> None:
        while not done.wait(seconds / 4):
            try:
                kept.token = objects.replace(name, _body(holder, seconds, clock), kept.token)
            except GenerationMismatch:
                kept.lost = True
                return
            except ServiceUnavailable:
                continue  # three more tries before it runs out

    thread = Thread(target=renew, name=f"renew {name}", daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        done.set()
        thread.join()
        _release(objects, name, holder, kept.token)


def still_held(objects: Objects, name: str, token: int) -> bool:
    """Whether nobody has taken the lease over since `token` was given."""
    try:
        return objects.stat(name).generation == token
    except NotFound:
        return False


def holder(objects: Objects, name: str, clock: Clock) -> tuple[str, float] | None:
    """Who holds the lease now, and until when (seconds since the epoch); None when it is free."""
    return holder_at(objects, name, clock.now())


def holder_at(objects: Objects, name: str, moment: float) -> tuple[str, float] | None:
    """As `holder`, at a moment in seconds since the epoch, as far as the lease is known now."""
    try:
        present = json.loads(objects.read(name)[0])
    except NotFound:
        return None
    held_now = present["holder"] is not None and present["until"] > moment
    return (present["holder"], present["until"]) if held_now else None


def _take(objects: Objects, name: str, holder: str, seconds: float, clock: Clock) -> int:
    try:
        content, generation = objects.read(name)
        present = json.loads(content)
    except NotFound:
        generation, present = 0, {"holder": None, "until": 0}
    if present["holder"] not in (None, holder) and present["until"] > clock.now():
        left = present["until"] - clock.now()
        raise LeaseHeld(f"{name} is held by {present['holder']} for {left:.0f} s more.", lease=name)
    try:
        return objects.replace(name, _body(holder, seconds, clock), generation)
    except GenerationMismatch as error:
        raise LeaseHeld(f"{name} was taken by another at the same moment.", lease=name) from error


def _body(holder: str, seconds: float, clock: Clock) -> bytes:
    return json.dumps({"holder": holder, "until": clock.now() + seconds}).encode()


def _release(objects: Objects, name: str, holder: str, token: int) -> None:
    body = json.dumps({"holder": None, "until": 0, "released_by": holder}).encode()
    try:
        objects.replace(name, body, token)
    except GenerationMismatch:
        return  # its time was up and another has it: there is nothing of ours to release
