"""Generation and metageneration preconditions, the ground on which compare-and-set rests.

https://cloud.google.com/storage/docs/request-preconditions
"""

from dataclasses import dataclass

from emulators.storage.calls import Call
from emulators.storage.errors import condition_not_met, not_modified


@dataclass(frozen=True)
class Preconditions:
    """The four `if...` conditions of one call. Generation 0 stands for: no live object of that name."""

    generation: int | None = None
    not_generation: int | None = None
    metageneration: int | None = None
    not_metageneration: int | None = None

    @classmethod
    def of(cls, call: Call, which: str = "") -> "Preconditions":
        """Those of `call`; `which` is `Source` for the conditions on the source of a copy.

        Raises:
            StorageError: 400, a condition that is no integer.
        """
        given = cls(
            call.number(f"if{which}GenerationMatch"),
            call.number(f"if{which}GenerationNotMatch"),
            call.number(f"if{which}MetagenerationMatch"),
            call.number(f"if{which}MetagenerationNotMatch"),
        )
        if which:
            return given
        header = call.headers.get
        return cls(  # the XML API says the same in headers
            _or(given.generation, header("x-goog-if-generation-match")),
            given.not_generation,
            _or(given.metageneration, header("x-goog-if-metageneration-match")),
            given.not_metageneration,
        )

    @classmethod
    def of_metageneration(cls, call: Call, which: str = "") -> "Preconditions":
        """Those of `call` on what has no generations, buckets and folders; `which` as for `of`."""
        return cls(
            metageneration=call.number(f"if{which}MetagenerationMatch"),
            not_metageneration=call.number(f"if{which}MetagenerationNotMatch"),
        )

    def check(self, generation: int, metageneration: int | None, *, read: bool = False) -> None:
        """Compare with what is stored: generation 0 and metageneration None when there is nothing.

        Raises:
            StorageError: 412; of a read, 304 where a `...NotMatch` did not hold.
        """
        if self.generation is not None and self.generation != generation:
            raise condition_not_met("ifGenerationMatch", str(self.generation), str(generation))
        if self.metageneration is not None and self.metageneration != metageneration:
            raise condition_not_met("ifMetagenerationMatch", str(self.metageneration), str(metageneration))
        for name, unwanted, found in (
            ("ifGenerationNotMatch", self.not_generation, generation),
            ("ifMetagenerationNotMatch", self.not_metageneration, metageneration),
        ):
            if unwanted is not None and unwanted == found:
                if read:
                    raise not_modified()
                raise condition_not_met(name, f"other than {unwanted}", str(found))


def check_etags(call: Call, etag: str) -> None:
    """Hold a read to its `If-Match` and `If-None-Match` headers.

    Raises:
        StorageError: 412 or 304.
    """
    wanted = _etags(call.headers.get("if-match", ""))
    if wanted and etag not in wanted and "*" not in wanted:
        raise condition_not_met("If-Match", ", ".join(wanted), etag)
    unwanted = _etags(call.headers.get("if-none-match", ""))
    if etag in unwanted or "*" in unwanted:
        raise not_modified()


def _etags(header: str) -> list[str]:
    return [part.strip().strip('"') for part in header.split(",") if part.strip()]


def _or(value: int | None, text: str | None) -> int | None:
    return int(text) if value is None and text else value
