"""How often each kind of challenger passes the judge: `python -m tests.benchmarks.saboteurs [--repeats 200]`.

Every repeat draws a world of its own: 10,000 holdout rows in three regions and fifteen branches, a quarter of them
positive, a champion of about .72 AUC, and a challenger made in one way. Models are given by their probabilities, which
is all that the judge sees; how much of the champion's error the challenger shares is set by `KINSHIP`.

Aims: what does harm passes in less than 1 % of the repeats, an equal model in at most 5 %, a model that is truly better
by .01 AUC in at least 90 %.
"""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dropforge.contracts.pipeline import Success
from dropforge.ml.judge import judge
from dropforge.ml.judgement import Holdout

Floats = NDArray[np.float64]

ROWS = 10_000
SUCCESS = Success(metric="roc_auc", floor=0.6, slice_margin=0.05, min_slice_rows=200)
FRESHER = SUCCESS.model_copy(update={"prefer": "fresher", "tolerance": 0.01})
# Noise on what a model sees of the truth; beside it the AUC that it gives, the mean of 60 worlds.
CHAMPION = 1.05  # .716
BETTER, SLIGHTLY = 0.935, 1.03  # .726, .718
WORSE, SMALL, STALE = 1.17, 1.43, 1.73  # .706, .686, .666
# The share of that noise that champion and challenger have in common. It makes the standard error of their difference
# .003 on 10,000 rows; for a year of retrained flights it lay between .0018 and .0070 on about 6,300 rows.
KINSHIP = 0.75


@dataclass(frozen=True)
class World:
    """One draw: the truth, and the noise of champion and challenger."""

    random: np.random.Generator
    truth: Floats
    labels: NDArray[np.int8]
    region: NDArray[np.str_]
    branch: NDArray[np.str_]
    shared: Floats
    own: tuple[Floats, Floats]

    def model(self, noise: float, which: int = 1) -> Floats:
        """Probabilities of a model; 0 is the champion, 1 the challenger."""
        seen = self.truth + noise * (np.sqrt(KINSHIP) * self.shared + np.sqrt(1 - KINSHIP) * self.own[which])
        return _probability(seen)


def world(seed: int) -> World:
    """The world of one repeat."""
    random = np.random.default_rng(seed)
    truth = random.normal(-1.4, 1.25, ROWS)
    labels = (random.random(ROWS) < _probability(truth)).astype(np.int8)
    shared, first, second = random.normal(size=(3, ROWS))
    region = np.array(["north", "south", "west"])[random.integers(0, 3, ROWS)]
    branch = np.array([f"b{number}" for number in random.integers(0, 15, ROWS)])
    return World(random, truth, labels, region, branch, shared, (first, second))


def _probability(wish: Floats) -> Floats:
    return 1 / (1 + np.exp(-wish))


def _shuffled(drawn: World) -> Floats:
    return drawn.random.permutation(drawn.model(BETTER))


def _leaking(drawn: World) -> Floats:
    return np.clip(0.98 * drawn.labels + 0.01 + drawn.random.normal(0, 0.005, ROWS), 0, 1)


def _flipped_region(drawn: World) -> Floats:
    given = drawn.model(BETTER)
    return np.where(drawn.region == "south", 1 - given, given)


def _worse_in_a_region(drawn: World) -> Floats:
    """Better by .045 AUC in two regions, worse by .085 in the third."""
    return np.where(drawn.region == "south", drawn.model(2.4), drawn.model(0.5))


def _nan(drawn: World) -> Floats:
    given = drawn.model(BETTER)
    given[drawn.random.integers(ROWS)] = np.nan
    return given


CHALLENGERS: dict[str, tuple[str, Callable[[World], Floats]]] = {
    "labels shuffled": ("harmful", _shuffled),
    "label leaked": ("harmful", _leaking),
    "one region's labels flipped": ("harmful", _flipped_region),
    "better overall, worse in one region": ("harmful", _worse_in_a_region),
    "stale: of old data, .05 AUC worse": ("harmful", lambda drawn: drawn.model(STALE)),
    "trained on 1 % of the rows, .03 worse": ("harmful", lambda drawn: drawn.model(SMALL)),
    ".01 AUC worse": ("harmful", lambda drawn: drawn.model(WORSE)),
    "a constant": ("harmful", lambda drawn: np.full(ROWS, drawn.labels.mean())),
    "NaN in one row": ("harmful", _nan),
    "equal": ("equal", lambda drawn: drawn.model(CHAMPION)),
    "the same again": ("equal", lambda drawn: drawn.model(CHAMPION, 0)),
    "slightly better, .002 AUC": ("either", lambda drawn: drawn.model(SLIGHTLY)),
    "better by .01 AUC": ("better", lambda drawn: drawn.model(BETTER)),
}


def rates(names: Iterable[str], repeats: int, *success: Success) -> dict[str, list[float]]:
    """For each challenger the share of repeats in which the judge lets it serve, under each of some criteria."""
    passed: dict[str, list[list[bool]]] = {name: [] for name in names}
    for seed in range(repeats):
        drawn = world(seed)
        columns: dict[str, Any] = {"region": drawn.region, "branch": drawn.branch}
        champion = drawn.model(CHAMPION, 0)
        for name, so_far in passed.items():
            holdout = Holdout(drawn.labels, columns, CHALLENGERS[name][1](drawn), champion)
            so_far.append([judge(criteria, ["region", "branch"], holdout).passed for criteria in success])
    return {name: [float(share) for share in np.mean(so_far, axis=0)] for name, so_far in passed.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How often each kind of challenger passes the judge.")
    parser.add_argument("--repeats", type=int, default=200)
    repeats = parser.parse_args().repeats
    measured = rates(CHALLENGERS, repeats, SUCCESS, FRESHER)
    print(f"{'challenger':40} {'kind':8} prefer: {'better':>8} {'fresher':>8}   published, of {repeats} repeats")
    for name, (better, fresher) in measured.items():
        print(f"{name:40} {CHALLENGERS[name][0]:8}         {better:8.1%} {fresher:8.1%}")


if __name__ == "__main__":
    main()
