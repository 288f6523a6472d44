"""Candidates of the shop, trained and settled."""

from collections.abc import Callable
from functools import cache

import pyarrow as pa

from dropforge.contracts.models import Candidate
from dropforge.contracts.verdicts import ModelVerdict
from dropforge.ml import publishing, trigger
from tests.ml.shop import Shop


def train(
    shop: Shop, name: str, rows: int = 600, noise: float = 1.0, change: Callable[[pa.Table], pa.Table] | None = None
) -> Candidate:
    """A candidate on all that has landed, this new file included, by request."""
    shop.land(name, rows, noise, change)
    shop.clock.seconds += 60
    return trigger.on_request("shop", f"for {name}", "a test", "it asked", shop.state, shop.topics, shop.clock)


def settle(shop: Shop, candidate: Candidate) -> ModelVerdict:
    """Judge it and, if it passes, publish it."""
    shop.clock.seconds += 60
    return publishing.settle(shop.pipeline, candidate, shop.state, shop.platform, shop.clock)


def two_versions() -> Shop:
    """A shop whose version 2 has replaced version 1: for each who asks one to spoil."""
    return _two_versions().copy()


@cache
def _two_versions() -> Shop:
    shop = Shop()
    for name, rows, noise in (("noisy.csv", 600, 1.0), ("clear.csv", 3000, 0.3)):
        assert settle(shop, train(shop, name, rows, noise)).status == "published"
    return shop


def shuffled(rows: pa.Table) -> pa.Table:
    """The rows with the labels of others, so that there is nothing to learn."""
    return rows.set_column(4, "bought", rows["bought"].take(pa.array(range(rows.num_rows))[::-1]))
