"""Failures in BigQuery's own form.

https://cloud.google.com/bigquery/docs/error-messages has the reason of each status.
"""

from starlette.responses import JSONResponse

REASONS = {
    400: "invalid",
    401: "authError",
    403: "rateLimitExceeded",
    404: "notFound",
    409: "duplicate",
    412: "conditionNotMet",
    429: "rateLimitExceeded",
    500: "internalError",
    501: "notImplemented",
    502: "backendError",
    503: "backendError",
}


class EmulatorUnusable(SystemExit):
    """The adopted emulator cannot be started; the message says what is missing and what to do."""


def error_response(status: int, message: str) -> JSONResponse:
    """The body that BigQuery's REST API gives with this HTTP status."""
    reason = REASONS.get(status, "backendError")
    detail = {"message": message, "domain": "global", "reason": reason}
    return JSONResponse({"error": {"code": status, "message": message, "errors": [detail]}}, status_code=status)
