"""How the columns of a table hang together, learned from the rows of earlier batches, and which rows break that."""

from dropforge.core.relations.learn import learn
from dropforge.core.relations.relation import Broken, Relation
from dropforge.core.relations.rows import Rows, rows_of

__all__ = ["Broken", "Relation", "Rows", "learn", "rows_of"]
