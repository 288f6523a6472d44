"""A batch: one generation of one dropped object. Its id comes from those three, and from nothing else."""

from hashlib import sha256
from typing import Self

from pydantic import BaseModel, ConfigDict

from dropforge.contracts.errors import EventInvalid

FROZEN = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(BaseModel):
    """One generation of one object. An overwrite is another generation, so another batch."""

    model_config = FROZEN
    bucket: str
    name: str
    generation: int

    @property
    def uri(self) -> str:
        """`gs://bucket/name`, without the generation."""
        return f"gs://{self.bucket}/{self.name}"

    @property
    def batch_id(self) -> str:
        """20 hexadecimal digits: the same for every delivery of this generation, and for no other.

        >>> Source(bucket="landing", name="flights/2013-01.csv", generation=7).batch_id
        '7f1884741c37666be7af'
        """
        return sha256(f"{self.bucket}\n{self.name}\n{self.generation}".encode()).hexdigest()[:20]


class Batch(BaseModel):
    """A batch of rows for one table of one pipeline."""

    model_config = FROZEN
    pipeline: str
    table: str
    batch_id: str

    @classmethod
    def of(cls, source: Source, main_tables: dict[str, str]) -> Self:
        """The batch that a dropped object is: `<pipeline>/<file>` or `<pipeline>/<table>/<file>`.

        `main_tables` gives for each deployed pipeline the table that a file directly below it belongs to.

        Raises:
            EventInvalid: the name has no pipeline, an unknown one, or more folders than that.
        """
        parts = source.name.split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise EventInvalid(
                f"Expected <pipeline>/<file> or <pipeline>/<table>/<file>. Found {source.name!r} in {source.bucket}.",
                source=source.uri,
            )
        if parts[0] not in main_tables:
            known = ", ".join(sorted(main_tables)) or "none"
            raise EventInvalid(
                f"{source.uri} names the pipeline {parts[0]!r}, which is not deployed. Deployed: {known}.",
                source=source.uri,
            )
        table = parts[1] if len(parts) == 3 else main_tables[parts[0]]
        return cls(pipeline=parts[0], table=table, batch_id=source.batch_id)
