"""What a server may take for a candidate: bytes and time, the latter measured on the real one, by the holdout rows.

Champion and challenger are asked in turn, so that whatever else the machine does meets both of them.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from scipy.special import bdtrc

from dropforge.contracts import places
from dropforge.contracts.errors import ServiceUnavailable
from dropforge.contracts.models import Candidate, Champion
from dropforge.contracts.pipeline import Deployment, Pipeline
from dropforge.contracts.verdicts import Reason
from dropforge.core import champion
from dropforge.core.ports import Deployed, Objects, Platform
from dropforge.ml.judgement import Judgement
from dropforge.ml.paired import CONFIDENCE
from dropforge.ml.rehearsal import instances

# Rounds of so many rows each; a round is asked of one version, then of the other.
_ROUNDS, _ROWS = 6, 10
_USUAL = 0.95
CODES = ("speed", "latency", "too_slow")  # of all reasons that `slow` gives


def judge_size(pipeline: Pipeline, candidate: Candidate, state: Objects, judgement: Judgement) -> None:
    """Refuse a candidate whose file for the server, the compiled one where there is one, is larger than allowed."""
    most = pipeline.deployment.max_size_mb
    if most is None:
        return
    file = "model.joblib" if candidate.compiled_sha256 is None else "predictor.json"
    size = state.stat(places.candidate(pipeline.pipeline, candidate.candidate_id, file)).size / 1e6
    if size > most:
        said = f"The server would load {size:,.1f} MB ({file}); allowed are {most:g}."
        judgement.refuse("too_large", file, size, most, said)


def slow(
    rules: Deployment,
    candidate: Candidate,
    deployed: Deployed,
    now: Champion | None,
    rows: pa.Table,
    platform: Platform,
) -> Iterator[tuple[Reason, bool]]:
    """How long the deployed candidate takes for single rows, each finding with whether it stands against it."""
    picked = np.linspace(0, rows.num_rows - 1, _ROUNDS * _ROWS).astype(np.int64)
    asked = instances(candidate, rows.take(picked))
    its: list[float] = []
    champions: list[float] = []
    old = champion.deployed_as(now) if now is not None and now.candidate_id != candidate.candidate_id else None
    for start in range(0, len(asked), _ROWS):
        some = asked[start : start + _ROWS]
        its += platform.timed(deployed, some)
        try:
            champions += platform.timed(old, some) if old else []
        except ServiceUnavailable as error:  # a champion that is down must not keep its successor out
            old = None
            said = f"Its speed is not held against the champion's, which does not answer: {error.message}"
            yield _reason("speed", candidate, 0.0, rules.max_slowdown, said), False
    if old is not None:
        yield _beside(rules.max_slowdown, candidate, np.array(its), np.array(champions))
    if rules.max_latency_ms is not None:
        yield _by_itself(rules.max_latency_ms, candidate, np.array(its))


def _beside(most: float, candidate: Candidate, its: np.ndarray, champions: np.ndarray) -> tuple[Reason, bool]:
    slower = int((its > most * champions).sum())
    bad = slower > 0 and float(bdtrc(slower - 1, len(its), 0.5)) < 1 - CONFIDENCE
    said = (
        f"Its server answers one row in {_ms(its)} ms, the champion's in {_ms(champions)} (medians of {len(its)}); "
        f"{slower} took longer than {most:g} times the champion's."
    )
    return _reason("too_slow" if bad else "speed", candidate, float(np.median(its / champions)), most, said), bad


def _by_itself(most: float, candidate: Candidate, its: np.ndarray) -> tuple[Reason, bool]:
    longer = int((its * 1000 > most).sum())
    bad = longer > 0 and float(bdtrc(longer - 1, len(its), 1 - _USUAL)) < 1 - CONFIDENCE
    said = f"{longer} of {len(its)} rows took its server longer than {most:g} ms; one in twenty may."
    return _reason("too_slow" if bad else "latency", candidate, float(np.quantile(its, _USUAL) * 1000), most, said), bad


def _ms(seconds: np.ndarray) -> str:
    return f"{np.median(seconds) * 1000:.1f}"


def _reason(code: str, candidate: Candidate, observed: float, expected: float, sentence: str) -> Reason:
    return Reason(
        code=code, subject=candidate.candidate_id, observed=round(observed, 3), expected=expected, sentence=sentence
    )
