"""From the text of a `pipeline.yaml` to a `Pipeline`; errors say where, what was expected and what was found."""

from difflib import get_close_matches
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from dropforge.contracts.errors import PipelineInvalid
from dropforge.contracts.pipeline.arrival import Period
from dropforge.contracts.pipeline.deployment import Deployment
from dropforge.contracts.pipeline.learned import Feature, Label
from dropforge.contracts.pipeline.logging import Logging
from dropforge.contracts.pipeline.monitoring import Monitoring
from dropforge.contracts.pipeline.repair import Repair
from dropforge.contracts.pipeline.schema import Join, Pipeline
from dropforge.contracts.pipeline.serving import Serving
from dropforge.contracts.pipeline.success import Success
from dropforge.contracts.pipeline.table import Column, Table
from dropforge.contracts.pipeline.training import Training
from dropforge.contracts.pipeline.window import Window

_SECTIONS: tuple[type[BaseModel], ...] = (
    Pipeline,
    Table,
    Column,
    Repair,
    Period,
    Feature,
    Join,
    Label,
    Success,
    Training,
    Window,
    Monitoring,
    Serving,
    Deployment,
    Logging,
)
# libyaml reads an eighth as long, and each delivery reads its pipeline; not every build of PyYAML has it.
_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEYS = {name for model in _SECTIONS for name in model.model_fields}


def parse(text: str | bytes, where: str = "pipeline.yaml") -> Pipeline:
    """Read a pipeline.

    Raises:
        PipelineInvalid: it is not YAML, or breaks the schema; the message lists every problem with its place.
    """
    try:
        given = yaml.load(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise PipelineInvalid(f"{where} is not YAML: {error}.", problems=[str(error)]) from error
    if not isinstance(given, dict):
        raise PipelineInvalid(f"{where}: expected keys and values. Found {type(given).__name__}.", problems=[])
    try:
        return Pipeline.model_validate(given)
    except ValidationError as error:
        problems = [_sentence(dict(found)) for found in error.errors()]
        raise PipelineInvalid(f"{where}: " + " ".join(problems), problems=problems) from error


def _sentence(found: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in found["loc"]) or "the whole"
    if found["type"] == "extra_forbidden":
        near = get_close_matches(str(found["loc"][-1]), _KEYS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"{place}: this key is not known.{hint}"
    said = str(found["msg"]).removeprefix("Value error, ")
    value = found["input"]
    shown = "" if isinstance(value, dict | list | BaseModel) else f" Got {value!r}."
    return f"{place}: {said}{'' if said.endswith('.') else '.'}{shown if found['type'] != 'value_error' else ''}"
