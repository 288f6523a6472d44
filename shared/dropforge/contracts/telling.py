"""How much each column alone tells about the label: measured of every batch, read before a model is trained."""

from pydantic import BaseModel

from dropforge.contracts.batch import Batch
from dropforge.contracts.verdicts import STORED

LEAK = 0.95  # area under the curve from which a feature is suspected to know the answer


class Telling(BaseModel):
    """`auc`: the chance that a positive row's bin has more positives than a negative row's; 0.5 tells nothing."""

    model_config = STORED
    column: str
    auc: float
    feature: bool

    @property
    def leak(self) -> bool:
        """Whether a feature tells more than an honest one would."""
        return self.feature and self.auc >= LEAK


class Tellings(BaseModel):
    """Of one batch: its accepted rows with a label, by class, and every column of them, the most telling first."""

    model_config = STORED
    batch: Batch
    positives: int
    negatives: int
    columns: list[Telling]
