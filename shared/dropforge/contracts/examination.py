"""What came of holding a batch against its history: anomalies, and what probably caused them."""

from pydantic import BaseModel

from dropforge.contracts.batch import Batch
from dropforge.contracts.verdicts import STORED, BatchVerdict, Reason

_CAUSE = "probably_"  # begins the code of a reason that is a cause


class Anomaly(BaseModel):
    """One statistic of a batch that its history does not explain. `column` is empty for the batch as a whole.

    `observed`, `low` and `high` are in the statistic's own unit (mostly a share of rows); `low` to `high` is what
    earlier batches had. `effect` is by how much it moved against what was forecast, in that unit; `surprise` is by how
    many standard errors. `p` is the chance of that in a clean batch, for this one statistic.
    """

    model_config = STORED
    code: str
    column: str
    statistic: str
    observed: float
    forecast: float
    low: float
    high: float
    effect: float
    surprise: float
    p: float
    sentence: str

    def reason(self, subject: str) -> Reason:
        """The same, as a verdict tells it."""
        return Reason(
            code=self.code,
            subject=self.column or subject,
            observed=self.observed,
            expected=[self.low, self.high],
            sentence=self.sentence,
        )


class Repair(BaseModel):
    """What would undo a cause: `change` in one sentence, `yaml` as lines for the column or table in pipeline.yaml.

    `yaml` is empty where only a new file from the source helps.
    """

    model_config = STORED
    change: str
    yaml: str = ""


class Diagnosis(BaseModel):
    """What probably happened to a column, or to the file where `column` is empty.

    `confidence` in [0, 1] is the share of the movement that the cause explains, less where another cause explains it
    nearly as well. `share` is of the rows that it touches.
    """

    model_config = STORED
    column: str
    cause: str
    confidence: float
    share: float
    sentence: str
    evidence: list[str]
    repair: Repair

    def reason(self, subject: str) -> Reason:
        """The same, as a verdict tells it; `expected` are lines for pipeline.yaml, where those would undo it."""
        return Reason(
            code=f"{_CAUSE}{self.cause}",
            subject=self.column or subject,
            observed=round(self.confidence, 2),
            expected=self.repair.yaml or None,
            sentence=self.sentence,
        )


def causes(verdict: BatchVerdict) -> list[Reason]:
    """What probably happened to a batch, as far as its examination found that: the diagnoses among its warnings."""
    return [reason for reason in verdict.warnings if reason.code.startswith(_CAUSE)]


class Examination(BaseModel):
    """A batch against its history. `judged` is false while there are too few earlier batches to know what is usual."""

    model_config = STORED
    batch: Batch
    judged: bool
    compared_with: list[str]  # ids of the earlier batches, in order of time
    tests: int
    one_in: int  # at most one alarm in so many clean batches
    anomalies: list[Anomaly]
    diagnoses: list[Diagnosis]
