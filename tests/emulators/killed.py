"""`kill -9` of an emulator amid many writes."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from tests.emulators.launch import Emulator


def write_until_killed[Said](
    emulator: Emulator, write: Callable[[Emulator, int], Said | None], numbers: range, moment: float
) -> dict[int, Said]:
    """What was said to each write that was acknowledged; the kill comes `moment` seconds after the first has ended.

    `write` makes the write of a number, and returns something true if it was acknowledged before the emulator died.
    """
    begun = Event()

    def kill() -> None:
        begun.wait(60)
        time.sleep(moment)
        emulator.process.kill()

    def write_one(number: int) -> Said | None:
        said = write(emulator, number)
        begun.set()
        return said

    with ThreadPoolExecutor(5) as pool:
        pool.submit(kill)
        done = list(pool.map(write_one, numbers))
    return {number: said for number, said in zip(numbers, done, strict=True) if said}
