"""`flow.yaml`, typed and strict: what triggers each function, what it emits, and its limits."""

from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from croniter import croniter
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

PATH = Path(__file__).with_name("flow.yaml")
DEAD_LETTER = "dead-letter"

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)

# What is also a legal bucket suffix, topic id and part of a subscription id:
# https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
FunctionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class FlowInvalid(Exception):
    """`flow.yaml` cannot be used. `problems` holds one sentence for each thing that is wrong."""

    def __init__(self, where: str, problems: list[str]) -> None:
        super().__init__(f"{where}: {' '.join(problems)}")
        self.problems = problems


class Retry(BaseModel):
    """Pub/Sub's back-off between two deliveries, in seconds, and how many deliveries before the dead-letter topic."""

    model_config = _STRICT
    minimum_seconds: int = Field(ge=0, le=600)
    maximum_seconds: int = Field(ge=0, le=600)
    attempts: int = Field(ge=5, le=100)  # the bounds of DeadLetterPolicy.max_delivery_attempts

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.minimum_seconds > self.maximum_seconds:
            raise ValueError(
                f"'minimum_seconds' must not exceed 'maximum_seconds'. "
                f"Got {self.minimum_seconds} and {self.maximum_seconds}."
            )
        return self


class Trigger(BaseModel):
    """What starts a function: messages (of a bucket, of topics, or both), requests below a path, or a schedule.

    `schedule` is in cron's five fields, by the clock of `zone`, which is UTC unless given.
    """

    model_config = _STRICT
    storage: Name | None = None
    topics: list[Name] | None = Field(default=None, min_length=1)
    http: str | None = Field(default=None, pattern=r"^/([a-z0-9_-]+/)*$")
    schedule: str | None = None
    zone: str | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in ("storage", "topics", "http", "schedule") if getattr(self, kind) is not None]
        if len(given) != 1 and given != ["storage", "topics"]:
            raise ValueError(
                f"Expected 'storage', 'topics' or both, or else 'http' or 'schedule'. Got {given or 'none'}."
            )
        return self

    @model_validator(mode="after")
    def _has_times(self) -> Self:
        if self.schedule is not None and (len(self.schedule.split()) != 5 or not croniter.is_valid(self.schedule)):
            raise ValueError(f"'schedule' is in cron's five fields, such as '*/15 * * * *'. Got {self.schedule!r}.")
        if self.zone is not None and self.schedule is None:
            raise ValueError("'zone' belongs to a 'schedule'.")
        try:
            self._zone()
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"'zone' is a name such as Europe/Vienna or Etc/UTC. Got {self.zone!r}.") from error
        return self

    def _zone(self) -> tzinfo:
        return UTC if self.zone in (None, "Etc/UTC") else ZoneInfo(self.zone)  # UTC needs no time-zone database

    def due_after(self, moment: float) -> float:
        """The schedule's first time after `moment`; both in seconds since the epoch."""
        assert self.schedule is not None, "only a schedule has times"
        start = datetime.fromtimestamp(moment, self._zone())
        found: datetime = croniter(self.schedule, start).get_next(datetime)
        return found.timestamp()


class Function(BaseModel):
    """One function: its entry point in `main.py`, its trigger and its limits."""

    model_config = _STRICT
    entry_point: str = Field(pattern=r"^[a-z_][a-z0-9_]*$")
    asgi: bool = False
    trigger: Trigger
    emits: list[Name]
    memory_mb: int = Field(ge=128, le=32768)
    timeout_seconds: int = Field(ge=1, le=3600)
    concurrency: int = Field(ge=1, le=1000)
    max_instances: int = Field(ge=1, le=1000)
    retry: Retry | None = None
    role: Name
    invoker: Literal["private", "public"] = "private"

    @model_validator(mode="after")
    def _is_called_by_somebody(self) -> Self:
        if self.invoker == "public" and self.trigger.http is None:
            raise ValueError(
                "'invoker: public' is for functions with an http trigger: events come from Eventarc alone."
            )
        return self

    @model_validator(mode="after")
    def _retries_what_is_delivered(self) -> Self:
        if (self.retry is None) != (self.trigger.http is not None):
            raise ValueError(
                "'retry' belongs to every function with a storage, topics or schedule trigger, and to no other."
            )
        return self


class Container(BaseModel):
    """A container whose bundle is built like a function's: the model server behind a Vertex AI endpoint, or a job's.

    Only a server has routes.
    """

    model_config = _STRICT
    image: str
    command: list[str] = Field(min_length=1)
    predict_route: str | None = Field(default=None, pattern=r"^/")
    health_route: str | None = Field(default=None, pattern=r"^/")
    memory_mb: int = Field(ge=128)
    role: Name


class Flow(BaseModel):
    """The whole of `flow.yaml`."""

    model_config = _STRICT
    buckets: dict[Name, str]
    topics: dict[Name, str]
    functions: dict[FunctionName, Function]
    containers: dict[FunctionName, Container] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_what_it_declares(self) -> Self:
        problems = [*self._unknown_names(), *self._shared_prefixes()]
        if problems:
            raise ValueError(" ".join(problems))
        return self

    def _unknown_names(self) -> list[str]:
        problems = []
        for name, function in self.functions.items():
            bucket = function.trigger.storage
            if bucket is not None and bucket not in self.buckets:
                problems.append(f"{name}.trigger.storage: there is no bucket {bucket!r}.{_hint(bucket, self.buckets)}")
            problems += [
                f"{name}.{key}: there is no topic {topic!r}.{_hint(topic, self.topics)}"
                for key, topics in (("trigger.topics", function.trigger.topics or []), ("emits", function.emits))
                for topic in topics
                if topic not in self.topics
            ]
            if function.retry is not None and DEAD_LETTER not in self.topics:
                problems.append(f"{name}.retry: deliveries given up need a topic {DEAD_LETTER!r} to go to.")
        return problems

    def _shared_prefixes(self) -> list[str]:
        taken: dict[str, str] = {}
        problems = []
        for name, function in self.functions.items():
            prefix = function.trigger.http
            if prefix is not None and taken.setdefault(prefix, name) != name:
                problems.append(f"{name}.trigger.http: {prefix!r} already belongs to {taken[prefix]!r}.")
        return problems


def read(path: Path = PATH) -> Flow:
    """Read a flow.

    Raises:
        FlowInvalid: it is not YAML, or breaks the schema; the message lists every problem with its place.
    """
    try:
        given = yaml.load(path.read_bytes(), Loader=_UniqueKeys)
    except yaml.YAMLError as error:
        raise FlowInvalid(str(path), [f"This is not YAML: {error}."]) from error
    try:
        return Flow.model_validate(given)
    except ValidationError as error:
        raise FlowInvalid(str(path), [_sentence(dict(found)) for found in error.errors()]) from error


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key given twice is an error; PyYAML silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _sentence(found: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in found["loc"]) or "the whole"
    if found["type"] == "extra_forbidden":
        known = {key for model in (Flow, Function, Trigger, Retry, Container) for key in model.model_fields}
        return f"{place}: this key is not known.{_hint(str(found['loc'][-1]), known)}"
    if found["type"] == "value_error":
        return f"{place}: {str(found['msg']).removeprefix('Value error, ')}"
    if found["type"] == "missing":
        return f"{place}: this key is required."
    return f"{place}: {found['msg']}. Got {found['input']!r}."


def _hint(word: str, known: dict[str, str] | set[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
