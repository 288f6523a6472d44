"""Why trainings began, or did not: every decision of a pipeline."""

from collections.abc import Iterator

from dropforge.contracts import places
from dropforge.contracts.models import TrainingDecision
from dropforge.core.ports import Objects


def newest_first(state: Objects, pipeline: str, most: int) -> Iterator[TrainingDecision]:
    """The last `most` decisions; of older ones only the listing is read."""
    prefix = places.training_decision(pipeline, "").removesuffix(".json")
    listed = sorted(state.list(prefix), key=lambda info: (info.updated, info.generation), reverse=True)
    for info in listed[:most]:
        yield TrainingDecision.model_validate_json(state.read(info.name)[0])
