"""What makes right the values of one column that came wrong, for all files or for some."""

import re
from fnmatch import fnmatchcase
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dropforge.contracts.models import FieldType

Dates = Literal["day_first", "month_first", "swapped", "epoch_seconds", "epoch_milliseconds"]

TEXT_ONLY = ("case", "pad_zeros")
NUMBERS_ONLY = ("decimal", "times", "plus", "wrap")
TIMES_ONLY = ("dates", "shift_minutes")


class Repair(BaseModel):
    """How a column is read that a source sent wrong. It is applied as rows are judged, also in a replay.

    `files` are the names, without folders, of the files it is for: a pattern such as `flights-2013-03-*`. Without it
    it is for every file, so take it out once the source is right again.

    On the text, in this order. `read_from`: the file's column to read instead. `mojibake`: undo UTF-8 that was read as
    Windows-1252. `trim`: blanks around it. `remove`: what matches this regular expression (RE2). `case`. `pad_zeros`:
    to so many digits. `rename`: from wrong text to right. `nulls`: texts that mean no value. `decimal`: `,` reads
    1.234,5 as 1234.5. `dates`: reads 31/1/2013 (`day_first`), 1/31/2013 (`month_first`), seconds or milliseconds since
    1970; `swapped` exchanges day and month of an ISO date, where that gives a date.

    On the value: value * `times` + `plus`, then modulo `wrap`; rounded where the column is whole. `shift_minutes`
    moves a time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    files: str = "*"
    read_from: str | None = None
    mojibake: bool = False
    trim: bool = False
    remove: str | None = None
    case: Literal["upper", "lower"] | None = None
    pad_zeros: int | None = Field(default=None, ge=1, le=100)
    rename: dict[str, str] = {}
    nulls: list[str] = []
    decimal: Literal[","] | None = None
    dates: Dates | None = None
    times: float | None = None
    plus: float | None = None
    wrap: float | None = Field(default=None, gt=0)
    shift_minutes: int | None = None

    def is_for(self, name: str) -> bool:
        """Whether it is for the file of this name, folders or not."""
        return fnmatchcase(name.rpartition("/")[2], self.files)

    def misplaced(self, kind: FieldType) -> str | None:
        """Why this repair cannot be of a column of that type, or None."""
        for names, kinds in (
            (TEXT_ONLY, ("category", "text")),
            (NUMBERS_ONLY, ("integer", "number")),
            (TIMES_ONLY, ("timestamp",) if self.shift_minutes is not None else ("timestamp", "date")),
        ):
            given = [name for name in names if getattr(self, name) is not None]
            if given and kind not in kinds:
                return f"'repair' with {given[0]!r} is for columns of type {' or '.join(kinds)}. Got type {kind!r}."
        return None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.model_fields_set - {"files"}:
            raise ValueError("'repair' says nothing that is to be changed. Expected 'times', 'rename' or another.")
        if self.times == 0:
            raise ValueError("'times' must not be 0: every value would be the same.")
        if self.remove is not None:
            check_pattern("remove", self.remove)
        return self


def _listed(given: object) -> object:
    return [given] if isinstance(given, dict | Repair) else given


Repairs = Annotated[list[Repair], BeforeValidator(_listed)]


def check_pattern(key: str, pattern: str) -> None:
    """Raise ValueError unless `pattern`, the value of `key`, is a regular expression that RE2 takes too."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{key!r} is no regular expression: {error}. Got {pattern!r}.") from error
    if re.search(r"\(\?(<?[=!]|P=)|\\[1-9]", pattern):
        raise ValueError(f"{key!r} must do without look-around and references, as RE2 does. Got {pattern!r}.")
