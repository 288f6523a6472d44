"""`Objects` on Cloud Storage.

**Writes and retries.** Every write carries a generation precondition, so the client may retry it. When the answer to
a first try is lost, though, the retry meets what the first try wrote and fails with 412. Equal content cannot tell
that apart from another writer of the same bytes, so each call signs its write: a random token in the object's metadata,
under `WRITER`. A 412 on an object that bears this call's token is this call's success. Two writers of equal bytes are
still one winner and one `AlreadyExists`. If a third writer replaced the object before the look, the call reports a
mismatch although its write did happen for a moment; the caller reads again, as after every mismatch.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from google.api_core import exceptions as google
from google.cloud.storage import Blob, Client
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY

from dropforge.contracts.errors import AlreadyExists, GenerationMismatch, NotFound, ServiceUnavailable
from dropforge.core.ports import ObjectInfo
from dropforge.gcp.errors import translated

WRITER = "dropforge-writer"
RETRY = DEFAULT_RETRY.with_timeout(60.0)
TIMEOUT = (5.0, 60.0)  # seconds to connect, seconds between two bytes
_LISTED = "items(name,generation,size,metadata,updated),nextPageToken"


class Bucket:
    """One bucket, through google-cloud-storage; `STORAGE_EMULATOR_HOST` is the client's own business."""

    def __init__(self, client: Client, bucket: str) -> None:
        self.bucket = bucket
        self._client = client
        self._bucket = client.bucket(bucket)

    def stat(self, name: str, generation: int | None = None) -> ObjectInfo:
        """As `Objects.stat`."""
        with translated(f"Describing {self._uri(name)}", object=name):
            blob = self._bucket.get_blob(name, generation=generation, timeout=TIMEOUT, retry=RETRY)
        if blob is None:
            raise self._absent(name, generation)
        return _info(blob)

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        """As `Objects.read`."""
        blob = self._bucket.blob(name, generation=generation)
        with translated(f"Reading {self._uri(name)}", object=name):
            try:
                content: bytes = blob.download_as_bytes(timeout=TIMEOUT, retry=RETRY)
            except google.NotFound:
                raise self._absent(name, generation) from None
            except DataCorruption as error:
                raise self._corrupt(name) from error
        return content, int(blob.generation)

    def download(self, name: str, path: Path, generation: int | None = None) -> int:
        """As `Objects.download`; what arrives is checked against the object's CRC32C."""
        blob = self._bucket.blob(name, generation=generation)
        with translated(f"Downloading {self._uri(name)}", object=name):
            try:
                blob.download_to_filename(str(path), timeout=TIMEOUT, retry=RETRY)
            except google.NotFound:
                raise self._absent(name, generation) from None
            except DataCorruption as error:
                raise self._corrupt(name) from error
        return int(blob.generation)

    def create(self, name: str, content: bytes | Path, metadata: Mapping[str, str] | None = None) -> int:
        """As `Objects.create`."""
        try:
            return self._write(name, content, 0, metadata)
        except GenerationMismatch:
            raise AlreadyExists(f"{self._uri(name)} is there already.", object=name) from None

    def replace(self, name: str, content: bytes, generation: int, metadata: Mapping[str, str] | None = None) -> int:
        """As `Objects.replace`."""
        return self._write(name, content, generation, metadata)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """As `Objects.list`."""
        with translated(f"Listing {self._uri(prefix)}", object=prefix):
            found = self._client.list_blobs(self._bucket, prefix=prefix, fields=_LISTED, timeout=TIMEOUT, retry=RETRY)
            for blob in found:
                yield _info(blob)

    def _write(self, name: str, content: bytes | Path, generation: int, metadata: Mapping[str, str] | None) -> int:
        blob = self._bucket.blob(name)
        token = uuid4().hex
        blob.metadata = {**(metadata or {}), WRITER: token}
        given: dict[str, Any] = {"if_generation_match": generation, "timeout": TIMEOUT, "retry": RETRY}
        with translated(f"Writing {self._uri(name)}", object=name):
            try:
                if isinstance(content, Path):
                    blob.upload_from_filename(str(content), checksum="crc32c", **given)
                else:
                    blob.upload_from_string(content, content_type=_content_type(name), checksum="crc32c", **given)
            except google.PreconditionFailed:
                return self._own_write(name, token, generation)
            except DataCorruption as error:
                raise self._corrupt(name) from error
        return int(blob.generation)

    def _own_write(self, name: str, token: str, expected: int) -> int:
        """The generation that this very call wrote in a try whose answer was lost."""
        blob = self._bucket.get_blob(name, timeout=TIMEOUT, retry=RETRY)
        if blob is not None and (blob.metadata or {}).get(WRITER) == token:
            return int(blob.generation)
        found = 0 if blob is None else blob.generation
        raise GenerationMismatch(f"{self._uri(name)}: expected generation {expected}, found {found}.", object=name)

    def _uri(self, name: str) -> str:
        return f"gs://{self.bucket}/{name}"

    def _absent(self, name: str, generation: int | None) -> NotFound:
        return NotFound(f"{self._uri(name)} (generation {generation or 'any'}) is not there.", object=name)

    def _corrupt(self, name: str) -> ServiceUnavailable:
        return ServiceUnavailable(f"{self._uri(name)}: the bytes do not have the checksum that was sent.", object=name)


def _content_type(name: str) -> str:
    """What a browser is told: a page is shown, all else is only kept."""
    return "text/html; charset=utf-8" if name.endswith(".html") else "application/octet-stream"


def _info(blob: Blob) -> ObjectInfo:
    metadata = {key: value for key, value in (blob.metadata or {}).items() if key != WRITER}
    return ObjectInfo(blob.name, int(blob.generation), int(blob.size), metadata, blob.updated.isoformat())
