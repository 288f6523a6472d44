"""What a table expects of each file as a whole: how many rows, how fresh, of which period."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dropforge.contracts.pipeline.repair import check_pattern

PARTS = ("year", "month", "day")


class Period(BaseModel):
    """The stretch of time that a file is about, by its name.

    `name` is a regular expression that is looked for in the file's name, with the groups `(?P<year>...)`, and
    `(?P<month>...)` and `(?P<day>...)` where files come so often. Times are UTC; `slack_hours` more on either side
    are let through, as for files that are cut by local time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    name: str
    slack_hours: int = Field(default=0, ge=0)

    def of(self, file: str) -> tuple[datetime, datetime] | None:
        """Begin (inclusive) and end (exclusive), without slack; None where the name tells of no such time.

        With slack too both lie within the years 1 to 9999, which is as far as times reach.
        """
        found = re.search(self.name, file.rpartition("/")[2])
        if found is None:
            return None
        year, month, day = (found.groupdict().get(part) for part in PARTS)
        try:
            begin = datetime(int(year or 0), int(month or 1), int(day or 1), tzinfo=UTC)
            if day is not None:
                end = begin + timedelta(days=1)
            elif month is not None:
                end = begin + timedelta(days=monthrange(begin.year, begin.month)[1])
            else:
                end = begin.replace(year=begin.year + 1)
            slack = timedelta(hours=self.slack_hours)
            _ = begin - slack, end + slack
        except (ValueError, OverflowError):
            return None
        return begin, end

    @model_validator(mode="after")
    def _has_its_groups(self) -> Self:
        check_pattern("name", self.name)
        groups = set(re.compile(self.name).groupindex)
        if "year" not in groups or ("day" in groups and "month" not in groups) or not groups <= set(PARTS):
            raise ValueError(
                f"'name' needs the group (?P<year>...), and may have month, or month and day. Got {self.name!r}."
            )
        return self
