"""Sampled Shapley values: how much each part of an instance moved a prediction away from a baseline's.

Castro, Gómez and Tejada, Polynomial calculation of the Shapley value based on sampling (2009). A path takes the parts
in random order and changes them, one by one, from the baseline's value to the instance's; what a change does to the
prediction is credited to its part; a value is the mean of its credits over all paths. So the values of an instance add
up to the difference between its prediction and the baselines' mean.
"""

import hashlib
import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Instance = Any  # JSON
Part = tuple[str | int, ...]  # the way to one scalar of an instance


@dataclass(frozen=True)
class Path:
    """One order of the parts, from one baseline to the instance. `steps`: the instances on the way, both ends too."""

    order: Sequence[Part]
    steps: Sequence[Instance]


@dataclass(frozen=True)
class Attribution:
    """What was credited to each part. `error`: the standard error of the credits, as a share of the difference."""

    credits: dict[Part, float]
    baseline_output: float
    instance_output: float
    error: float


def parts(value: Instance, way: Part = ()) -> Iterator[Part]:
    """The ways to all scalars of a value."""
    inner: Sequence[tuple[str | int, Any]]
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        yield way
        return
    for key, child in inner:
        yield from parts(child, (*way, key))


def at(value: Instance, way: Part) -> Any:
    """The scalar at the end of a way; a scalar on the way stands for all below it."""
    for key in way:
        if not isinstance(value, dict | list):
            return value
        value = value[key]  # type: ignore[index]  # a way holds strings for objects and numbers for lists
    return value


def replaced(value: Instance, way: Part, scalar: Any) -> Instance:
    """A copy of a value with one scalar changed."""
    if not way:
        return scalar
    key, rest = way[0], way[1:]
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = replaced(value[key], rest, scalar)
    return copy


def sampled_paths(
    instance: Instance, baselines: Sequence[Instance], explained: Sequence[Part], count: int
) -> list[Path]:
    """`count` paths, and at least one from each baseline; the same for the same arguments."""
    seed = hashlib.sha256(json.dumps([instance, list(baselines)], sort_keys=True).encode()).digest()
    chance = random.Random(seed)
    found = []
    for number in range(max(count, len(baselines))):
        order = chance.sample(explained, len(explained))
        baseline = baselines[number % len(baselines)]
        step = instance
        for way in order:
            step = replaced(step, way, at(baseline, way))
        steps = [step]
        for way in order:
            step = replaced(step, way, at(instance, way))
            steps.append(step)
        found.append(Path(order, steps))
    return found


def attribution(paths: Sequence[Path], outputs: Sequence[Sequence[Any]], output: Callable[[Any], float]) -> Attribution:
    """The values of the parts, given the predictions for each path's steps; `output` reads a prediction's number."""
    credits: dict[Part, list[float]] = {way: [] for way in paths[0].order}
    for path, predictions in zip(paths, outputs, strict=True):
        scores = [output(prediction) for prediction in predictions]
        for way, before, after in zip(path.order, scores, scores[1:], strict=False):
            credits[way].append(after - before)
    start = sum(output(predictions[0]) for predictions in outputs) / len(outputs)
    end = output(outputs[0][-1])
    means = {way: sum(given) / len(given) for way, given in credits.items()}
    spread = sum(sum((one - means[way]) ** 2 for one in given) for way, given in credits.items())
    error = math.sqrt(spread) / len(paths) / abs(end - start) if end != start else 0.0
    return Attribution(means, start, end, error)
