"""What the instances of `predict` saw of the requests during a canary, taken together."""

from dropforge.contracts import places
from dropforge.contracts.canary import Canary, Requests
from dropforge.contracts.latency import BUCKETS
from dropforge.core.ports import Objects


def merged(state: Objects, canary: Canary) -> Requests:
    """The sum over all instances; each overwrites its own object with ever higher counts, so none counts twice."""
    answered: dict[str, list[int]] = {}
    failed = 0
    for info in state.list(places.canary_requests(canary.pipeline, canary.candidate_id)):
        one = Requests.model_validate_json(state.read(info.name)[0])
        failed += one.failed
        for version, counts in one.answered.items():
            so_far = answered.setdefault(version, [0] * BUCKETS)
            answered[version] = [before + more for before, more in zip(so_far, counts, strict=True)]
    return Requests(answered=answered, failed=failed)
