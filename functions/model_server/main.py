"""The model server: one candidate behind Vertex AI's contract for custom containers.

https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements
"""

import os
import sys

import uvicorn
from application import Application  # type: ignore[import-not-found]  # it lies beside main.py in the bundle
from candidate import load  # type: ignore[import-not-found]  # as above

from dropforge.contracts.errors import DropforgeError
from dropforge.gcp import logs

log = logs.logger("model_server")


def main() -> None:
    """Load the candidate that the environment names, let it predict once, then serve until told to stop.

    A candidate that cannot be loaded or does not predict ends the process with one clear line, so that the deployment
    fails and says why.
    """
    environment = os.environ
    try:
        loaded = load(environment)
    except DropforgeError as error:
        log.critical(f"The model server does not start: {error}", extra={"fields": {"error": logs.error_fields(error)}})
        sys.exit(1)
    log.info(
        f"Serving the candidate {loaded.candidate.candidate_id} by {loaded.by}",
        extra={"fields": {"sha256": loaded.candidate.artefact_sha256, "seconds": loaded.seconds}},
    )
    uvicorn.run(
        Application(
            loaded,
            predict_route=environment.get("AIP_PREDICT_ROUTE", "/predict"),
            health_route=environment.get("AIP_HEALTH_ROUTE", "/healthz"),
        ),
        host="0.0.0.0",  # a container is reached from without
        port=int(environment.get("AIP_HTTP_PORT", "8080")),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
