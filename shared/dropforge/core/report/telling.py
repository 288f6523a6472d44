"""How much each column alone tells about the label, and which tell too much."""

import duckdb

from dropforge.contracts.batch import Batch
from dropforge.contracts.models import FieldType
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.telling import Telling, Tellings
from dropforge.core.engine import identifier, text

BINS = 20
SMALLEST = 30  # rows of a category; rarer ones are taken together, for a few rows can tell anything
ORDERED: tuple[FieldType, ...] = ("integer", "number", "timestamp", "date")


def telling(database: duckdb.DuckDBPyConnection, pipeline: Pipeline, batch: Batch, accepted: str) -> Tellings:
    """Every column of the main table but the label's, the most telling first. `accepted` is a Parquet file.

    Bins of equal numbers of rows, or categories of at least `SMALLEST` rows, in order of their share of positives. The
    label is `above` or `equals`, as the pipeline says; a number is positive above its median. Empty when the rows have
    only one class, and for labels that are classes.
    """
    label = identifier(pipeline.label.column)
    if pipeline.label.kind == "classes":
        return Tellings(batch=batch, positives=0, negatives=0, columns=[])
    if pipeline.label.above is not None:
        positive = f"{label} > {pipeline.label.above!r}"
    elif pipeline.label.kind == "number":
        positive = f"{label} > (SELECT median({label}) FROM read_parquet({text(accepted)}))"
    else:
        positive = f"CAST({label} AS VARCHAR) = {text(pipeline.label.equals or '')}"
    features = {feature.column for feature in pipeline.features}
    found = []
    for name, column in pipeline.main.columns.items():
        if name == pipeline.label.column or column.type == "text":
            continue
        value = identifier(name)
        ordered = f"CASE WHEN {value} IS NULL THEN -1 ELSE ntile({BINS}) OVER (ORDER BY {value}) END"
        binned = ordered if column.type in ORDERED else f"coalesce(CAST({value} AS VARCHAR), '')"
        groups = database.execute(
            f"SELECT sum(positive::INT), sum((NOT positive)::INT) FROM (SELECT {binned} AS bin, {positive} AS positive "
            f"FROM read_parquet({text(accepted)}) WHERE {label} IS NOT NULL) GROUP BY bin"
        ).fetchall()
        auc = _area([(int(yes), int(no)) for yes, no in groups])
        if auc is not None:
            found.append(Telling(column=name, auc=auc, feature=name in features))
    counted = database.execute(
        f"SELECT count(*) FILTER ({positive}), count(*) FILTER (NOT ({positive})) FROM read_parquet({text(accepted)})"
    ).fetchall()[0]
    ordered_by = sorted(found, key=lambda one: (-one.auc, one.column))
    return Tellings(batch=batch, positives=counted[0], negatives=counted[1], columns=ordered_by)


def _area(groups: list[tuple[int, int]]) -> float | None:
    large = [group for group in groups if sum(group) >= SMALLEST]
    rare = [group for group in groups if sum(group) < SMALLEST]
    if rare:
        large.append((sum(yes for yes, _ in rare), sum(no for _, no in rare)))
    positives, negatives = sum(yes for yes, _ in large), sum(no for _, no in large)
    if not positives or not negatives:
        return None
    area, below = 0.0, 0
    for yes, no in sorted(large, key=lambda group: group[0] / max(sum(group), 1)):
        area += yes * (below + no / 2)
        below += no
    return area / positives / negatives
