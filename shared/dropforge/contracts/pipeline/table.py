"""The table: its columns, what each may hold, its key and its time."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dropforge.contracts.models import FieldType

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)

NUMERIC: tuple[FieldType, ...] = ("integer", "number")


class Column(BaseModel):
    """One column. `required` means that an empty value is a breach; `min` and `max` are inclusive, in `unit`."""

    model_config = STRICT
    type: FieldType
    required: bool = False
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    allowed: list[str] | None = None
    description: str | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.type not in NUMERIC and (self.min is not None or self.max is not None):
            raise ValueError(f"'min' and 'max' are for columns of type integer or number. Got type {self.type!r}.")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"'min' must not exceed 'max'. Got {self.min} and {self.max}.")
        if self.allowed is not None and self.type != "category":
            raise ValueError(f"'allowed' is for columns of type category. Got type {self.type!r}.")
        return self


class Table(BaseModel):
    """One table of a pipeline, fed by files below `<pipeline>/<table>/`, the main one also by `<pipeline>/`.

    `null_markers` are the texts that mean "no value" in every column but one of type text. An empty text always does.
    """

    model_config = STRICT
    columns: dict[str, Column] = Field(min_length=1)
    key: list[str] = Field(min_length=1)
    time: str | None = None
    unexpected_columns: Literal["fail", "ignore"] = "fail"
    max_bad_share: float = Field(default=0.1, ge=0, le=1)
    null_markers: list[str] = ["NA"]

    @model_validator(mode="after")
    def _names_its_columns(self) -> Self:
        for role, names in (("key", self.key), ("time", [self.time] if self.time else [])):
            for name in names:
                if name not in self.columns:
                    raise ValueError(f"'{role}' names the column {name!r}, which 'columns' does not have.")
                if not self.columns[name].required:
                    raise ValueError(f"'{role}' names the column {name!r}, which must be 'required: true'.")
        if self.time and self.columns[self.time].type not in ("timestamp", "date"):
            raise ValueError(f"'time' must be a timestamp or date column. Got {self.columns[self.time].type!r}.")
        return self
