"""A process that makes a whole training: `python -m tests.gcp.whole_training NAME HELD BATCH...`.

Trains on those batches, prints `trained CANDIDATE`, waits for a line on its standard input, has the candidate judged
and published, again after each transient error as Pub/Sub would deliver it again, and prints `settled STATUS`. HELD is
`held` where the publication takes its lease, `overtaken` where it believes that it has it.
"""

import sys
import time

from dropforge.contracts.errors import Transient
from dropforge.contracts.events import ModelTrained
from dropforge.contracts.models import Candidate
from dropforge.contracts.settings import Settings
from dropforge.contracts.verdicts import ModelVerdict
from dropforge.core import pipelines, verdicts
from dropforge.gcp.services import Services
from dropforge.ml import publishing, trigger
from functions.publish import steps


def main(name: str, held: str, *batches: str) -> None:
    """Train, wait, publish."""
    services = Services(Settings.read())
    candidate = train(services, name, set(batches))
    print(f"trained {candidate.candidate_id}", flush=True)
    sys.stdin.readline()
    until = time.monotonic() + 90
    while True:
        try:
            verdict = publish(services, candidate, f"{name}'s delivery", held == "held")
            break
        except Transient:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
    print(f"settled {verdict.status}", flush=True)


def train(services: Services, name: str, batches: set[str]) -> Candidate:
    """A training as `train` carries it out, by one that believes that it holds the lease."""
    state, clock = services.state, services.clock
    pipeline, generation = pipelines.load(state, "shop")
    known = [line for line in trigger.accepted(state, pipeline) if line.batch.batch_id in batches]
    made = trigger.decision(state, pipeline, name, clock, True, "a test wants it", 0, known)
    candidate = trigger.candidate_of(made, pipeline, generation, state, clock, name)
    trigger.announce(candidate, services.topics)
    return candidate


def publish(services: Services, candidate: Candidate, delivery: str, held: bool) -> ModelVerdict:
    """One delivery of `model.trained`."""
    state, platform, clock = services.state, services.platform, services.clock
    if not held:
        return publishing.settle(pipelines.load(state, "shop")[0], candidate, state, platform, clock)
    event = ModelTrained(pipeline="shop", candidate_id=candidate.candidate_id)
    steps.on_trained(event, delivery, state, services.topics, platform, clock)
    found = verdicts.known(state, "shop", candidate.candidate_id)
    assert found is not None
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
