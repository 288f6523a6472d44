"""The whole of `pipeline.yaml`, typed and strict."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from dropforge.contracts.models import Field as SignatureField
from dropforge.contracts.pipeline.table import NUMERIC, STRICT, Column, Table

Metric = Literal["roc_auc", "log_loss", "brier", "accuracy"]
Kind = Literal["boosting", "logistic", "constant"]
Part = Literal["hour", "minute_of_day", "weekday", "month", "day_of_year"]


class Label(BaseModel):
    """What is predicted: whether `column` is above a limit, or equals a value. Rows without it are not trained on."""

    model_config = STRICT
    name: str
    column: str
    above: float | None = None
    equals: str | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if (self.above is None) == (self.equals is None):
            raise ValueError("A label needs exactly one of 'above' and 'equals'.")
        return self


class Feature(BaseModel):
    """One input of the model: a column as it is, or a part of a time column, in the given time zone."""

    model_config = STRICT
    name: str
    column: str
    part: Part | None = None
    zone: str = "UTC"


def _feature(given: object) -> object:
    return {"name": given, "column": given} if isinstance(given, str) else given


class Join(BaseModel):
    """A table whose columns are added to the main table's rows where `by` is equal; without a match they are empty."""

    model_config = STRICT
    table: str
    by: list[str] = Field(min_length=1)


class Success(BaseModel):
    """When a challenger may serve.

    `floor`: the least it must reach. `gain`: by how much it must beat the champion. `prefer: better` asks besides that
    the gain be no chance; `fresher` lets a challenger through that may, at 97.5 % confidence, be worse by no more than
    `tolerance`. `slice_margin`: by how much it may be worse than the champion in any slice of at least
    `min_slice_rows` holdout rows.
    """

    model_config = STRICT
    metric: Metric
    floor: float
    gain: float = 0.0
    prefer: Literal["better", "fresher"] = "better"
    tolerance: float = Field(default=0.01, ge=0)
    slice_margin: float = Field(ge=0)
    min_slice_rows: int = Field(default=200, ge=1)

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if self.prefer == "fresher" and self.gain != 0:
            raise ValueError(f"'prefer: fresher' asks for no gain, so 'gain' must be 0. Got {self.gain:g}.")
        return self


class Training(BaseModel):
    """When and on what a model is trained.

    `static`: on request only. `dynamic`: also once `new_rows` labelled rows were accepted since the last candidate,
    but not within `cool_down_minutes` of it, nor more than `runs_per_day` times in 24 hours; one training then takes
    all that has waited. `holdout_days`: the last days of the data, on which the model is judged and not trained.
    `models`: the kinds that are tried, the preferred one first; another is taken only if it predicts all the later
    training rows better.
    """

    model_config = STRICT
    mode: Literal["static", "dynamic"]
    new_rows: int = Field(default=1000, ge=1)
    cool_down_minutes: int = Field(default=0, ge=0)
    runs_per_day: int | None = Field(default=None, ge=1)
    holdout_days: int = Field(default=7, ge=1)
    window_days: int | None = Field(default=None, ge=1)
    models: list[Kind] = Field(default=["boosting", "logistic", "constant"], min_length=1)
    seed: int = 0


class Monitoring(BaseModel):
    """When a person is told that a slice got worse, and what is done about it.

    `metric` is watched, `accuracy` of answers, ranking (`roc_auc`) or probabilities (`brier`), in observations of a
    `block`: a day's rows count as one where they hang together, ten rows where each is for itself. `margin`: how far
    below its level at publication a slice may fall. `false_alarms`: the chance that a version under which no slice
    falls further ever raises an alarm. Slices of fewer than `min_slice_rows` holdout rows are not watched.
    """

    model_config = STRICT
    metric: Literal["accuracy", "roc_auc", "brier"] = "accuracy"
    block: Literal["rows", "hour", "day"] = "day"
    margin: float = Field(default=0.02, ge=0, le=1)
    false_alarms: float = Field(default=0.01, gt=0, lt=1)
    min_slice_rows: int = Field(default=100, ge=10)
    on_accuracy_down: Literal["tell", "retrain", "rollback"] = "tell"


class Serving(BaseModel):
    """How predictions are answered; the answers are the same in each mode.

    `dynamic`: by the model. `static`: from a table of answers to the rows of the newest `days`, computed when a model
    is published; whatever else is asked is refused. `hybrid`: from that table, and by the model what it does not have.
    `key`: columns of the main table by which a caller may ask for a row of the table instead of sending its features.
    """

    model_config = STRICT
    mode: Literal["static", "dynamic", "hybrid"] = "dynamic"
    key: list[str] = []
    days: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _key_with_a_table(self) -> Self:
        if (self.mode == "dynamic") != (not self.key):
            raise ValueError(
                f"'static' and 'hybrid' need a 'key', and 'dynamic' has none. Got {self.mode}: {self.key}."
            )
        return self


