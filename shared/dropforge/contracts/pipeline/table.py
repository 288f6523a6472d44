"""The table: its columns, what each may hold, its key and its time."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dropforge.contracts.models import FieldType
from dropforge.contracts.pipeline.arrival import Period
from dropforge.contracts.pipeline.repair import Repairs, check_pattern

STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)

NUMERIC: tuple[FieldType, ...] = ("integer", "number")
TEXTUAL: tuple[FieldType, ...] = ("category", "text")

# What is also a column of BigQuery; a leading underscore is kept for Dropforge's own columns.
# https://cloud.google.com/bigquery/docs/schemas#column_names
ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,299}$")]


class Column(BaseModel):
    """One column. `required` means that an empty value is a breach; `min` and `max` are inclusive, in `unit`.

    `references` is `table.column` of another table of the pipeline, among whose accepted values each value must be.
    `max_null_share` is a rule of the batch: the share of its rows that may have no value here.
    `repair` is one change, or a list of them, that makes right what came wrong, in all files or some: see `Repair`.
    `pattern` is a regular expression (RE2) that the whole of a text must match; lengths count characters.
    """

    model_config = STRICT
    type: FieldType
    required: bool = False
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    allowed: list[str] | None = None
    pattern: str | None = None
    min_length: int | None = Field(default=None, ge=0)
    max_length: int | None = Field(default=None, ge=0)
    references: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z][A-Za-z0-9_]*$")
    max_null_share: float | None = Field(default=None, ge=0, le=1)
    repair: Repairs = []
    description: str | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.type not in NUMERIC and (self.min is not None or self.max is not None):
            raise ValueError(f"'min' and 'max' are for columns of type integer or number. Got type {self.type!r}.")
        for repair in self.repair:
            if said := repair.misplaced(self.type):
                raise ValueError(said)
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"'min' must not exceed 'max'. Got {self.min} and {self.max}.")
        if self.allowed is not None and self.type != "category":
            raise ValueError(f"'allowed' is for columns of type category. Got type {self.type!r}.")
        for name in ("pattern", "min_length", "max_length"):
            if self.type not in TEXTUAL and getattr(self, name) is not None:
                raise ValueError(f"{name!r} is for columns of type category or text. Got type {self.type!r}.")
        if self.pattern is not None:
            check_pattern("pattern", self.pattern)
        return self

    def source(self, name: str) -> str:
        """The file's column that this one, called `name`, is read from."""
        return next((repair.read_from for repair in reversed(self.repair) if repair.read_from), name)


class Table(BaseModel):
    """One table of a pipeline, fed by files below `<pipeline>/<table>/`, the main one also by `<pipeline>/`.

    `null_markers` are the texts that mean "no value" in every column but one of type text. An empty text always does.

    What happens when a file's columns are not those declared is a policy. `unexpected_columns`: `fail` quarantines the
    batch, `ignore` leaves them out, `rescue` keeps them beside the row, in the JSON column `_rescued`, with `evolve`
    they join the table as text. `missing_columns`: `fail`, `ignore`, which leaves a column empty that is not required,
    or `evolve`, which does so with any column but those of key and time, and says so once. `misfit_values`, those that
    cannot be read as the column's type: `quarantine` the row or, where the column is not required, leave it empty
    (`ignore`), and keep the text in `_rescued` (`rescue`) or in a column beside it (`evolve`).

    `alarms` says how rarely a clean batch may raise an alarm because it differs from those before it; `on_alarm`:
    `warn` records why and accepts, `quarantine` refuses the whole batch.

    `min_rows` and `max_rows` of a file. `max_age_hours`: how old its newest row, by `time`, may be when it comes.
    `period`: the time of each row must lie in the period that the file's name tells. A file that breaks one of these
    is quarantined whole, but for rows outside the period, which are by themselves.

    `in_order` lists columns whose values must not decrease from one to the next, such as `[[pickup, dropoff]]`.
    `repeated_content`: `skip` a file whose content was accepted before under any name, or `load` it again.
    `repeated_keys`: of rows in several files with one key, `newest_wins`, the row of the file that landed last, for
    sources that send corrections; or `quarantine` all but the first, for sources that must never send a key twice.
    """

    model_config = STRICT
    columns: dict[ColumnName, Column] = Field(min_length=1)
    key: list[str] = Field(min_length=1)
    time: str | None = None
    unexpected_columns: Literal["fail", "ignore", "rescue", "evolve"] = "fail"
    missing_columns: Literal["fail", "ignore", "evolve"] = "fail"
    misfit_values: Literal["quarantine", "ignore", "rescue", "evolve"] = "quarantine"
    repeated_content: Literal["skip", "load"] = "skip"
    repeated_keys: Literal["newest_wins", "quarantine"] = "newest_wins"
    in_order: list[Annotated[list[str], Field(min_length=2)]] = []
    max_bad_share: float = Field(default=0.1, ge=0, le=1)
    min_rows: int = Field(default=1, ge=1)
    max_rows: int | None = Field(default=None, ge=1)
    max_age_hours: float | None = Field(default=None, gt=0)
    period: Period | None = None
    null_markers: list[str] = ["NA"]
    alarms: str = Field(default="1 in 100 clean batches", pattern=r"^1 in [1-9]\d{0,6} clean batches$")
    on_alarm: Literal["warn", "quarantine"] = "warn"

    def for_file(self, name: str) -> "Table":
        """The same table with those repairs only that are for the file of this name."""
        kept = {
            one: column.model_copy(update={"repair": [repair for repair in column.repair if repair.is_for(name)]})
            for one, column in self.columns.items()
        }
        return self.model_copy(update={"columns": kept})

    @property
    def one_in(self) -> int:
        """At most one alarm in so many clean batches."""
        return int(self.alarms.split()[2])

    @model_validator(mode="after")
    def _names_its_columns(self) -> Self:
        for role, names in (("key", self.key), ("time", [self.time] if self.time else [])):
            for name in names:
                if name not in self.columns:
                    raise ValueError(f"'{role}' names the column {name!r}, which 'columns' does not have.")
                if not self.columns[name].required:
                    raise ValueError(f"'{role}' names the column {name!r}, which must be 'required: true'.")
        for rule in ("max_age_hours", "period"):
            if getattr(self, rule) is not None and self.time is None:
                raise ValueError(f"{rule!r} needs a 'time', which says when a row happened.")
        if self.max_rows is not None and self.min_rows > self.max_rows:
            raise ValueError(f"'min_rows' must not exceed 'max_rows'. Got {self.min_rows} and {self.max_rows}.")
        if self.time and self.columns[self.time].type not in ("timestamp", "date"):
            raise ValueError(f"'time' must be a timestamp or date column. Got {self.columns[self.time].type!r}.")
        for names in self.in_order:
            kinds = {self._kind(name) for name in names}
            if len(kinds) != 1 or not kinds <= {"number", "time"}:
                raise ValueError(f"'in_order' needs columns that are all numbers or all times. Got {names}.")
        lowered = [name.lower() for name in self.columns]
        for name in self.columns:
            if lowered.count(name.lower()) > 1:
                raise ValueError(f"'columns' has {name!r} twice when case is ignored, as BigQuery does.")
        return self

    def _kind(self, name: str) -> str:
        if name not in self.columns:
            raise ValueError(f"'in_order' names the column {name!r}, which 'columns' does not have.")
        kind = self.columns[name].type
        return "number" if kind in NUMERIC else "time" if kind in ("timestamp", "date") else kind
