"""A prediction request and its answer, in Vertex AI's form, and refusals as problem details (RFC 9457).

    {"instances": [{"origin": "JFK", ...}], "parameters": {"threshold": 0.5}}
    {"predictions": [{"probability": 0.31, "label": false}], ...}

What an answer holds depends on what is predicted: see `outcomes`. `label` says whether the probability is above the
threshold, which is one half where the request names none; other tasks have no threshold. With the parameter `partial`,
an instance that does not fit is answered `{"error": [...]}` in its place, and the others are predicted; without it,
such an instance refuses the whole request. With `"by": "key"` each instance is the key of a row that was answered in
advance. With `"explain": true`, which `predict` sets for `:explain`, each answer has an
`explanation` too: what each column added to the log-odds. `"keys"`, one object for each instance, are kept with
the answers, so that a label that comes later can name its row.
"""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from dropforge.contracts.errors import RequestInvalid
from dropforge.contracts.instances import escaped
from dropforge.contracts.outcomes import BINARY, Given, Outcome

MOST_BYTES = 1_500_000  # of a body: what a Vertex AI endpoint takes
MOST_INSTANCES = 10_000
MOST_EXPLAINED = 100  # instances; one takes some 15 ms, five hundred times as long as its prediction
THRESHOLD = 0.5
PROBLEM_TYPE = "application/problem+json"
_MEMBERS = ("instances", "parameters")
_PARAMETERS = ("by", "explain", "keys", "partial", "threshold")
_SHOWN = 80  # characters of a value that a refusal repeats


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose form is right; its instances are still to be checked against a signature."""

    instances: list[Any]
    threshold: float = THRESHOLD
    partial: bool = False
    by_key: bool = False
    explain: bool = False
    keys: list[dict[str, Any]] | None = None
    checked: bool = False  # each instance is known to fit, and is not looked at again

    @property
    def row_keys(self) -> list[Any] | None:
        """The key of each instance's row, where the caller gave it; not checked yet where the instances are keys."""
        return self.instances if self.by_key else self.keys

    def answer(self, given: Given, outcome: Outcome = BINARY) -> dict[str, Any]:
        """The answer to one instance, from what the predictor gave."""
        return outcome.answer(given, self.threshold)

    def explained(self) -> "Request":
        """The same with explanations.

        Raises:
            RequestInvalid: there are more instances than are explained at once, or keys instead of features.
        """
        if len(self.instances) > MOST_EXPLAINED:
            raise _invalid("/instances", f"1 to {MOST_EXPLAINED} instances to explain", str(len(self.instances)))
        if self.by_key:
            raise _invalid("/parameters/by", "'by' to be 'features', for only features are explained", "'key'")
        return replace(self, explain=True)

    def said(self) -> dict[str, Any]:
        """The body that says the same; not for a request by key, which no model answers."""
        parameters = {"threshold": self.threshold, "partial": self.partial, "explain": self.explain}
        return {"instances": self.instances, "parameters": parameters}


def read(body: Any) -> Request:
    """A parsed JSON body as a request. Whatever lies deeper than the fields of an instance is refused by name.

    Raises:
        RequestInvalid: `instances` is no list of at least one and at most `MOST_INSTANCES`, or `parameters` are wrong;
            with `problems` in its fields, which name the place by a JSON pointer.
    """
    if not isinstance(body, dict) or not isinstance(body.get("instances"), list):
        raise RequestInvalid(
            'Expected a body {"instances": [{...}, ...]}. Found none.',
            problems=[_wrong("/instances", "a list of objects", "nothing of the kind")],
        )
    instances = body["instances"]
    if not 1 <= len(instances) <= MOST_INSTANCES:
        raise _invalid("/instances", f"1 to {MOST_INSTANCES} instances", str(len(instances)))
    if len(body) == 1:
        return Request(instances)
    for name in body:
        if name not in _MEMBERS:
            raise _invalid(f"/{escaped(name)}", f"only the members {', '.join(_MEMBERS)}", repr(name))
    parameters = body.get("parameters")
    return Request(instances) if parameters is None else _with_parameters(instances, parameters)


def _with_parameters(instances: list[Any], parameters: Any) -> Request:
    if not isinstance(parameters, dict):
        raise _invalid("/parameters", "'parameters' to be an object", type(parameters).__name__)
    for name in parameters:
        if name not in _PARAMETERS:
            raise _invalid(f"/parameters/{escaped(name)}", f"only the parameters {', '.join(_PARAMETERS)}", repr(name))
    threshold = parameters.get("threshold", THRESHOLD)
    if type(threshold) not in (int, float) or not 0 <= threshold <= 1:
        raise _invalid("/parameters/threshold", "'threshold' to be a number from 0 to 1", repr(threshold))
    partial, explain = (_flag(parameters, name) for name in ("partial", "explain"))
    by = parameters.get("by", "features")
    if by not in ("features", "key"):
        raise _invalid("/parameters/by", "'by' to be 'features' or 'key'", repr(by))
    keys = _keys(instances, parameters.get("keys"))
    request = Request(instances, float(threshold), partial, by == "key", keys=keys)
    return request.explained() if explain else request


def _keys(instances: list[Any], keys: Any) -> list[dict[str, Any]] | None:
    if keys is None:
        return None
    if not isinstance(keys, list) or len(keys) != len(instances):
        found = f"{len(keys)}" if isinstance(keys, list) else repr(keys)[:_SHOWN]
        raise _invalid("/parameters/keys", f"'keys' to be {len(instances)} objects, one for each instance", found)
    for index, key in enumerate(keys):
        if type(key) is not dict or not key:
            raise _invalid(f"/parameters/keys/{index}", "an object of the columns of a key", repr(key)[:_SHOWN])
    return keys


def _flag(parameters: dict[str, Any], name: str) -> bool:
    value = parameters.get(name, False)
    if type(value) is not bool:
        raise _invalid(f"/parameters/{name}", f"{name!r} to be true or false", repr(value))
    return value


def _invalid(pointer: str, expected: str, found: str) -> RequestInvalid:
    found = found if len(found) <= _SHOWN else f"{found[:_SHOWN]}..."
    return RequestInvalid(f"Expected {expected}. Found {found}.", problems=[_wrong(pointer, expected, found)])


def _wrong(pointer: str, expected: str, found: str) -> dict[str, str]:
    return {"pointer": pointer, "expected": expected, "found": found}


def problem(status: int, detail: str, **more: Any) -> dict[str, Any]:
    """The body of a refusal. `more` adds members, such as `errors` with one line for each wrong field."""
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
