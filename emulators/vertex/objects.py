"""Cloud Storage, as far as batch prediction reads and writes it; the emulator is found by STORAGE_EMULATOR_HOST."""

from collections.abc import Iterator
from urllib.parse import quote

import httpx

from emulators.addresses import base_url
from emulators.vertex.errors import FailedPrecondition, InvalidArgument, NotFound

VARIABLE = "STORAGE_EMULATOR_HOST"


class Objects:
    """A client of the Cloud Storage emulator; use it as an asynchronous context."""

    def __init__(self) -> None:
        base = base_url(VARIABLE)
        if not base:
            raise FailedPrecondition(f"{VARIABLE} is not set, so Cloud Storage cannot be reached from this emulator.")
        self._client = httpx.AsyncClient(base_url=base, timeout=60.0)

    async def __aenter__(self) -> "Objects":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def matching(self, uri: str) -> list[str]:
        """The URIs that a URI with at most one `*` stands for, sorted; itself when it has none."""
        if "*" not in uri:
            return [uri]
        bucket, pattern = parse(uri)
        prefix, _, suffix = pattern.partition("*")
        names: list[str] = []
        query = {"prefix": prefix}
        while True:
            answer = (await self._client.get(f"/storage/v1/b/{bucket}/o", params=query)).raise_for_status().json()
            names += [item["name"] for item in answer.get("items", []) if item["name"].endswith(suffix)]
            if "nextPageToken" not in answer:
                return [f"gs://{bucket}/{name}" for name in sorted(names)]
            query["pageToken"] = answer["nextPageToken"]

    async def read(self, uri: str) -> bytes:
        """An object's content.

        Raises:
            NotFound: there is none.
        """
        bucket, name = parse(uri)
        answer = await self._client.get(f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}", params={"alt": "media"})
        if answer.status_code == 404:
            raise NotFound(f"The object {uri} does not exist.")
        return answer.raise_for_status().content

    async def write(self, uri: str, content: bytes) -> None:
        """Create or replace an object.

        Raises:
            NotFound: there is no such bucket.
        """
        bucket, name = parse(uri)
        query = {"uploadType": "media", "name": name}
        answer = await self._client.post(f"/upload/storage/v1/b/{bucket}/o", params=query, content=content)
        if answer.status_code == 404:
            raise NotFound(f"The bucket gs://{bucket} does not exist.")
        answer.raise_for_status()


def parse(uri: str) -> tuple[str, str]:
    """Bucket and object of `gs://bucket/object`.

    Raises:
        InvalidArgument: it is no such URI.
    """
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if not uri.startswith("gs://") or not bucket:
        raise InvalidArgument(f"Expected gs://BUCKET/OBJECT. Got {uri!r}.")
    return bucket, name


def lines(content: bytes) -> Iterator[bytes]:
    """The lines that are not empty."""
    return (line for line in content.splitlines() if line.strip())
