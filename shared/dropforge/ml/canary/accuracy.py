"""How a canary and the champion predict the labelled rows that were accepted since it was trained."""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa

from dropforge.contracts.canary import Canary
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.verdicts import Reason
from dropforge.core import candidates, ledger
from dropforge.core.dataset import read_rows
from dropforge.core.ports import Objects
from dropforge.ml import beside, score, serving, stored
from dropforge.ml.judgement import Judgement
from dropforge.ml.paired import CONFIDENCE, difference
from dropforge.ml.rows import columns_of, labelled
from dropforge.ml.slicewise import judge_slices


def since(pipeline: Pipeline, candidate: Candidate, canary: Canary, state: Objects) -> Iterator[tuple[Reason, bool]]:
    """What the new labels say, each with whether it ends the canary: worse overall, or in a slice, beyond chance."""
    rows = _new_rows(pipeline, candidate, state)
    if rows is None or not rows.num_rows:
        said = "No labels came since it was trained, so its accuracy on requests is not known."
        yield _reason("canary_labels", canary, 0, None, said), False
        return
    champion = candidates.find(state, pipeline.pipeline, canary.champion_id)
    if champion is None:
        return
    its = serving.given(stored.model(state, candidate), columns_of(rows))
    both = beside.holdout(rows, pipeline.slices, candidate, its, stored.model(state, champion), {})
    old = both.champion
    assert old is not None, "the champion's model is there"
    metric = pipeline.success.metric
    found = difference(metric, both.labels, both.challenger, old)
    if found is not None:
        bad = found.p_worse < 1 - CONFIDENCE
        measured = score.METRICS[metric](both.labels, both.challenger)
        said = (
            f"On {rows.num_rows:,} labelled rows that came since, its {metric} of {measured:.4f} is "
            f"{abs(found.estimate):.4f} {'better' if found.estimate >= 0 else 'worse'} than the champion's."
        )
        yield _reason("canary_worse" if bad else "canary_labels", canary, found.estimate, 0.0, said), bad
    judgement = Judgement()
    judge_slices(pipeline.success, pipeline.slices, both, old, judgement)
    for reason in judgement.reasons:
        if reason.code == "worse_in_slice":
            yield reason, True


def _new_rows(pipeline: Pipeline, candidate: Candidate, state: Objects) -> pa.Table | None:
    """Labelled rows later than all that the two have trained on, of batches that the candidate has not seen."""
    seen = {batch.batch_id for batch in candidate.lineage.batches}
    used = {join.table for join in pipeline.joins}
    lines = [line for line in ledger.lines(state, pipeline.pipeline) if line.accepted]
    new = [line for line in lines if line.batch.table == pipeline.table and line.batch.batch_id not in seen]
    if not new:
        return None
    joined = [line for line in lines if line.batch.table in used]
    until = datetime.fromisoformat(candidate.lineage.train_until)
    return labelled(read_rows(pipeline, [*new, *joined], state, since=until))


def _reason(code: str, canary: Canary, observed: object, expected: object, sentence: str) -> Reason:
    return Reason(code=code, subject=canary.candidate_id, observed=observed, expected=expected, sentence=sentence)
