"""What `materialize` says of the answers that it computed for one candidate, and `predict` reads, without pydantic."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from dropforge.contracts.errors import FileUnreadable
from dropforge.contracts.served import ServedField


@dataclass(frozen=True)
class Answers:
    """The record beside a lookup file. `mode` is static or hybrid; `key` is what a caller may ask by instead."""

    pipeline: str
    candidate_id: str
    mode: str
    key: list[ServedField]
    sha256: str
    rows: int
    entries: int

    def dump(self) -> bytes:
        """The record as it is stored."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def read(cls, content: bytes, where: str) -> Self:
        """A stored record.

        Raises:
            FileUnreadable: it is none.
        """
        try:
            said: dict[str, Any] = json.loads(content)
            return cls(**{**said, "key": [ServedField(**field) for field in said["key"]]})
        except (ValueError, KeyError, TypeError) as error:
            raise FileUnreadable(f"Expected the record of a lookup file in {where}: {error}.", object=where) from error
