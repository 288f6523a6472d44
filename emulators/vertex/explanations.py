"""Online explanations of a custom container's predictions, by sampled Shapley values over its own predict route.

https://cloud.google.com/vertex-ai/docs/explainable-ai/configuring-explanations-feature-based
The other methods need a model's gradients, or an index of examples: with a custom container the service has no
gradients either, and refuses them as here.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from emulators.vertex.errors import FailedPrecondition, InvalidArgument, Unimplemented
from emulators.vertex.schema import Json
from emulators.vertex.shapley import Part, Path, attribution, parts, sampled_paths

METHOD = "sampledShapleyAttribution"
MOST_PATHS = 50  # the service's limit
AT_ONCE = 256  # instances in one request to the model server

# Instances to predictions, in order.
Predict = Callable[[list[Any]], Awaitable[list[Any]]]
Index = tuple[int, ...]


def check_spec(spec: Json) -> None:
    """Refuse an explanation spec that cannot be carried out.

    Raises:
        InvalidArgument: it is incomplete, or its method needs what a custom container has not.
    """
    parameters, metadata = spec.get("parameters", {}), spec.get("metadata", {})
    if "examples" in parameters:
        raise Unimplemented("Example-based explanations are not implemented by this emulator.")
    if METHOD not in parameters:
        raise InvalidArgument(
            "Expected sampled_shapley_attribution in ExplanationSpec.parameters, the one attribution method that needs "
            f"no gradients, which custom containers do not give. Got {', '.join(sorted(parameters)) or 'nothing'}."
        )
    count = int(parameters[METHOD].get("pathCount", 0))
    if not 1 <= count <= MOST_PATHS:
        raise InvalidArgument(f"Expected 1 <= path_count <= {MOST_PATHS}. Got {count}.")
    if not metadata.get("inputs") or len(metadata.get("outputs", {})) != 1:
        raise InvalidArgument("ExplanationSpec.metadata needs inputs and exactly one output.")


def merged(model: Json, given: Json) -> Json:
    """A spec in which what was not given is the model's."""
    return {**model, **{key: value for key, value in given.items() if value}}


def overridden(spec: Json, override: Json) -> Json:
    """The spec of one request, with other parameters or baselines.

    Raises:
        InvalidArgument: the method would change, a feature is not known, or the whole cannot be carried out.
    """
    parameters = override.get("parameters", {})
    methods = {"integratedGradientsAttribution", "xraiAttribution", "examples"} & parameters.keys()
    if methods:
        raise InvalidArgument(f"The attribution method cannot be overridden. Got {', '.join(sorted(methods))}.")
    inputs = dict(spec["metadata"]["inputs"])
    for name, given in override.get("metadata", {}).get("inputs", {}).items():
        if name not in inputs:
            raise InvalidArgument(
                f"The feature {name!r} is not in the ExplanationMetadata: {', '.join(sorted(inputs))}."
            )
        inputs[name] = {**inputs[name], **given}
    whole = {
        "parameters": {**spec["parameters"], **parameters},
        "metadata": {**spec["metadata"], "inputs": inputs},
    }
    check_spec(whole)
    return whole


async def explained(predict: Predict, instances: Sequence[Any], spec: Json) -> tuple[list[Json], list[Any]]:
    """An explanation for each instance, and the predictions.

    Raises:
        InvalidArgument: an instance has not the features that the spec names, or a prediction not the output.
        ApiError: the model server failed.
    """
    explanations, predictions = [], []
    for instance in instances:
        paths = _paths(instance, spec)
        steps = [step for path in paths for step in path.steps]
        answers: list[Any] = []
        for start in range(0, len(steps), AT_ONCE):
            answers += await predict(steps[start : start + AT_ONCE])
        outputs = _by_path(paths, answers)
        predictions.append(outputs[0][-1])
        explanations.append({"attributions": _attributions(paths, outputs, spec)})
    return explanations, predictions


