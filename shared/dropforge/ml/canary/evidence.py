"""What speaks for and against a canary: how its requests went, and the labels that came since.

The requests are those of `predict`, which counts them by the version that answered. A try that brought no answer names
no version, so all of them are held against the canary: beside a champion that served without them, that is where they
come from, and if not, a publication in the middle of a disturbance is better put off. Why so: see
docs/decisions/0023-a-canary-is-a-state-beside-the-champion-pointer.md.
"""

from dataclasses import dataclass, field

from scipy.special import bdtrc

from dropforge.contracts.canary import Canary, Requests
from dropforge.contracts.latency import BUCKETS, bound, quantile
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import Deployment, Pipeline
from dropforge.contracts.verdicts import Reason
from dropforge.core import canary as canaries
from dropforge.core.ports import Objects
from dropforge.ml.canary import accuracy
from dropforge.ml.paired import CONFIDENCE

# Of either version; with fewer, a 95th percentile is one or two requests.
LEAST_REQUESTS = 100
_USUAL = 0.95


@dataclass
class Seen:
    """`reasons` is all that was seen, `against` what of it ends the canary; `requests` how many it answered."""

    requests: int = 0
    reasons: list[Reason] = field(default_factory=list)
    against: list[Reason] = field(default_factory=list)

    def note(self, reason: Reason, bad: bool) -> None:
        """Add one thing that was seen."""
        self.reasons.append(reason)
        if bad:
            self.against.append(reason)


def gather(pipeline: Pipeline, candidate: Candidate, canary: Canary, state: Objects) -> Seen:
    """Look at everything there is now."""
    requests = canaries.merged(state, canary)
    seen = Seen(sum(requests.answered.get(canary.version, [])))
    _errors(pipeline.deployment, canary, requests, seen)
    _slowness(pipeline.deployment, canary, requests, seen)
    for reason, bad in accuracy.since(pipeline, candidate, canary, state):
        seen.note(reason, bad)
    return seen


def _errors(rules: Deployment, canary: Canary, requests: Requests, seen: Seen) -> None:
    tries = seen.requests + requests.failed
    chance = float(bdtrc(requests.failed - 1, tries, rules.max_errors)) if requests.failed else 1.0
    bad = chance < 1 - CONFIDENCE
    said = f"Of {tries:,} requests {requests.failed:,} brought no answer; allowed are {rules.max_errors:.1%}."
    observed = requests.failed / tries if tries else 0.0
    seen.note(_reason("canary_errors", canary, observed, rules.max_errors, said), bad)


def _slowness(rules: Deployment, canary: Canary, requests: Requests, seen: Seen) -> None:
    """More than one in twenty beyond what nineteen in twenty of the champion's stay below, times `max_slowdown`."""
    champions = requests.answered.get(canary.champion_version, [0] * BUCKETS)
    its = requests.answered.get(canary.version, [0] * BUCKETS)
    if min(sum(champions), sum(its)) < LEAST_REQUESTS:
        said = (
            f"Its speed is not judged: it answered {sum(its):,} requests and the champion {sum(champions):,}, and "
            f"{LEAST_REQUESTS} of each are needed."
        )
        seen.note(_reason("canary_speed_unknown", canary, sum(its), LEAST_REQUESTS, said), bad=False)
        return
    usual = bound(quantile(champions, _USUAL))
    limit = rules.max_slowdown * usual
    slow = sum(count for index, count in enumerate(its) if index and bound(index - 1) >= limit)
    bad = float(bdtrc(slow - 1, sum(its), 1 - _USUAL)) < 1 - CONFIDENCE if slow else False
    said = (
        f"{slow:,} of {sum(its):,} requests took it longer than {limit * 1000:.1f} ms, {rules.max_slowdown:g} times "
        f"what {_USUAL:.0%} of the champion's stay below."
    )
    seen.note(_reason("canary_slow" if bad else "canary_speed", canary, slow, limit, said), bad)


def _reason(code: str, canary: Canary, observed: object, expected: object, sentence: str) -> Reason:
    return Reason(code=code, subject=canary.candidate_id, observed=observed, expected=expected, sentence=sentence)
