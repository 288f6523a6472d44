"""The OpenAPI document: it is one, and the function answers as it says."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from functions.build import REPO
from functions.predict.answering.openapi import document
from tests.functions.predict.conftest import Predict
from tests.functions.predict.test_explain import explain
from tests.functions.trained import flights

ONE = flights()[0]
SCHEMATHESIS = REPO / ".dropforge/schemathesis/bin/schemathesis"
# A 503 is promised (a key before its table is there), a 500 is not; so the status must be one that the document lists.
CHECKS = (
    "status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,"
    "unsupported_method"
)


def conforms(body: Any, schema: str) -> None:
    """Raises unless the body is as the document says."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document()["components"]}
    OAS31Validator(whole).validate(body)


def test_the_document_is_valid() -> None:
    """Clients are generated from it, and generators stop at the first error."""
    validate(document(), cls=OpenAPIV31SpecValidator)
    references = {part.split('"')[0] for part in json.dumps(document()).split("#/components/schemas/")[1:]}
    assert references == set(document()["components"]["schemas"])


def test_the_function_gives_it_away(predict: Predict) -> None:
    """It is where a client looks first."""
    assert predict.get("/openapi.json").json() == document()


def test_answers_are_as_the_document_says(predict: Predict) -> None:
    """One of each kind: answered, in part, explained, refused for a field and for its form."""
    part = {"instances": [ONE, {}], "parameters": {"partial": True}}
    for body, schema in (({"instances": [ONE]}, "Answer"), (part, "Answer"), ({"instances": [{}]}, "Problem")):
        conforms(predict.ask(body).json(), schema)
    conforms(predict.ask({"instances": []}).json(), "Problem")
    conforms(explain(predict, [ONE, {}], partial=True).json(), "Explained")
    conforms(predict.get("/nowhere").json(), "Problem")


@pytest.mark.heavy
def test_no_generated_request_gets_an_answer_of_another_kind(predict: Predict, tmp_path: Path) -> None:
    """Thousands of requests that the document allows or forbids, by schemathesis in an environment of its own:
    `uv venv .dropforge/schemathesis && uv pip install --python .dropforge/schemathesis schemathesis==4.32.5`."""
    if not SCHEMATHESIS.exists():
        pytest.skip(f"{SCHEMATHESIS} is not installed")
    told = tmp_path / "schemathesis.toml"
    told.write_text('[parameters]\npipeline = "flights"\n')  # of made-up names, hardly one would be a pipeline's
    run = [
        str(SCHEMATHESIS),
        "--config-file",
        str(told),
        "run",
        f"{predict.url}/openapi.json",
        "--checks",
        CHECKS,
        "--max-examples",
        "200",
    ]
    found = subprocess.run([*run, "--seed", "1"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert found.returncode == 0, (found.stdout + found.stderr)[-3000:]
