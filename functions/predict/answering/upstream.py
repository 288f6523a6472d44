"""HTTP to other services, pooled, retried within a bound, with the access token where there is one."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpcore

from dropforge.contracts.errors import ServiceUnavailable
from dropforge.gcp.rest import Token

# Seconds after which no further try is begun. A model server that was killed is back within one or two, and within six
# where it had to wait for a processor; with the read time-out of the last try, a caller hears within 20 s that there is
# no answer.
PATIENCE = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_AGAIN = frozenset({429, 500, 502, 503, 504})
_BROKEN = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)
_TIMEOUTS = {"timeout": {"connect": 2.0, "read": 10.0, "write": 5.0, "pool": 5.0}}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


def _nothing() -> None:
    """What is done about a try that failed, where nobody counts."""


class Upstream:
    """One pool of connections to everything that this process asks."""

    def __init__(self, patience: float = PATIENCE, most_connections: int = 100) -> None:
        self._patience = patience
        self._pool = httpcore.AsyncConnectionPool(max_connections=most_connections, keepalive_expiry=50.0)

    async def get(self, url: str, token: Token) -> Answer:
        """GET, tried again while the service is out of sorts. Raises ServiceUnavailable."""
        return await self._call("GET", url, token, None, _nothing)

    async def post(self, url: str, token: Token, body: bytes, failed: Callable[[], None] = _nothing) -> Answer:
        """POST JSON, tried again as GET is: only for calls that may be repeated; `failed` is called for each try that
        brought no answer. Raises ServiceUnavailable."""
        return await self._call("POST", url, token, body, failed)

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def _call(
        self, method: str, url: str, token: Token, body: bytes | None, failed: Callable[[], None]
    ) -> Answer:
        until = time.monotonic() + self._patience
        pause = _FIRST_PAUSE
        while True:
            try:
                answer = await self._try(method, url, token, body)
            except _BROKEN as error:
                said = f"{type(error).__name__} {error}".strip()
            else:
                if answer.status not in _AGAIN:
                    return answer
                said = f"{answer.status} {answer.body[:200]!r}"
            failed()
            if time.monotonic() + pause > until:
                raise ServiceUnavailable(f"{method} {url}: {said}.")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _try(self, method: str, url: str, token: Token, body: bytes | None) -> Answer:
        headers = token.headers() if token.fresh else await asyncio.to_thread(token.headers)
        if body is not None:
            headers = [*headers, (b"content-type", b"application/json")]
        answer = await self._pool.request(method, url, headers=headers, content=body, extensions=_TIMEOUTS)
        return Answer(answer.status, answer.content)
