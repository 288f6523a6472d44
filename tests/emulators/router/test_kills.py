"""`kill -9` of the router at a random moment: it holds nothing that Pub/Sub does not, so no message is lost with it."""

import random
from threading import Timer

import pytest

from tests.emulators.router.bench import Bench, until
from tests.emulators.router.conftest import Cloud

MESSAGES = 8


def kill_while_publishing(cloud: Cloud, moment: float) -> list[str]:
    """Publish until and after the router dies; the ids."""
    with cloud.router() as router:
        timer = Timer(moment, router.kill)
        timer.start()
        published = [cloud.publish("pairs", "ok") for _ in range(MESSAGES)]
        timer.join()
    return published


def all_seen(router: Bench, published: list[str]) -> bool:
    """Whether the functions recorded every message, whichever router ran them."""
    return set(published) <= {event["id"] for event in router.recorded("pair")}


@pytest.mark.parametrize("rounds", [1, pytest.param(200, marks=pytest.mark.heavy)])
def test_every_message_reaches_its_function_whenever_the_router_dies(cloud: Cloud, rounds: int) -> None:
    """Before the push, during it, or between the function's answer and Pub/Sub's: then it comes twice."""
    chance = random.Random(rounds)
    published = [message for _ in range(rounds) for message in kill_while_publishing(cloud, chance.uniform(0.01, 1.5))]
    with cloud.router() as last:
        until(lambda: all_seen(last, published))
    assert len(published) == rounds * MESSAGES
