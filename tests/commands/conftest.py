"""What tests of commands share."""

import pytest

from tests.functions.drops import Shop


@pytest.fixture
def shop() -> Shop:
    """A deployment in memory with the pipeline `shop`."""
    return Shop().deploy()