def _paths(instance: Any, spec: Json) -> list[Path]:
    inputs = spec["metadata"]["inputs"]
    keyed = isinstance(instance, dict)
    if not keyed and len(inputs) != 1:
        raise InvalidArgument(f"Expected an instance with the features {', '.join(sorted(inputs))}. Got {instance!r}.")
    missing = sorted(inputs.keys() - instance.keys()) if keyed else []
    if missing:
        raise InvalidArgument(f"The instance lacks the features {', '.join(missing)} of the ExplanationMetadata.")
    given = {name: _baselines(instance[name] if keyed else instance, of) for name, of in inputs.items()}
    most = max(len(baselines) for baselines in given.values())
    rows: list[Any] = [{name: each[row % len(each)] for name, each in given.items()} for row in range(most)]
    ways = [(name, *way) for name in inputs for way in parts(instance[name])] if keyed else list(parts(instance))
    baselines = rows if keyed else [next(iter(row.values())) for row in rows]
    return sampled_paths(instance, baselines, ways, int(spec["parameters"][METHOD]["pathCount"]))


def _baselines(value: Any, metadata: Json) -> list[Any]:
    return list(metadata.get("inputBaselines", [])) or [_neutral(value)]


def _neutral(value: Any) -> Any:
    """The baseline that is chosen where none is given: zeros, and empty text."""
    if isinstance(value, dict):
        return {key: _neutral(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_neutral(child) for child in value]
    return value if value is None else type(value)()


def _by_path(paths: Sequence[Path], answers: Sequence[Any]) -> list[Sequence[Any]]:
    length = len(paths[0].steps)
    return [answers[number * length : (number + 1) * length] for number in range(len(paths))]


def _attributions(paths: Sequence[Path], outputs: Sequence[Sequence[Any]], spec: Json) -> list[Json]:
    ((name, metadata),) = spec["metadata"]["outputs"].items()
    prediction = outputs[0][-1]
    found = []
    for index in _indices(_output(prediction, name), spec["parameters"]):
        result = attribution(paths, outputs, lambda answer, index=index: _number(_output(answer, name), index))  # type: ignore[misc]
        names = metadata.get("indexDisplayNameMapping")
        if metadata.get("displayNameMappingKey") and isinstance(prediction, dict):
            names = prediction.get(metadata["displayNameMappingKey"])
        found.append(
            {
                "baselineOutputValue": result.baseline_output,
                "instanceOutputValue": result.instance_output,
                "featureAttributions": _shaped(result.credits, spec),
                "approximationError": result.error,
                "outputName": name,
                **({"outputIndex": list(index)} if index else {}),
                **({"outputDisplayName": str(_item(names, index))} if names is not None else {}),
            }
        )
    return found


def _output(prediction: Any, name: str) -> Any:
    if isinstance(prediction, dict):
        if name not in prediction:
            raise InvalidArgument(f"The prediction has no output {name!r}. It has {', '.join(sorted(prediction))}.")
        return prediction[name]
    return prediction


def _indices(output: Any, parameters: Json) -> list[Index]:
    """Which of the outputs are explained: those asked for, else the `topK` largest, the largest by default."""
    if not isinstance(output, list):
        return [()]
    every = [way for way in parts(output) if all(isinstance(key, int) for key in way)]
    wanted = parameters.get("outputIndices")
    if wanted:
        chosen = [tuple(int(key) for key in (one if isinstance(one, list) else [one])) for one in wanted]
        unknown = [list(index) for index in chosen if index not in every]
        if unknown:
            raise InvalidArgument(f"output_indices {unknown} are not in an output of {len(every)} numbers.")
        return chosen
    count = int(parameters.get("topK", 1))
    largest = sorted(every, key=lambda index: -_number(output, index))
    return [tuple(int(key) for key in index) for index in (largest if count == -1 else largest[:count])]


def _item(value: Any, index: Part) -> Any:
    for key in index:
        value = value[key]
    return value


def _number(output: Any, index: Part) -> float:
    value = _item(output, index)
    if isinstance(value, bool | int | float):
        return float(value)
    raise FailedPrecondition(f"Only numbers can be explained. The model's output is {value!r}.")


def _shaped(credits: dict[Part, float], spec: Json) -> Json:
    """The values in the shape of the features that they belong to."""
    keyed = all(way and isinstance(way[0], str) for way in credits)
    tree: Any = {}
    for way, value in credits.items():
        whole = way if keyed else (next(iter(spec["metadata"]["inputs"])), *way)
        node = tree
        for key in whole[:-1]:
            node = node.setdefault(key, {})
        node[whole[-1]] = value
    shaped: Json = _lists(tree)
    return shaped


def _lists(tree: Any) -> Any:
    """Lists in place of objects whose keys are numbers."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(isinstance(key, int) for key in tree):
        return [_lists(tree[key]) for key in sorted(tree)]
    return {key: _lists(child) for key, child in tree.items()}
