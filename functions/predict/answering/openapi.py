"""The OpenAPI document of what this function answers."""

from functools import cache
from typing import Any

from dropforge.contracts.predictions import MOST_BYTES, MOST_EXPLAINED, MOST_INSTANCES, PROBLEM_TYPE

from .labels import MOST as MOST_LABELS
from .labels import SCHEMA as LABELS
from .schemas import SCHEMAS, ref

_PIPELINE = {
    "name": "pipeline",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,40}$"},
}
_ID_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An ID token whose audience is this service. Cloud Run checks it: 401 without, 403 if not for you.",
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
            "/v1/pipelines/{pipeline}:label": {"post": _label()},
            "/v1/pipelines/{pipeline}": {
                "get": {
                    "operationId": "describe",
                    "summary": "The champion: its version, and each field that it takes.",
                    "parameters": [_PIPELINE],
                    "responses": {"200": _json("The champion.", {"type": "object"}), **_problems(404, 503)},
                }
            },
            "/healthz": {"get": _status("healthy", "Whether this process runs.")},
            "/readyz": {"get": _status("ready", "Whether it can read which model serves.", 503)},
        },
        "components": {"schemas": SCHEMAS, "securitySchemes": {"idToken": _ID_TOKEN}},
        "security": [{"idToken": []}],
    }


def _predict() -> dict[str, Any]:
    return {
        "operationId": "predict",
        "summary": "Ask the pipeline's champion.",
        "description": f"At most {MOST_BYTES} bytes and {MOST_INSTANCES} instances.",
        "parameters": [_PIPELINE],
        "requestBody": {"required": True, "content": {"application/json": {"schema": ref("Request")}}},
        "responses": {
            "200": _json("One prediction for each instance, in their order.", ref("Answer")),
            **_problems(400, 404, 413, 415, 503),
        },
    }


def _explain() -> dict[str, Any]:
    return {
        "operationId": "explain",
        "summary": "Ask the pipeline's champion, and what each field added to its answer.",
        "description": (
            f"At most {MOST_BYTES} bytes and {MOST_EXPLAINED} instances. The values are exact: of a linear model what "
            "a field adds beyond its average, of trees the Shapley values of path-dependent TreeSHAP with fields as "
            "players. 501 for a model without a compiled form."
        ),
        "parameters": [_PIPELINE],
        "requestBody": {"required": True, "content": {"application/json": {"schema": ref("Request")}}},
        "responses": {
            "200": _json("As `predict`, with one explanation for each instance.", ref("Explained")),
            **_problems(400, 404, 413, 415, 501, 503),
        },
    }


def _label() -> dict[str, Any]:
    return {
        "operationId": "label",
        "summary": "Say what came of predictions, by their ids or by the keys of their rows.",
        "description": f"At most {MOST_LABELS} labels. Given again they change nothing; the first of several counts.",
        "parameters": [_PIPELINE],
        "requestBody": {"required": True, "content": {"application/json": {"schema": LABELS}}},
        "responses": {
            "200": _json("How many labels were taken.", {"type": "object"}),
            **_problems(400, 404, 413, 415, 503),
        },
    }


def _status(operation: str, summary: str, *problems: int) -> dict[str, Any]:
    responses = {"200": _json("Yes.", {"type": "object"}), **_problems(*problems)}
    return {"operationId": operation, "summary": summary, "security": [], "responses": responses}


def _problems(*statuses: int) -> dict[str, Any]:
    content = {PROBLEM_TYPE: {"schema": ref("Problem")}}
    return {str(status): {"description": "Problem details (RFC 9457).", "content": content} for status in statuses}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