class Pipeline(BaseModel):
    """One `pipeline.yaml`."""

    model_config = STRICT
    pipeline: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    purpose: str
    table: str
    tables: dict[str, Table] = Field(min_length=1)
    joins: list[Join] = []
    label: Label
    features: list[Annotated[Feature, BeforeValidator(_feature)]] = Field(min_length=1)
    forbidden_features: list[str] = []
    slices: list[str] = []
    success: Success
    training: Training
    monitoring: Monitoring = Monitoring()
    serving: Serving = Serving()

    @property
    def main(self) -> Table:
        """The table whose rows are learned from."""
        return self.tables[self.table]

    def column(self, name: str) -> Column | None:
        """A column of the main table or, failing that, of a joined one."""
        for table in [self.table, *(join.table for join in self.joins)]:
            if name in self.tables[table].columns:
                return self.tables[table].columns[name]
        return None

    def signature(self) -> list[SignatureField]:
        """The columns that a prediction request gives, once each, in the order of the features.

        A column of a joined table is never required of a request: training has rows without a match too.
        """
        fields: dict[str, SignatureField] = {}
        for feature in self.features:
            column = self.column(feature.column)
            if column is None:
                raise ValueError(f"The feature {feature.name!r} names no column of a table in use.")
            said = column.model_dump(include={"type", "unit", "min", "max", "allowed"})
            required = column.required and feature.column in self.main.columns
            fields[feature.column] = SignatureField(name=feature.column, required=required, **said)
        return list(fields.values())

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        problems = [*self._table_problems(), *self._column_problems()]
        if problems:
            raise ValueError(" ".join(problems))
        return self

    def _table_problems(self) -> list[str]:
        problems = []
        if self.table not in self.tables:
            return [f"'table' names {self.table!r}, which 'tables' does not have: {', '.join(self.tables)}."]
        if self.main.time is None:
            problems.append(f"The table {self.table!r} needs a 'time', so that models are judged on later rows.")
        for join in self.joins:
            if join.table not in self.tables or join.table == self.table:
                problems.append(f"A join names the table {join.table!r}, which is not another of 'tables'.")
                continue
            other = self.tables[join.table]
            if sorted(join.by) != sorted(other.key):
                problems.append(f"The join with {join.table!r} must be on its whole key {other.key}. Got {join.by}.")
            problems += [
                f"The join with {join.table!r} is on {name!r}, which {self.table!r} does not have."
                for name in join.by
                if name not in self.main.columns
            ]
            problems += [
                f"The column {name!r} stands both in {self.table!r} and in the joined {join.table!r}: rename one."
                for name in other.columns
                if name in self.main.columns and name not in join.by
            ]
        return problems

    def _column_problems(self) -> list[str]:
        if self.table not in self.tables or any(join.table not in self.tables for join in self.joins):
            return []
        problems = []
        names = [feature.name for feature in self.features]
        problems += [f"The feature name {name!r} is used twice." for name in {n for n in names if names.count(n) > 1}]
        label = self.main.columns.get(self.label.column)
        if label is None:
            problems.append(f"'label' names the column {self.label.column!r}, which {self.table!r} does not have.")
        elif self.label.above is not None and label.type not in NUMERIC:
            problems.append(f"'label' is a number 'above' a limit, but {self.label.column!r} is a {label.type}.")
        for feature in self.features:
            column = self.column(feature.column)
            if feature.column in (*self.forbidden_features, self.label.column):
                problems.append(f"The feature {feature.name!r} uses {feature.column!r}, which is forbidden: it leaks.")
            if column is None:
                problems.append(f"The feature {feature.name!r} names no column of a table in use: {feature.column!r}.")
            elif (column.type in ("timestamp", "date")) != (feature.part is not None):
                problems.append(
                    f"The feature {feature.name!r}: a time column needs a 'part', and only a time column has one. "
                    f"{feature.column!r} is a {column.type}."
                )
        problems += [
            f"'serving' has the key {name!r}, which is no column of {self.table!r}."
            for name in self.serving.key
            if name not in self.main.columns
        ]
        read = {column.type for feature in self.features if (column := self.column(feature.column))}
        if read == {"text"} and set(self.training.models) == {"boosting"}:
            problems.append("All features are text, which 'boosting' does not read: add 'logistic' to 'models'.")
        problems += [
            f"'slices' names {name!r}, which is no column." for name in self.slices if self.column(name) is None
        ]
        return problems
