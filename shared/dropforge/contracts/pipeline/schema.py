"""The whole of `pipeline.yaml`, typed and strict."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from dropforge.contracts.models import Field as SignatureField
from dropforge.contracts.pipeline.deployment import Deployment
from dropforge.contracts.pipeline.learned import Feature, Label
from dropforge.contracts.pipeline.logging import Logging
from dropforge.contracts.pipeline.monitoring import Monitoring
from dropforge.contracts.pipeline.serving import Serving
from dropforge.contracts.pipeline.success import Success
from dropforge.contracts.pipeline.suited import suited
from dropforge.contracts.pipeline.table import STRICT, Column, Table
from dropforge.contracts.pipeline.training import KINDS_OF, Kind, Training


def _feature(given: object) -> object:
    return {"name": given, "column": given} if isinstance(given, str) else given


class Join(BaseModel):
    """A table whose columns are added to the main table's rows where `by` is equal; without a match they are empty."""

    model_config = STRICT
    table: str
    by: list[str] = Field(min_length=1)


class Pipeline(BaseModel):
    """One `pipeline.yaml`.

    `forbidden_features` are columns that no feature may use, being known only after the outcome. A feature that alone
    predicts a label of two classes almost perfectly is taken for one of those, and training refuses it unless
    `allowed_leaks` names it.
    """

    model_config = STRICT
    pipeline: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    purpose: str
    table: str
    tables: dict[str, Table] = Field(min_length=1)
    joins: list[Join] = []
    label: Label
    features: list[Annotated[Feature, BeforeValidator(_feature)]] = Field(min_length=1)
    forbidden_features: list[str] = []
    allowed_leaks: list[str] = []
    slices: list[str] = []
    success: Success
    training: Training
    monitoring: Monitoring = Monitoring()
    serving: Serving = Serving()
    logging: Logging = Logging()
    deployment: Deployment = Deployment()

    @property
    def main(self) -> Table:
        """The table whose rows are learned from."""
        return self.tables[self.table]

    @property
    def kinds(self) -> Sequence[Kind]:
        """The kinds of model that are tried, the preferred one first."""
        return self.training.models or KINDS_OF[self.label.task]

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
        per = self.training.per
        if per is not None and per not in fields:  # never required: who is not known is answered as everybody
            fields[per] = SignatureField(name=per, required=False, type="category")
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
        problems += self._reference_problems()
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

    def _reference_problems(self) -> list[str]:
        problems = []
        for name, table in self.tables.items():
            for one, column in table.columns.items():
                if column.references is None:
                    continue
                other, _, key = column.references.partition(".")
                if other == name or other not in self.tables or key not in self.tables[other].columns:
                    problems.append(
                        f"{one!r} of {name!r} references {column.references!r}, which is no column of another table."
                    )
                elif self.tables[other].columns[key].type != column.type:
                    problems.append(
                        f"{one!r} of {name!r} is a {column.type}, but {column.references!r}, which it references, "
                        f"is a {self.tables[other].columns[key].type}."
                    )
        return problems

    def _per_problems(self) -> list[str]:
        per, column = self.training.per, self.main.columns.get(self.training.per or "")
        if per is None:
            return []
        if column is None or column.type != "category":
            found = "no column" if column is None else f"a {column.type}"
            return [f"'per' must name a category of {self.table!r}. {per!r} is {found} of it."]
        if per in (*self.forbidden_features, self.label.column):
            return [f"'per' names {per!r}, which is forbidden: it leaks."]
        if per == self.training.group:
            return [f"'per' and 'group' both name {per!r}: entities that are never trained on have no correction."]
        return []

    def _column_problems(self) -> list[str]:
        if self.table not in self.tables or any(join.table not in self.tables for join in self.joins):
            return []
        problems = []
        names = [feature.name for feature in self.features]
        problems += [f"The feature name {name!r} is used twice." for name in {n for n in names if names.count(n) > 1}]
        label = self.main.columns.get(self.label.column)
        if label is None:
            problems.append(f"'label' names the column {self.label.column!r}, which {self.table!r} does not have.")
        else:
            problems += suited(self.label, label, self.success, self.training, self.monitoring, self.serving)
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
        if self.deployment.canary and self.serving.mode == "static":
            problems.append("'canary' shares requests between two models, and 'static' asks none: remove one of them.")
        problems += [
            f"'logging' masks {name!r}, which is no column."
            for name in self.logging.masked
            if self.column(name) is None
        ]
        read = {column.type for feature in self.features if (column := self.column(feature.column))}
        if read == {"text"} and set(self.kinds) == {"boosting"}:
            linear = KINDS_OF[self.label.task][1]
            problems.append(f"All features are text, which 'boosting' does not read: add {linear!r} to 'models'.")
        if self.training.group is not None and self.training.group not in self.main.columns:
            problems.append(f"'group' names {self.training.group!r}, which is no column of {self.table!r}.")
        problems += self._per_problems()
        problems += [
            f"'allowed_leaks' names {name!r}, which no feature uses."
            for name in self.allowed_leaks
            if name not in {feature.column for feature in self.features}
        ]
        problems += [
            f"'slices' names {name!r}, which is no column." for name in self.slices if self.column(name) is None
        ]
        return problems
