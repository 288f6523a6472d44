"""Quotas: none are enforced until somebody sets them, for a laptop has other limits than a project.

https://cloud.google.com/vertex-ai/docs/quotas has the service's own, which differ by project and region. They are set
by DROPFORGE_VERTEX_QUOTAS (`online_prediction_requests=600,custom_model_serving_cpus=8`), and by the control plane's
`POST /_emulator/quotas` with the same names. Requests are counted by the minute of the emulator's clock.
"""

import os
import re
from collections import defaultdict
from collections.abc import Mapping

from emulators.clock import Clock
from emulators.vertex.errors import InvalidArgument, ResourceExhausted
from emulators.vertex.machines import cpus, machine_type, replica_counts
from emulators.vertex.names import Target
from emulators.vertex.schema import Json

VARIABLE = "DROPFORGE_VERTEX_QUOTAS"
SERVICE = "aiplatform.googleapis.com"
SERVING, TRAINING = "custom_model_serving_cpus", "custom_model_training_cpus"
PREDICTIONS, EXPLANATIONS = "online_prediction_requests", "online_explanation_requests"
SUBMISSIONS, MANAGEMENT = "job_submission_requests", "resource_management_requests"
NAMES = (PREDICTIONS, EXPLANATIONS, SUBMISSIONS, MANAGEMENT, SERVING, TRAINING)
_ASKING = {
    "aiplatform.endpoints.predict": PREDICTIONS,
    "aiplatform.endpoints.rawPredict": PREDICTIONS,
    "aiplatform.endpoints.explain": EXPLANATIONS,
}
_SUBMITTING = re.compile(
    r"aiplatform\.(\w+Jobs|trainingPipelines)\.create|aiplatform\.\w+\.(upload|deployModel|\w*import)"
)


def metric_of(call: str) -> str | None:
    """The quota that a call counts against; asking how an operation stands counts against none."""
    if call.startswith("aiplatform.operations."):
        return None
    return _ASKING.get(call) or (SUBMISSIONS if _SUBMITTING.fullmatch(call) else MANAGEMENT)


def read_limits(given: Mapping[str, object]) -> dict[str, int]:
    """Limits by name.

    Raises:
        ValueError: a name is not known, or a limit no whole number of 0 or more.
    """
    for name, limit in given.items():
        if name not in NAMES:
            raise ValueError(f"Expected a quota of {', '.join(NAMES)}. Got {name!r}.")
        if not str(limit).isdigit():
            raise ValueError(f"Expected a whole number of 0 or more as the quota {name}. Got {limit!r}.")
    return {name: int(str(limit)) for name, limit in given.items()}


class Quotas:
    """The limits that hold, and what was used of them. Each holds for one project in one location."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        pairs = (pair.partition("=") for pair in os.environ.get(VARIABLE, "").split(",") if pair.strip())
        self._first = read_limits({name.strip(): limit.strip() for name, _, limit in pairs})
        self.limits = dict(self._first)
        self._minute = 0
        self._used: dict[tuple[str, str], int] = defaultdict(int)

    def set(self, given: Mapping[str, object]) -> None:
        """Set further limits, in place of those of the same names. Raises ValueError as `read_limits`."""
        self.limits |= read_limits(given)

    def reset(self) -> None:
        """The limits of the start, and nothing used."""
        self.limits = dict(self._first)
        self._used.clear()

    def take(self, target: Target) -> None:
        """Count one call.

        Raises:
            ResourceExhausted: there were as many in this minute as the quota allows.
        """
        metric = metric_of(target.method)
        limit = self.limits.get(metric or "")
        if metric is None or limit is None:
            return
        minute = int(self._clock.now() // 60)
        if minute != self._minute:
            self._minute = minute
            self._used.clear()
        place = "/".join(target.name.split("/")[:4])
        if self._used[metric, place] >= limit:
            raise _exceeded(metric, limit, place)
        self._used[metric, place] += 1

    def check(self, metric: str, wanted: int, location: str) -> None:
        """Refuse what would use more of a quota than there is.

        Raises:
            ResourceExhausted: `wanted`, all that is used and what is asked for together, exceeds it.
        """
        limit = self.limits.get(metric)
        if limit is not None and wanted > limit:
            raise ResourceExhausted(
                f"The following quota metrics exceed quota limits: {SERVICE}/{metric} "
                f"(expected at most {limit} in {location.rpartition('/')[2]}, got {wanted})",
                details=[_error_info(metric, limit, location)],
            )


def _exceeded(metric: str, limit: int, location: str) -> ResourceExhausted:
    title = metric.replace("_", " ").capitalize()
    return ResourceExhausted(
        f"Quota exceeded for quota metric '{title}' and limit '{title} per minute per region' of service '{SERVICE}' "
        f"for consumer 'project_number:{location.split('/')[1]}'.",
        details=[_error_info(metric, limit, location)],
    )


def _error_info(metric: str, limit: int, location: str) -> Json:
    project, place = location.split("/")[1::2]
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "RATE_LIMIT_EXCEEDED",
        "domain": "googleapis.com",
        "metadata": {
            "service": SERVICE,
            "consumer": f"projects/{project}",
            "quota_metric": f"{SERVICE}/{metric}",
            "quota_location": place,
            "quota_limit_value": str(limit),
        },
    }


def serving_cpus(resources: Json) -> int:
    """The CPUs that a deployed model is charged for: those of its replicas at most, whether they run or not."""
    _, most = replica_counts(resources)
    return most * cpus(machine_type(resources))


def training_cpus(spec: Json) -> int:
    """The CPUs that a job's worker pools have together.

    Raises:
        InvalidArgument: a pool has a number of replicas that is none.
    """
    pools = [pool for pool in spec.get("workerPoolSpecs", []) if pool]
    counts = [int(pool.get("replicaCount", 1)) for pool in pools]
    if any(count < 1 for count in counts):
        raise InvalidArgument(f"Expected WorkerPoolSpec.replica_count >= 1. Got {counts}.")
    return sum(count * cpus(machine_type(pool)) for count, pool in zip(counts, pools, strict=True))
