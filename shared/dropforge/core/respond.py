"""From a request to its predictions, the same in the model server and within `predict`."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from dropforge.contracts.errors import NotExplainable
from dropforge.contracts.instances import Signature
from dropforge.contracts.outcomes import BINARY, Given, Outcome
from dropforge.contracts.predictions import Request
from dropforge.core.compiled import Explanation

Predict = Callable[[list[dict[str, Any]]], Sequence[Given]]
Explain = Callable[[list[dict[str, Any]]], Sequence[Explanation]]


def respond(
    request: Request,
    signature: Signature,
    predict: Predict,
    explain: Explain | None = None,
    outcome: Outcome = BINARY,
) -> list[dict[str, Any]]:
    """One answer for each instance, in their order.

    Raises:
        RequestInvalid: an instance does not fit the signature, unless the request is `partial`: then its answer is an
            `error` that lists its problems.
        NotExplainable: explanations are asked for, and there is no `explain`.
    """
    instances = request.instances
    if request.checked or not request.partial:
        if not request.checked:
            signature.check(instances)
        return _answers(request, instances, predict, explain, outcome)
    fits = [signature.fits(instance) for instance in instances]
    fitting = [instance for instance, fit in zip(instances, fits, strict=True) if fit]
    answered = iter(_answers(request, fitting, predict, explain, outcome) if fitting else [])
    return [
        next(answered) if fit else {"error": signature.told(index, instance)}
        for index, (instance, fit) in enumerate(zip(instances, fits, strict=True))
    ]


def _answers(
    request: Request, instances: list[dict[str, Any]], predict: Predict, explain: Explain | None, outcome: Outcome
) -> list[dict[str, Any]]:
    answers = [request.answer(given, outcome) for given in predict(instances)]
    if request.explain:
        if explain is None:
            raise NotExplainable("This model has no compiled form, and only a compiled form is explained.")
        for answer, found in zip(answers, explain(instances), strict=True):
            answer["explanation"] = asdict(found)
    return answers
