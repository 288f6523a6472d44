"""The champion pointer as a publication sets it."""

from datetime import UTC, datetime

from dropforge.contracts.models import Candidate, Champion
from dropforge.contracts.verdicts import ModelVerdict
from dropforge.core.ports import Clock, Deployed


def crowned(candidate: Candidate, deployed: Deployed, verdict: ModelVerdict, by: str, clock: Clock) -> Champion:
    """What the pointer says once a candidate is published, with what the judge found as the reason."""
    return Champion(
        pipeline=candidate.pipeline,
        candidate_id=candidate.candidate_id,
        version=deployed.version,
        model=deployed.model,
        endpoint=deployed.endpoint,
        deployed_model_id=deployed.deployed_model_id,
        artefact_sha256=candidate.artefact_sha256,
        trained_until=candidate.lineage.train_until,
        published=datetime.fromtimestamp(clock.now(), UTC).isoformat(),
        published_by=by,
        reason=" ".join(reason.sentence for reason in verdict.reasons),
        replaced=verdict.champion_id,
    )
