"""The deployed pipelines: one `pipeline.yaml` each in the state bucket; its generation is its version."""

from dropforge.contracts import places
from dropforge.contracts.errors import NotFound, PipelineUnknown
from dropforge.contracts.pipeline import Pipeline, parse
from dropforge.core.ports import Objects
from dropforge.core.state import load_text


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


def deploy(state: Objects, text: bytes, where: str) -> tuple[Pipeline, int, int]:
    """Put a pipeline.yaml in place, unless its very text is; returns it, its generation, and the one it replaced.

    The two are equal where nothing changed; 0 was replaced by the first. Batches keep to the rules that they were
    staged under.

    Raises:
        PipelineInvalid: it breaks the schema; nothing is deployed.
        GenerationMismatch: another deployed one at the same moment.
    """
    pipeline = parse(text, where)
    place = places.pipeline_yaml(pipeline.pipeline)
    present, generation = load_text(state, place)
    if present == text:
        return pipeline, generation, generation
    return pipeline, state.replace(place, text, generation), generation


def deployed(state: Objects) -> list[str]:
    """The names of all deployed pipelines."""
    return [info.name.split("/")[1] for info in state.list(places.PIPELINES) if info.name.endswith("/pipeline.yaml")]
