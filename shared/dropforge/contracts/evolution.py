"""A change of a table's shape that the policy `evolve` let in."""

from pydantic import BaseModel

from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.verdicts import STORED


class Evolved(BaseModel):
    """Written once, by the first file that brought it. `code`: `new_column`, `column_left` or `type_changed`."""

    model_config = STORED
    code: str
    column: str
    batch: Batch
    source: Source
