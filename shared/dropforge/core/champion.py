"""The champion pointer: what shall serve. It is set by compare-and-set, and everything else is made to follow it.

The pointer is the commit. Traffic, history and what is undeployed are consequences that `follow` brings about; after a
crash it is called again and ends in the same state. So two publications at once cannot leave the endpoint on one model
and the pointer on another, as they could if each moved the traffic first.
"""

from dropforge.contracts import places
from dropforge.contracts.models import Champion
from dropforge.core import canary, history
from dropforge.core.ports import Deployed, Objects, Platform
from dropforge.core.state import load


def current(state: Objects, pipeline: str) -> tuple[Champion | None, int]:
    """The champion and the generation of its pointer; (None, 0) before the first publication."""
    return load(state, places.champion(pipeline), Champion) or (None, 0)


def crown(state: Objects, champion: Champion, generation: int) -> int:
    """Point to `champion` if the pointer is still at `generation`; returns its new one.

    Before the old pointer is lost, its entry in the history is made sure of.

    Raises:
        GenerationMismatch: another moved the pointer.
    """
    before, found = current(state, champion.pipeline)
    if before is not None and found == generation:
        history.record(state, before, found)
    place = places.champion(champion.pipeline)
    return state.replace(place, champion.model_dump_json(indent=1).encode(), generation)


def follow(state: Objects, platform: Platform, pipeline: str) -> Champion | None:
    """Make history and endpoint agree with the pointer, and with the canary beside it; returns the champion."""
    while True:
        champion, generation = current(state, pipeline)
        if champion is None:
            return None
        history.record(state, champion, generation)
        beside, its_generation = canary.current(state, pipeline)
        if beside and beside.baking and beside.champion_generation != generation:
            canary.close(state, beside, its_generation, champion.candidate_id)
            continue
        deployed = platform.deploy(pipeline, champion.model, champion.version)
        if beside and beside.baking:
            platform.share(deployed, platform.deploy(pipeline, beside.model, beside.version), beside.share)
        else:
            platform.serve(deployed)
            platform.retire(deployed)
        if (current(state, pipeline)[1], canary.current(state, pipeline)[1]) == (generation, its_generation):
            return champion


def deployed_as(champion: Champion) -> Deployed:
    """What registry and endpoint hold of a champion."""
    return Deployed(champion.model, champion.version, champion.endpoint, champion.deployed_model_id)
