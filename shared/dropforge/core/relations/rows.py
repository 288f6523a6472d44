"""The rows of a sample as arrays, in the forms in which relations look for dependence."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dropforge.contracts.profile import Sample

DAY = 1440  # minutes
CLOCK_UNIT = "HHMM"
Values = NDArray[np.float64]
Texts = NDArray[np.object_]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """One batch's sample. `numbers` have NaN, `texts` None where there is no value; times are seconds since 1970.

    `hhmm` and `times` name those of the numbers that are clock times such as 1345, and points in time.
    """

    count: int
    numbers: Mapping[str, Values]
    texts: Mapping[str, Texts]
    hhmm: frozenset[str]
    times: frozenset[str]

    @property
    def names(self) -> list[str]:
        """Every column."""
        return [*self.numbers, *self.texts]

    @property
    def quantities(self) -> list[str]:
        """Columns that can be reckoned with: numbers that are neither clocks nor points in time."""
        return [name for name in self.numbers if name not in self.hhmm | self.times]

    @property
    def clocked(self) -> list[str]:
        """Columns that tell a time of the day."""
        return [name for name in self.numbers if name in self.hhmm | self.times]

    def present(self, name: str) -> Mask:
        """Which rows have a value in a column; none if the batch lacks it."""
        if name in self.numbers:
            return ~np.isnan(self.numbers[name])
        if name in self.texts:
            return np.array([value is not None for value in self.texts[name].tolist()], dtype=bool)
        return np.zeros(self.count, dtype=bool)

    def clock(self, name: str) -> Values:
        """A column's minutes of the day; NaN stays."""
        values = self.numbers[name]
        if name in self.times:
            return np.floor(values / 60) % DAY
        return (np.floor(values / 100) * 60 + values % 100) % DAY

    def values(self, name: str) -> list[object]:
        """A column as Python values."""
        return list((self.numbers if name in self.numbers else self.texts)[name].tolist())

    def only(self, mask: Mask) -> "Rows":
        """Some of the rows."""
        return replace(
            self,
            count=int(np.count_nonzero(mask)),
            numbers={name: values[mask] for name, values in self.numbers.items()},
            texts={name: values[mask] for name, values in self.texts.items()},
        )

    def changed(self, numbers: Mapping[str, Values]) -> "Rows":
        """The rows with other values in some columns."""
        return replace(self, numbers={**self.numbers, **numbers})


def rows_of(sample: Sample, units: Mapping[str, str | None], times: frozenset[str]) -> Rows:
    """A sample's rows. `units` tells which columns are clocks as HHMM, `times` which hold points in time."""
    return Rows(
        count=len(sample.hashes),
        numbers={name: np.array(values, dtype=np.float64) for name, values in sample.numbers.items()},
        texts={name: np.array(values, dtype=np.object_) for name, values in sample.texts.items()},
        hhmm=frozenset(name for name in sample.numbers if units.get(name) == CLOCK_UNIT),
        times=times,
    )
