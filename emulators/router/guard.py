"""Who may call: ID tokens checked as Cloud Run checks them, when DROPFORGE_AUTH is `on`.

No token is 403, one that does not hold 401, and one of somebody who may not call 403:
https://cloud.google.com/run/docs/troubleshooting#unauthorized-client. Tokens are signed by the Pub/Sub emulator, for
its pushes, or by the router itself, for a person who asks its control plane for one.
"""

import asyncio
from collections.abc import Collection
from functools import partial

import httpx
from google.auth import exceptions, jwt
from starlette.responses import PlainTextResponse, Response

from emulators.pubsub.tokens import Signer

_REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"


class Refused(Exception):
    """The caller may not; `status` is Cloud Run's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def response(self) -> Response:
        """The answer."""
        headers = {"www-authenticate": f'Bearer error="invalid_token" error_description="{self}"'}
        return PlainTextResponse(str(self), self.status, headers if self.status == 401 else None)


class Guard:
    """Checks tokens by the keys of the Pub/Sub emulator, whose `certificates` URL may be None, and by its own."""

    def __init__(self, certificates: str | None) -> None:
        self._signer = Signer()
        self._url = certificates
        self._known: dict[str, str] = {}

    async def token(self, email: str, audience: str) -> str:
        """A token that says: `email` calls `audience`."""
        return await asyncio.to_thread(self._signer.token, email, audience)

    async def check(self, authorization: str | None, audiences: Collection[str], only: str | None = None) -> None:
        """Let pass whoever shows a token for one of `audiences`; where `only` is given, nobody else.

        Raises:
            Refused: otherwise.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(403, "Expected an ID token in the header Authorization: Bearer TOKEN. Found none.")
        try:
            known = await self._certificates(str(jwt.decode_header(token).get("kid")))  # type: ignore[no-untyped-call]
            decode = partial(jwt.decode, token, certs=known, audience=list(audiences))
            claims = await asyncio.to_thread(decode)
        except (ValueError, exceptions.GoogleAuthError) as error:
            raise Refused(401, "The access token could not be verified") from error
        if not claims.get("email_verified") or (only is not None and claims.get("email") != only):
            raise Refused(403, f"Expected the caller {only}. Found {claims.get('email')}.")

    async def _certificates(self, key: str) -> dict[str, str]:
        """All known certificates; those of Pub/Sub are read again for a key not seen before, as after its restart."""
        self._known |= self._signer.certificates
        if key not in self._known and self._url is not None:
            async with httpx.AsyncClient(trust_env=False) as client:
                try:
                    self._known |= (await client.get(self._url)).raise_for_status().json()
                except httpx.HTTPError as error:
                    raise ValueError(f"The keys at {self._url} cannot be read: {error}.") from error
        return self._known


def without_signature(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers as the function gets them: its own code can read the token, and nobody can use it again."""
    return [
        (name, value.rpartition(b".")[0] + b"." + _REMOVED.encode() if name == b"authorization" else value)
        for name, value in headers
    ]
