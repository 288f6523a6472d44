"""The OpenAPI document of what this function answers."""

from functools import cache
from typing import Any

from dropforge.contracts.predictions import MOST_BYTES, MOST_EXPLAINED, MOST_INSTANCES, PROBLEM_TYPE, THRESHOLD

_PIPELINE = {
    "name": "pipeline",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,40}$"},
}


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1. The fields of an instance are those that `GET /v1/pipelines/{pipeline}` lists for the champion."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Dropforge predictions", "version": "1"},
        "paths": {
            "/v1/pipelines/{pipeline}:predict": {"post": _predict()},
            "/v1/pipelines/{pipeline}:explain": {"post": _explain()},
            "/v1/pipelines/{pipeline}": {
                "get": {
                    "operationId": "describe",
                    "summary": "The champion: its version, and each field that it takes.",
                    "parameters": [_PIPELINE],
                    "responses": {"200": _json("The champion.", {"type": "object"}), **_problems(404, 503)},
                }
            },
            "/healthz": {"get": _status("Whether this process runs.")},
            "/readyz": {"get": {**_status("Whether it can read which model serves.")}},
        },
        "components": {
            "schemas": {
                "Request": _REQUEST,
                "Answer": _ANSWER,
                "Explained": _EXPLAINED,
                "Problem": _PROBLEM,
                "Wrong": _WRONG,
            }
        },
    }


def _predict() -> dict[str, Any]:
    return {
        "operationId": "predict",
        "summary": "Ask the pipeline's champion.",
        "description": f"At most {MOST_BYTES} bytes and {MOST_INSTANCES} instances.",
        "parameters": [_PIPELINE],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Request")}}},
        "responses": {
            "200": _json("One prediction for each instance, in their order.", _ref("Answer")),
            **_problems(400, 404, 413, 415, 503),
        },
    }


def _explain() -> dict[str, Any]:
    return {
        "operationId": "explain",
        "summary": "Ask the pipeline's champion, and what each field added to the log-odds of its answer.",
        "description": (
            f"At most {MOST_BYTES} bytes and {MOST_EXPLAINED} instances. The values are exact: of a linear model what "
            "a field adds beyond its average, of trees the Shapley values of path-dependent TreeSHAP with fields as "
            "players. 501 for a model without a compiled form."
        ),
        "parameters": [_PIPELINE],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Request")}}},
        "responses": {
            "200": _json("As `predict`, with one explanation for each instance.", _ref("Explained")),
            **_problems(400, 404, 413, 415, 501, 503),
        },
    }


def _status(summary: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": _json("Yes.", {"type": "object"}), **_problems(503)}}


def _problems(*statuses: int) -> dict[str, Any]:
    content = {PROBLEM_TYPE: {"schema": _ref("Problem")}}
    return {str(status): {"description": "Problem details (RFC 9457).", "content": content} for status in statuses}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_REQUEST = {
    "type": "object",
    "required": ["instances"],
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
                "partial": {
                    "type": "boolean",
                    "default": False,
                    "description": "Answer what fits, and what does not with an error in its place.",
                },
            },
        },
    },
}
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
                    "probability": {"type": "number", "minimum": 0, "maximum": 1},
                    "label": {"type": "boolean", "description": "Whether the probability is above the threshold."},
                    "error": {"type": "array", "items": _ref("Wrong")},
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
        "outputName": {"const": "log_odds"},
        "baselineOutputValue": {"type": "number", "description": "Expected where nothing of the row is known."},
        "instanceOutputValue": {"type": "number", "description": "The baseline and all attributions together."},
        "featureAttributions": {"type": "object", "additionalProperties": {"type": "number"}},
        "approximationError": {"const": 0},
    },
}
_EXPLAINED = {
    "allOf": [_ref("Answer")],
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
        "errors": {"type": "array", "items": _ref("Wrong")},
    },
}
_WRONG = {
    "type": "object",
    "required": ["pointer", "instance", "field", "expected", "found"],
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer into the request (RFC 6901)."},
        "instance": {"type": "integer"},
        "field": {"type": "string"},
        "expected": {"type": "string"},
        "found": {"type": "string"},
    },
}
