"""The deployed pipelines: one `pipeline.yaml` each in the state bucket; its generation is its version."""

from dropforge.contracts import places
from dropforge.contracts.errors import NotFound, PipelineUnknown
from dropforge.contracts.pipeline import Pipeline, parse
from dropforge.core.ports import Objects


def load(state: Objects, name: str, generation: int | None = None) -> tuple[Pipeline, int]:
    """A pipeline and its generation.

    Raises:
        PipelineUnknown: none of this name is deployed.
        PipelineInvalid: what is deployed breaks the schema.
    """
    place = places.pipeline_yaml(name)
    try:
        text, found = state.read(place, generation)
    except NotFound as error:
        known = ", ".join(deployed(state)) or "none"
        raise PipelineUnknown(f"The pipeline {name!r} is not deployed. Deployed: {known}.", pipeline=name) from error
    return parse(text, where=f"gs://{state.bucket}/{place}"), found


def deployed(state: Objects) -> list[str]:
    """The names of all deployed pipelines."""
    return [info.name.split("/")[1] for info in state.list(places.PIPELINES) if info.name.endswith("/pipeline.yaml")]
