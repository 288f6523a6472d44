"""A possible cause, before the best one is chosen."""

from dataclasses import dataclass, field

from dropforge.contracts.examination import Diagnosis, Repair

# A repair works on every row of a file; these would spoil the rows that are right, unless nearly all are wrong.
BLIND = ("unit_change", "sign_flip", "offset", "clock_shift", "columns_swapped")
NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Candidate:
    """`explained` in [0, 1] is the part of the movement that the cause accounts for; `what` ends "probably ...".

    `other` is the column that stands in this one's place, where there is one.
    """

    cause: str
    explained: float
    share: float
    what: str
    evidence: list[str]
    repair: Repair = field(default_factory=lambda: Repair(change="Ask the source for a corrected file."))
    other: str = ""

    def diagnosis(self, column: str, confidence: float) -> Diagnosis:
        """The same as a result, of the file where `column` is empty."""
        subject = f"{column!r}" if column else "The file"
        repair = self.repair
        if self.cause in BLIND and self.share < NEARLY_ALL:
            repair = Repair(
                change="The other rows are right, so repairing the whole column is no help: ask the source for these."
            )
        sure = "almost certainly" if confidence >= 0.9 else "probably" if confidence >= 0.6 else "perhaps"
        return Diagnosis(
            column=column,
            cause=self.cause,
            confidence=round(min(max(confidence, 0.0), 1.0), 3),
            share=round(min(max(self.share, 0.0), 1.0), 4),
            sentence=f"{subject}: {sure} {self.what}. {self.evidence[0]} {repair.change}".strip(),
            evidence=self.evidence,
            repair=repair,
        )
