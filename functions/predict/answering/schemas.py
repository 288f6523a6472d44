"""What the OpenAPI document says of bodies, as JSON Schema."""

from typing import Any

from dropforge.contracts.predictions import MOST_INSTANCES, THRESHOLD


def ref(name: str) -> dict[str, str]:
    """A reference to one of `SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


_REQUEST = {
    "type": "object",
    "required": ["instances"],
    "additionalProperties": False,
    "properties": {
        "instances": {"type": "array", "minItems": 1, "maxItems": MOST_INSTANCES, "items": {"type": "object"}},
        "parameters": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "threshold": {"type": "number", "minimum": 0, "maximum": 1, "default": THRESHOLD},
                "by": {
                    "enum": ["features", "key"],
                    "default": "features",
                    "description": "With `key`, an instance is the key of a row that was answered in advance.",
                },
                "keys": {
                    "type": "array",
                    "items": {"type": "object", "minProperties": 1},
                    "description": "For each instance the key of its row, by which a label may name it later.",
                },
                "partial": {
                    "type": "boolean",
                    "default": False,
                    "description": "Answer what fits, and what does not with an error in its place.",
                },
            },
        },
    },
}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_ANSWER = {
    "type": "object",
    "required": ["predictions", "deployedModelId", "model", "modelVersionId"],
    "properties": {
        "predictions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "version"],
                "properties": {
                    "id": {"type": "string", "description": "Names this prediction, for labels that come later."},
                    "version": {"type": "string", "description": "Of the model that answered."},
                    "probability": {**_SHARE, "description": "Of yes; or of the class that is answered."},
                    "label": {"type": "boolean", "description": "Yes or no: is the probability above the threshold?"},
                    "value": {"type": "number", "description": "Of a model that predicts a number, in its unit."},
                    "class": {"type": "string", "description": "The most probable one, of a model of classes."},
                    "probabilities": {"type": "object", "additionalProperties": _SHARE},
                    "error": {"type": "array", "items": ref("Wrong")},
                },
            },
        },
        "deployedModelId": {"type": "string"},
        "model": {"type": "string"},
        "modelVersionId": {"type": "string"},
    },
}
_ATTRIBUTION = {
    "type": "object",
    "required": ["outputName", "baselineOutputValue", "instanceOutputValue", "featureAttributions"],
    "properties": {
        "outputName": {"enum": ["log_odds", "value", "score"]},
        "outputDisplayName": {"type": "string", "description": "Of a score: the likeliest class, whose it is."},
        "baselineOutputValue": {"type": "number", "description": "Expected where nothing of the row is known."},
        "instanceOutputValue": {"type": "number", "description": "The baseline and all attributions together."},
        "featureAttributions": {"type": "object", "additionalProperties": {"type": "number"}},
        "approximationError": {"const": 0},
    },
}
_EXPLAINED = {
    "allOf": [ref("Answer")],
    "type": "object",
    "required": ["explanations"],
    "properties": {
        "explanations": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["attributions"],
                "properties": {"attributions": {"type": "array", "maxItems": 1, "items": _ATTRIBUTION}},
            },
        }
    },
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "version": {"type": "string", "description": "Whose signature the request does not fit."},
        "errors": {"type": "array", "items": ref("Wrong")},
    },
}
_WRONG = {
    "type": "object",
    "required": ["pointer", "expected", "found"],
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer into the request (RFC 6901)."},
        "instance": {"type": "integer", "description": "Which of `instances`, where it is one of them."},
        "field": {"type": "string", "description": "Empty for the whole instance."},
        "expected": {"type": "string"},
        "found": {"type": "string"},
    },
}
SCHEMAS: dict[str, Any] = {
    "Request": _REQUEST,
    "Answer": _ANSWER,
    "Explained": _EXPLAINED,
    "Problem": _PROBLEM,
    "Wrong": _WRONG,
}
