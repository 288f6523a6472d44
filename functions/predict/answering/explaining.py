"""`:explain`: what each field of an instance added to its answer, in the form of Vertex AI's own `explain`.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/explain
"""

from typing import Any


def explained(answered: dict[str, Any]) -> dict[str, Any]:
    """An answer whose predictions have an `explanation` with these in `explanations` beside them instead.

    An instance that was answered with an error has no attributions. The answer that is given is not changed: the log
    may still hold it.
    """
    explanations = [{"attributions": _attributions(found)} for found in answered["predictions"]]
    return {**answered, "predictions": list(map(without, answered["predictions"])), "explanations": explanations}


def without(found: dict[str, Any]) -> dict[str, Any]:
    """A prediction without its `explanation`."""
    return {name: value for name, value in found.items() if name != "explanation"}


def _attributions(found: dict[str, Any]) -> list[dict[str, Any]]:
    explanation = found.get("explanation")
    if explanation is None:
        return []
    return [
        {
            **_output(found),
            "baselineOutputValue": explanation["base"],
            "instanceOutputValue": explanation["raw"],
            "featureAttributions": explanation["contributions"],
            "approximationError": 0.0,  # the values are exact
        }
    ]


def _output(found: dict[str, Any]) -> dict[str, str]:
    """What is explained: the log-odds of a yes, a number, or the score of the likeliest class."""
    if "class" in found:
        return {"outputName": "score", "outputDisplayName": str(found["class"])}
    return {"outputName": "value" if "value" in found else "log_odds"}
