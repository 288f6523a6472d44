"""Back to a version that served before, or not on to another: at once, and until a person says otherwise.

A rollback holds, and so does a stop, which leaves what serves: challengers are still trained and judged, and refused
with the reason `held`, so the next training does not silently undo it. `release` ends the hold, and the next candidate
is judged against what serves then.
"""

from datetime import UTC, datetime

from dropforge.contracts.errors import ActionRefused
from dropforge.contracts.models import Action, Champion, HistoryEntry
from dropforge.core import canary, candidates, champion, history
from dropforge.core.ports import Clock, Objects, Platform


def rollback(
    pipeline: str, by: str, reason: str, state: Objects, platform: Platform, clock: Clock, to: str | None = None
) -> Champion:
    """Serve version `to` again, or the last one that served before the present one; returns what serves then.

    While a canary is under way, what served before it is the present champion: it takes all requests back, and holds.

    It may be repeated: where that version serves and is held already, only endpoint and history are made sure of. It
    waits for no training or publication; one that runs loses the pointer to it.

    Raises:
        ActionRefused: nothing serves, nothing served before, or `to` never served.
        GenerationMismatch: the champion moved at the same moment; look again before repeating.
    """
    now, generation = champion.current(state, pipeline)
    if now is None:
        raise ActionRefused(
            f"No version of {pipeline} serves yet, so there is nothing to roll back.", pipeline=pipeline
        )
    baking = canary.running(state, pipeline, generation) is not None
    target = _served(state, now, to) if to is not None else _before(state, now, baking)
    if not (now.held and now.version == target.version):
        champion.crown(state, _back_to(target, now, by, reason, state, platform, clock), generation)
    return champion.follow(state, platform, pipeline) or now


def stop(pipeline: str, version: str, by: str, reason: str, state: Objects, platform: Platform, clock: Clock) -> None:
    """Hold `version` where it serves, and end a canary beside it: nothing is published until it is released.

    It may be repeated: a stop for the same reason is made once, also where it was released since. Where another version
    serves, or this one is held already, nothing moves.

    Raises:
        GenerationMismatch: the champion moved at the same moment; look again before repeating.
    """
    now, generation = champion.current(state, pipeline)
    known = any((entry.action, entry.by, entry.reason) == ("stopped", by, reason) for entry in _past(state, pipeline))
    if now is not None and now.version == version and not (now.held or known):
        told = {**_told("stopped", by, reason, clock), "held": True, "replaced": None}
        champion.crown(state, now.model_copy(update=told), generation)
    champion.follow(state, platform, pipeline)


def release(pipeline: str, by: str, reason: str, state: Objects, clock: Clock) -> Champion:
    """End the hold of a rollback or a stop; what serves stays. Where there is no hold, nothing happens.

    Raises:
        ActionRefused: nothing serves.
        GenerationMismatch: the champion moved at the same moment; look again before repeating.
    """
    now, generation = champion.current(state, pipeline)
    if now is None:
        raise ActionRefused(f"No version of {pipeline} serves yet, so none is held.", pipeline=pipeline)
    if not now.held:
        return now
    free = now.model_copy(update={**_told("released", by, reason, clock), "held": False, "replaced": None})
    history.record(state, free, champion.crown(state, free, generation))
    return free


def _before(state: Objects, now: Champion, baking: bool) -> HistoryEntry:
    """What served before the present version; beside a canary, or of one that was gone back to, that version itself."""
    past = _past(state, now.pipeline)
    if (now.held and now.action == "rolled_back") or baking:
        return next(entry for entry in reversed(past) if entry.candidate_id == now.candidate_id)
    for entry in reversed(past):
        if entry.candidate_id != now.candidate_id:
            return entry
    raise ActionRefused(
        f"Version {now.version} of {now.pipeline} is the first that served: there is none to go back to.",
        pipeline=now.pipeline,
    )


def _past(state: Objects, pipeline: str) -> list[HistoryEntry]:
    return list(history.entries(state, pipeline))


def _served(state: Objects, now: Champion, version: str) -> HistoryEntry:
    past = _past(state, now.pipeline)
    for entry in reversed(past):
        if entry.version == version:
            return entry
    known = ", ".join(sorted({entry.version for entry in past}, key=int))
    raise ActionRefused(
        f"Version {version!r} of {now.pipeline} never served. Those that did: {known}.", pipeline=now.pipeline
    )


def _back_to(
    target: HistoryEntry, now: Champion, by: str, reason: str, state: Objects, platform: Platform, clock: Clock
) -> Champion:
    candidate = candidates.find(state, now.pipeline, target.candidate_id)
    if candidate is None:
        raise ActionRefused(
            f"The candidate {target.candidate_id} of version {target.version} is gone from gs://{state.bucket}.",
            pipeline=now.pipeline,
        )
    deployed = platform.deploy(now.pipeline, now.model, target.version)
    return Champion(
        pipeline=now.pipeline,
        candidate_id=candidate.candidate_id,
        version=target.version,
        model=deployed.model,
        endpoint=deployed.endpoint,
        deployed_model_id=deployed.deployed_model_id,
        artefact_sha256=candidate.artefact_sha256,
        trained_until=candidate.lineage.train_until,
        replaced=now.candidate_id,
        held=True,
        **_told("rolled_back", by, reason, clock),
    )


def _told(action: Action, by: str, reason: str, clock: Clock) -> dict[str, str]:
    """Who did what and why, as the pointer and the history tell it."""
    at = datetime.fromtimestamp(clock.now(), UTC).isoformat()
    return {"action": action, "published": at, "published_by": by, "reason": reason}
