"""Calls of another emulator's REST API, with its refusals told apart from its absence."""

from typing import Any

import httpx

from emulators.addresses import base_url
from emulators.pubsub.exports.sink import Unreachable, Unwritable

_STATES = {403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
_SECONDS = 60.0


class Service:
    """The service whose address the environment variable `variable` names."""

    def __init__(self, http: httpx.AsyncClient, variable: str) -> None:
        self._http = http
        self._variable = variable

    async def call(self, verb: str, path: str, **request: Any) -> dict[str, Any]:
        """The answer's JSON; `request` goes to httpx.

        Raises:
            Unreachable: no address, no answer, one that is no JSON, or a failure that passes (429, 5xx).
            Unwritable: a refusal.
        """
        base = base_url(self._variable)
        if not base:
            raise Unreachable(f"{self._variable} is not set, so there is nowhere to write to")
        try:
            answer = await self._http.request(verb, base + path, timeout=_SECONDS, **request)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise Unreachable(f"{self._variable} ({base}) does not answer: {error!r}") from error
        if answer.status_code == 429 or answer.status_code >= 500:
            raise Unreachable(f"{self._variable} ({base}) answers {answer.status_code}: {answer.text[:200]}")
        if answer.status_code >= 400:
            raise Unwritable(_STATES.get(answer.status_code, "ACTIVE"), _message(answer))
        try:
            found: dict[str, Any] = answer.json()
        except ValueError as error:
            raise Unreachable(f"{self._variable} ({base}) answers {answer.text[:200]!r}, which is no JSON") from error
        return found


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code}: {answer.text[:200]}"
