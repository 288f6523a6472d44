"""From a request to its predictions, the same in the model server and within `predict`."""

from collections.abc import Callable
from typing import Any

from dropforge.contracts.instances import Signature
from dropforge.contracts.predictions import Request

Predict = Callable[[list[dict[str, Any]]], list[float]]


def respond(request: Request, signature: Signature, predict: Predict) -> list[dict[str, Any]]:
    """One answer for each instance, in their order.

    Raises:
        RequestInvalid: an instance does not fit the signature, unless the request is `partial`: then its answer is an
            `error` that lists its problems.
    """
    instances = request.instances
    if not request.partial:
        signature.check(instances)
        return [request.answer(given) for given in predict(instances)]
    fits = [signature.fits(instance) for instance in instances]
    fitting = [instance for instance, fit in zip(instances, fits, strict=True) if fit]
    answered = iter(predict(fitting) if fitting else [])
    return [
        request.answer(next(answered)) if fit else {"error": signature.told(index, instance)}
        for index, (instance, fit) in enumerate(zip(instances, fits, strict=True))
    ]
