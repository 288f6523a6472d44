"""The trainer: the training of one recorded decision, as a Vertex AI custom job. The function `train` asks for it.

`python main.py PIPELINE DECISION PIPELINE_GENERATION ASKED_BY`
"""

import sys

from dropforge.contracts.errors import DropforgeError, Permanent
from dropforge.contracts.events import AlertRaised
from dropforge.contracts.settings import Settings
from dropforge.gcp import logs
from dropforge.gcp.services import Services
from dropforge.ml import handover

log = logs.logger("trainer")


def main(pipeline: str, decision: str, generation: str, asked_by: str) -> int:
    """Train, and announce the candidate; exit code 1, and so a failed job, where that did not come about."""
    services = Services(Settings.read())
    given = services.state, services.topics, services.clock
    try:
        candidate = handover.in_job(pipeline, decision, int(generation), asked_by, *given)
    except DropforgeError as error:
        log.critical(
            f"The training for {decision} failed: {error}", extra={"fields": {"error": logs.error_fields(error)}}
        )
        if isinstance(error, Permanent):
            said = f"The job for {decision} has no model: {error.message}"
            services.topics.publish(
                AlertRaised(
                    pipeline=pipeline, severity="error", code="training_failed", subject=decision, sentence=said
                )
            )
        return 1
    log.info(f"The job for {decision} made the candidate {candidate.candidate_id}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
