"""`:explain`: what each field of an instance added to its answer, in the form of Vertex AI's own `explain`.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/explain
"""

from typing import Any


def explained(answered: dict[str, Any]) -> dict[str, Any]:
    """An answer whose predictions have an `explanation` with these in `explanations` beside them instead.

    An instance that was answered with an error has no attributions.
    """
    explanations = [found.pop("explanation", None) for found in answered["predictions"]]
    return {**answered, "explanations": [{"attributions": _attributions(each)} for each in explanations]}


def _attributions(explanation: dict[str, Any] | None) -> list[dict[str, Any]]:
    if explanation is None:
        return []
    return [
        {
            "outputName": "log_odds",
            "baselineOutputValue": explanation["base"],
            "instanceOutputValue": explanation["raw"],
            "featureAttributions": explanation["contributions"],
            "approximationError": 0.0,  # the values are exact
        }
    ]
