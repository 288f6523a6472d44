"""What every relation is: columns, and a test of rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dropforge.core.relations.rows import Mask, Rows

Kind = Literal["together", "determined", "equation", "clocks", "predicted"]
RARE = 0.01  # of the rows of all earlier batches may break a relation that is worth watching
RARE_EACH = 0.03  # and of those of each
ENOUGH_ROWS = 100  # to which it applied


@dataclass(frozen=True)
class Broken:
    """Of a batch's sample: the rows to which a relation applies, and those of them that break it."""

    applies: Mask
    broken: Mask

    @property
    def of(self) -> int:
        """How many it applies to."""
        return int(np.count_nonzero(self.applies))

    @property
    def rows(self) -> int:
        """How many break it."""
        return int(np.count_nonzero(self.broken))


@dataclass(frozen=True)
class Relation:
    """Something that nearly all rows of earlier batches have in common, in words in `says`.

    `past` tells of each earlier batch how it keeps what the other batches teach: so it is comparable with a new batch.
    `columns` begins with the one that the others tell about, where there is one. `typical` says how usual rows are that
    keep the relation, where some ways to keep it are more so than others.
    """

    kind: Kind
    columns: tuple[str, ...]
    says: str
    test: Callable[[Rows], Broken]
    past: Sequence[Broken]
    typical: Callable[[Rows], float] = lambda _: 0.0

    @property
    def rare(self) -> bool:
        """Whether breaking it is rare enough, and the rows are enough, for it to be worth watching."""
        of, rows = sum(one.of for one in self.past), sum(one.rows for one in self.past)
        each = all(one.rows <= RARE_EACH * one.of + 1 for one in self.past)
        return of >= ENOUGH_ROWS and rows <= RARE * of and each


def kept(rows: Rows, names: Sequence[str]) -> Mask:
    """The rows that have a value in all of these columns."""
    mask = np.ones(rows.count, dtype=bool)
    for name in names:
        mask &= rows.present(name)
    return mask


def has(rows: Rows, names: Sequence[str]) -> bool:
    """Whether a batch has these columns at all."""
    return all(name in rows.numbers or name in rows.texts for name in names)


def nothing(rows: Rows) -> Broken:
    """Of a batch that lacks a column: the relation applies to no row."""
    none = np.zeros(rows.count, dtype=bool)
    return Broken(none, none)
