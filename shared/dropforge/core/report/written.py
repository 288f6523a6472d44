"""Write the report of a batch beside it, once."""

from pathlib import Path

from dropforge.contracts import places
from dropforge.contracts.errors import AlreadyExists
from dropforge.contracts.examination import Examination
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.profile import Profile
from dropforge.contracts.verdicts import BatchVerdict
from dropforge.core import engine
from dropforge.core.ports import Objects
from dropforge.core.profile import merged
from dropforge.core.report.page import Told, page
from dropforge.core.report.telling import telling
from dropforge.core.state import create_once, load


def write(
    verdict: BatchVerdict, seen: Examination | None, pipeline: Pipeline, accepted: Path, scratch: Path, state: Objects
) -> None:
    """Say what a verdict rests on, where there is a profile. `accepted` is the Parquet file of the accepted rows."""
    found = load(state, places.profile(verdict.batch), Profile)
    if seen is None or found is None:
        return
    batches = [verdict.batch.model_copy(update={"batch_id": batch_id}) for batch_id in seen.compared_with]
    earlier = [one[0].bare for batch in batches if (one := load(state, places.profile(batch), Profile))]
    told = []
    if verdict.rows_labelled and verdict.batch.table == pipeline.table:
        with engine.opened(scratch) as database:
            measured = telling(database, pipeline, verdict.batch, str(accepted))
        told = create_once(state, places.telling(verdict.batch), measured).columns
    html = page(
        Told(verdict, found[0], seen, merged(earlier) if earlier else None, earlier[-1] if earlier else None, told)
    )
    try:
        state.create(places.batch_report(verdict.batch), html.encode())
    except AlreadyExists:  # an earlier delivery wrote the same and stopped before its verdict
        return
