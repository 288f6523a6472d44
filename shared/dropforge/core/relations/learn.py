"""Learn from the samples of earlier batches which relations hold; nothing is written by hand."""

from collections.abc import Sequence

from dropforge.core.relations.clocks import clocks
from dropforge.core.relations.determined import determined
from dropforge.core.relations.equation import equations
from dropforge.core.relations.predicted import predicted
from dropforge.core.relations.relation import Relation
from dropforge.core.relations.rows import Rows
from dropforge.core.relations.together import together


def learn(earlier: Sequence[Rows]) -> list[Relation]:
    """The relations that all but a few rows of these batches keep; at least two batches, in order of time.

    Which are worth watching is decided on earlier batches alone, so that a new one is judged by what it did not choose.
    """
    if len(earlier) < 2 or not all(rows.count for rows in earlier):
        return []
    found = [make for family in (together, determined, equations, clocks, predicted) for make in family(earlier)]
    return [relation for relation in found if relation.rare]
