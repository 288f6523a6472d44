"""`kill -9` of the router at a random moment: it holds nothing that Pub/Sub does not, so no message is lost with it."""

import random
from threading import Timer

import pytest

from tests.emulators.router.bench import Bench
from tests.emulators.router.conftest import Cloud
from tests.waiting import until

MESSAGES = 8
PATIENCE_SECONDS = 120


def wait_for(router: Bench, published: list[str]) -> None:
    """Until the functions have recorded every message, whichever router ran them."""
    until(lambda: set(published) <= {event["id"] for event in router.recorded("pair")}, PATIENCE_SECONDS, pause=0.05)


def publish_and_kill(cloud: Cloud, router: Bench, moment: float) -> list[str]:
    """Publish until and after the router dies; the ids."""
    timer = Timer(moment, router.kill)
    timer.start()
    published = [cloud.publish("pairs", "ok") for _ in range(MESSAGES)]
    timer.join()
    return published


@pytest.mark.parametrize("rounds", [1, pytest.param(200, marks=pytest.mark.heavy)])
def test_every_message_reaches_its_function_whenever_the_router_dies(cloud: Cloud, rounds: int) -> None:
    """Before the push, during it, or between the function's answer and Pub/Sub's: then it comes twice."""
    chance = random.Random(rounds)
    published: list[str] = []
    for _ in range(rounds):
        with cloud.router() as router:
            wait_for(router, published)
            published = publish_and_kill(cloud, router, chance.uniform(0.01, 1.5))
    with cloud.router() as last:
        wait_for(last, published)
