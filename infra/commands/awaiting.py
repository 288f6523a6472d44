"""Waiting for the functions: from a batch that was announced to its verdict."""

import time
from collections.abc import Callable, Iterable

from dropforge.contracts.batch import Batch
from dropforge.contracts.errors import ServiceUnavailable
from dropforge.contracts.verdicts import BatchVerdict
from dropforge.core.ports import Objects
from infra.local.follow import Followed

PATIENCE = 300.0  # seconds, as long as the function that gives the verdict may take
_PAUSES = (0.05, 1.0)  # seconds between two looks, the first and the longest


def until(true: Callable[[], bool], patience: float) -> bool:
    """Look again and again, less and less often; whether it came true within `patience` seconds."""
    deadline, (pause, longest) = time.monotonic() + patience, _PAUSES
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, longest)
    return True


def verdicts(batches: Iterable[Batch], state: Objects, patience: float = PATIENCE) -> list[BatchVerdict]:
    """The verdict on each batch, once all are there.

    Raises:
        ServiceUnavailable: one did not come; what was announced is still delivered, and the same command finds it.
    """
    followed = [Followed(batch) for batch in batches]

    def look() -> bool:
        for one in followed:
            one.look(state)
        return all(one.verdict for one in followed)

    if not until(look, patience):
        missing = ", ".join(
            f"{one.batch.pipeline}/{one.batch.table} {one.batch.batch_id}" for one in followed if not one.verdict
        )
        raise ServiceUnavailable(
            f"Expected a verdict on {missing} within {patience:.0f} s. Found none: see the log of the function "
            "validate. What was announced is still delivered, and the same command finds what came of it."
        )
    return [one.verdict for one in followed if one.verdict]
