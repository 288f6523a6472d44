"""What the tests of this folder share."""

from collections.abc import Iterator

import pytest

from tests.benchmarks.corruption.trial import Bench, bench


@pytest.fixture(scope="session")
def judges() -> Iterator[Bench]:
    """One bench, so that clean months are profiled once."""
    with bench(Bench) as made:
        yield made
