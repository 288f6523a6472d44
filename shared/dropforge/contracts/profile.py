"""The profile of a batch: what its rows look like, column by column, in a form that adds up across batches."""

from datetime import UTC, datetime, timedelta
from typing import Self

from pydantic import BaseModel

from dropforge.contracts.models import FieldType
from dropforge.contracts.verdicts import STORED

KEPT_HASHES = 512  # error of `distinct` beyond that: 1 / sqrt(510), 4.4 % (one standard error)
KEPT_POINTS = 256  # a quantile's rank is off by less than 1 / 256 after profiling, and as much again for each merge
KEPT_VALUES = 256
KEPT_PATTERNS = 32
KEPT_DAYS = 4000  # beyond, rows are counted by month
MOST_KEPT_ROWS = 2000  # whole rows in a sample, fewer where there are many columns
LEAST_KEPT_ROWS = 300
MOST_KEPT_CELLS = 60_000
HASH_BITS = 53  # what a number in JSON keeps whole
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Numbers(BaseModel):
    """The values of a column of numbers, or of times in seconds since 1970.

    `points` are (value, rows), in order of value: each value of its own while there are at most `KEPT_POINTS`, or where
    it holds at least one row in `KEPT_POINTS`; elsewhere the mean of neighbours that hold no more rows than that.
    """

    model_config = STORED
    count: int
    min: float
    max: float
    mean: float
    squares: float  # sum of the squared distances from the mean
    zeros: int
    negatives: int
    whole: int
    points: list[tuple[float, float]]
    exact: bool  # whether every point is a value as it stood in the rows

    @property
    def variance(self) -> float:
        """Of the population."""
        return self.squares / self.count

    def quantile(self, share: float) -> float:
        """The smallest point at or below which this share of the rows lies."""
        below = 0.0
        for value, rows in self.points:
            below += rows
            if below >= share * self.count * (1 - 1e-12):
                return value
        return self.max

    def at_most(self, value: float) -> float:
        """How many rows are at or below a value, off by no more than a point's rows."""
        return sum(rows for point, rows in self.points if point <= value)


class Clocked(BaseModel):
    """When: rows by hour of the day (UTC), and by day (`2013-01-31`) or, over long spans, month (`2013-01`)."""

    model_config = STORED
    hours: list[int]
    days: dict[str, int]


class ColumnProfile(BaseModel):
    """One column. `present` rows hold something; of those, `readable` ones are of the column's type.

    `hashes` are the smallest hashes of its distinct texts (Bar-Yossef et al., RANDOM 2002: k minimum values). `values`
    are its most frequent texts with their rows, all of them while there are at most `KEPT_VALUES` (`complete`).
    """

    model_config = STORED
    type: FieldType
    rows: int
    present: int
    readable: int
    hashes: list[int]
    values: dict[str, int]
    complete: bool
    patterns: dict[str, int]  # digits as 9, letters as a or A, runs of three and more shortened
    classes: dict[str, int]  # rows whose text has: upper, lower, digit, padded, foreign (beyond ASCII), mojibake
    shortest: int
    longest: int
    characters: int
    unreadable: dict[str, int]  # the most frequent texts that are not of the type
    numbers: Numbers | None = None
    clock: Clocked | None = None

    @property
    def nulls(self) -> int:
        """Rows that hold nothing."""
        return self.rows - self.present

    @property
    def distinct(self) -> float:
        """How many different texts; exact below `KEPT_HASHES`."""
        if len(self.hashes) < KEPT_HASHES:
            return float(len(self.hashes))
        return float((KEPT_HASHES - 1) * 2**HASH_BITS / max(self.hashes[-1], 1))


class Sample(BaseModel):
    """Some whole rows, drawn uniformly from the different ones: those with the smallest hashes, in that order.

    A column lies in `numbers` (times in seconds since 1970) or in `texts`, with None where a row has no readable value.
    A text that is no category is the empty one.
    """

    model_config = STORED
    hashes: list[int]
    numbers: dict[str, list[float | None]]
    texts: dict[str, list[str | None]]


class Profile(BaseModel):
    """One batch, or several merged. `repeated` rows equal an earlier row of their own batch in every column.

    `sample` is None in profiles that were made before there were samples.
    """

    model_config = STORED
    batches: int
    rows: int
    rejected: int
    repeated: int
    time: str | None
    columns: dict[str, ColumnProfile]
    sample: Sample | None = None

    @property
    def bare(self) -> Self:
        """The same without its sample, which is costly to merge."""
        return self.model_copy(update={"sample": None})

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """First and last value of the table's time column, if it has one."""
        numbers = self.columns[self.time].numbers if self.time in self.columns else None
        return (moment(numbers.min), moment(numbers.max)) if numbers else None


def moment(seconds: float) -> datetime:
    """A point in time from seconds since 1970 (UTC)."""
    return EPOCH + timedelta(seconds=seconds)
