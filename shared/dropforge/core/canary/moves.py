"""The state of a canary, and the record of every state that it was in."""

from collections.abc import Iterator

from dropforge.contracts import places
from dropforge.contracts.canary import Canary, Status
from dropforge.core.ports import Objects
from dropforge.core.state import create_once, load


def current(state: Objects, pipeline: str) -> tuple[Canary | None, int]:
    """The last canary, under way or ended, and the generation of its object; (None, 0) before the first."""
    return load(state, places.canary(pipeline), Canary) or (None, 0)


def running(state: Objects, pipeline: str, champion_generation: int) -> Canary | None:
    """The canary that is under way beside this generation of the champion pointer."""
    found, _ = current(state, pipeline)
    return found if found and found.baking and found.champion_generation == champion_generation else None


def put(state: Objects, canary: Canary, generation: int) -> int:
    """Write over exactly `generation` (0: nothing); returns the new one. The old state is recorded before it is lost.

    Raises:
        GenerationMismatch: another wrote meanwhile.
    """
    before, found = current(state, canary.pipeline)
    if before is not None and found == generation:
        record(state, before, found)
    written = state.replace(places.canary(canary.pipeline), canary.model_dump_json(indent=1).encode(), generation)
    record(state, canary, written)
    return written


def close(state: Objects, canary: Canary, generation: int, champion_id: str) -> None:
    """End a canary beside which the champion pointer has moved: it is the champion itself, or was overtaken."""
    status: Status = "passed" if champion_id == canary.candidate_id else "overtaken"
    put(state, canary.model_copy(update={"status": status}), generation)


def record(state: Objects, canary: Canary, generation: int) -> None:
    """Ensure that a state is on record, under the generation that it had."""
    create_once(state, places.canary_moves(canary.pipeline, f"{generation:020d}.json"), canary)


def moves(state: Objects, pipeline: str) -> Iterator[Canary]:
    """Every state that the pipeline's canaries were in, the first one first."""
    for info in state.list(places.canary_moves(pipeline)):
        yield Canary.model_validate_json(state.read(info.name)[0])
