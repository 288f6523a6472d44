"""A batch's event as `train` is given it, and what was decided of it."""

from dropforge.contracts import places
from dropforge.contracts.events import BatchAccepted
from dropforge.contracts.models import TrainingDecision
from functions.train import steps
from tests.ml.crash import Fuse, Mortal
from tests.ml.shop import Shop


def deliver(shop: Shop, event: BatchAccepted, event_id: str = "1", fuse: Fuse | None = None) -> None:
    """One delivery, by ports that may die."""
    fuse = fuse or Fuse()
    mortal = Mortal(shop.state, fuse), Mortal(shop.topics, fuse), shop.clock, lambda: Mortal(shop.jobs, fuse)
    steps.on_batch(event, event_id, steps.World(*mortal))


def decision(shop: Shop, event_id: str = "1") -> TrainingDecision:
    """What was decided of a trigger."""
    return TrainingDecision.model_validate_json(shop.state.read(places.training_decision("shop", event_id))[0])
