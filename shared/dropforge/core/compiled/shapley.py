"""Exact Shapley values of boosted trees: what each column of a request adds to the log-odds.

The game is the one of path-dependent TreeSHAP (Lundberg et al., "From local explanations to global understanding with
explainable AI for trees", 2020): what a set of known columns is worth is the trees' answer where, at each split by a
column that is not known, both ways are taken, weighted by the rows of training that went there.

It departs from that paper in two ways. The players are columns, not features, for a caller knows no others; the sum of
the features' values is not the value of their column. And each leaf is a game of its own, solved in the square of the
number of columns on its path: for what is known either leads to the leaf or does not, so that the sum over coalitions
is one over the coefficients of a product of as many factors as there are columns that do.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from dropforge.contracts.errors import NotExplainable

if TYPE_CHECKING:
    from dropforge.core.compiled.trees import Trees


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A leaf's value, and for each column on its path: its number, the share of training rows that go this way where
    the column is not known, and what must hold (a node, and whether it is left to the left)."""

    value: float
    path: list[tuple[int, float, list[tuple[int, bool]]]]


class Shapley:
    """Explains rows by the trees; `base` is what the trees answer where no column is known."""

    def __init__(self, trees: "Trees", columns: Sequence[str]) -> None:
        """`columns` names for each feature the column that it is derived from.

        Raises:
            NotExplainable: the trees do not say how many rows came to each node.
        """
        if not trees.cover:
            raise NotExplainable("This model was compiled before answers were explained. Train it again to explain it.")
        self._trees = trees
        self._width = len(columns)
        self._names = list(dict.fromkeys(columns))
        numbers = {name: number for number, name in enumerate(self._names)}
        self._players = [numbers[column] for column in columns]
        self._leaves = [leaf for root in trees.roots for leaf in self._below(root, {})]
        expected = (leaf.value * math.prod(share for _, share, _ in leaf.path) for leaf in self._leaves)
        self.base = trees.baseline + sum(expected)

    def of(self, row: Sequence[float]) -> dict[str, float]:
        """What each column adds, of a row as `trees.both` makes it."""
        ways = self._ways(row)
        found = [0.0] * len(self._names)
        for leaf in self._leaves:
            _add(found, leaf, ways)
        return dict(zip(self._names, found, strict=True))

    def _ways(self, row: Sequence[float]) -> list[bool]:
        """For each node, whether the row leaves it to the left."""
        trees, width = self._trees, self._width
        return [
            row[feature + width if missing_left else feature] <= (math.inf if threshold is None else threshold)
            for feature, threshold, missing_left in zip(trees.feature, trees.threshold, trees.missing_left, strict=True)
        ]

    def _below(self, node: int, path: dict[int, tuple[float, list[tuple[int, bool]]]]) -> list[_Leaf]:
        trees = self._trees
        if not trees.left[node]:
            return [_Leaf(trees.value[node], [(player, *given) for player, given in path.items()])]
        player = self._players[trees.feature[node]]
        share, conditions = path.get(player, (1.0, []))
        found: list[_Leaf] = []
        for child, is_left in ((trees.left[node], True), (trees.right[node], False)):
            goes = share * trees.cover[child] / trees.cover[node], [*conditions, (node, is_left)]
            found += self._below(child, path | {player: goes})
        return found


def _add(found: list[float], leaf: _Leaf, ways: Sequence[bool]) -> None:
    """Add what each column on the path to the leaf is worth.

    With shares z, and the columns divided into those that lead to the leaf (`on`) and those that do not (`off`), a
    coalition T of `on` is worth value * prod(z of off) * prod(z of on without T), and any with one of `off` nothing.
    """
    on: list[tuple[int, float]] = []
    off: list[int] = []
    worth = leaf.value
    for player, share, conditions in leaf.path:
        if all(ways[node] == is_left for node, is_left in conditions):
            on.append((player, share))
        else:
            off.append(player)
            worth *= share
    players = len(on) + len(off)
    if not players:
        return
    weights = _weights(players)
    product = _product([share for _, share in on])
    if off:
        without = worth * sum(map(float.__mul__, weights, product))
        for player in off:
            found[player] -= without
    for player, share in on:
        rest = _divided(product, share)
        found[player] += worth * (1.0 - share) * sum(map(float.__mul__, weights, rest))


def _product(shares: Sequence[float]) -> list[float]:
    """The coefficients of the product of (share + x), from that of x^0: the sums over coalitions of each size."""
    found = [1.0]
    for share in shares:
        found = [share * each + before for each, before in zip([*found, 0.0], [0.0, *found], strict=True)]
    return found


def _divided(product: Sequence[float], share: float) -> list[float]:
    """The coefficients without one factor (share + x); from the highest, for shares are at most 1."""
    found = [0.0] * (len(product) - 1)
    carry = 0.0
    for power in range(len(found) - 1, -1, -1):
        carry = product[power + 1] - share * carry
        found[power] = carry
    return found


@cache
def _weights(players: int) -> list[float]:
    """For each size of a coalition, the share of the orders in which just it comes before a given player."""
    return [1.0 / (players * math.comb(players - 1, size)) for size in range(players)]
