"""Candidates of the shop, trained and settled."""

import pyarrow as pa

from dropforge.contracts.models import Candidate
from dropforge.contracts.verdicts import ModelVerdict
from dropforge.ml import publishing, trigger
from tests.ml.shop import Shop


def train(shop: Shop, name: str, rows: int = 600, noise: float = 1.0, shuffle: bool = False) -> Candidate:
    """A candidate on all that has landed, this new file included, by request."""
    shop.land(name, rows, noise, _shuffled if shuffle else None)
    shop.clock.seconds += 60
    return trigger.on_request("shop", f"for {name}", "a test", "it asked", shop.state, shop.topics, shop.clock)


def settle(shop: Shop, candidate: Candidate) -> ModelVerdict:
    """Judge it and, if it passes, publish it."""
    shop.clock.seconds += 60
    return publishing.settle(shop.pipeline, candidate, shop.state, shop.platform, shop.clock)


def two_versions() -> Shop:
    """A shop whose version 2 has replaced version 1."""
    shop = Shop()
    for name, rows, noise in (("noisy.csv", 600, 1.0), ("clear.csv", 3000, 0.3)):
        assert settle(shop, train(shop, name, rows, noise)).status == "published"
    return shop


def _shuffled(rows: pa.Table) -> pa.Table:
    return rows.set_column(4, "bought", rows["bought"].take(pa.array(range(rows.num_rows))[::-1]))
