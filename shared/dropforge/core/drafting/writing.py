"""A draft as text: YAML that a person reads from top to bottom, every guess with its reason beside it."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import yaml

from dropforge.core.drafting.kinds import Drafted
from dropforge.core.drafting.roles import BETWEEN, Found, Target
from dropforge.core.drafting.sample import Sample

PARTS = {"weekday": "weekday", "hour": "hour"}


@dataclass(frozen=True)
class Plan:
    """All that a draft says."""

    name: str
    file: str
    sample: Sample
    columns: dict[str, Drafted]
    key: Found
    time: Found
    targets: list[Target]
    late: dict[str, str]
    slices: list[str]
    features: list[str]
    useless: dict[str, str]
    lacking: dict[str, str]
    days: int

    @property
    def key_columns(self) -> list[str]:
        """The key, or the column that the data must be given for it: the first that lacks."""
        return self.key.columns or [next(iter(self.lacking))]

    @property
    def time_column(self) -> str:
        """The time, or the column that the data must be given for it: the last that lacks."""
        return self.time.columns[0] if self.time.columns else list(self.lacking)[-1]


def written(plan: Plan) -> str:
    """The text of the draft."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    table = plan.name.replace("-", "_")
    yield f"# A draft, made from {plan.sample.rows:,} rows of {_comment(plan.file)}. Read every line: it says"
    yield "# what was seen, and why it was guessed; what a column means, a sample cannot tell."
    yield f"pipeline: {plan.name}"
    yield f"purpose: {scalar(f'Tell {plan.targets[0].column} before it is known.')}  # say for whom, and what for"
    yield ""
    yield f"table: {table}"
    yield "tables:"
    yield f"  {table}:"
    yield from _table(plan)
    yield ""
    yield from _label(plan)
    yield ""
    yield from _features(plan)
    yield ""
    yield from _judging(plan)


def _table(plan: Plan) -> Iterator[str]:
    yield f"    key: [{_listed(plan.key_columns)}]  # {plan.key.why}"
    yield f"    time: {scalar(plan.time_column)}  # {plan.time.why}"
    if plan.sample.markers and plan.sample.markers != ["NA"]:
        yield f"    null_markers: [{_listed(plan.sample.markers)}]  # they stand in the sample where a value should"
    if plan.sample.unnamed:
        names = ", ".join(_comment(name) for name in plan.sample.unnamed)
        yield f"    # Names must be letters, digits and underscores, so these columns are left out: {names}"
        yield "    unexpected_columns: ignore"
    yield "    columns:"
    for name, why in plan.lacking.items():
        kind = "timestamp" if name == plan.time_column and not plan.time.columns else "text"
        yield f"      {scalar(name)}: {{type: {kind}, required: true}}  # NOT IN THE SAMPLE. {why}"
    for name, one in plan.columns.items():
        why = f"  # {_comment('; '.join(one.why))}" if one.why else ""
        yield f"      {scalar(name)}: {{{_rules(one)}}}{why}"


def _rules(one: Drafted) -> str:
    said = one.column.model_dump(exclude_none=True, exclude_defaults=True)
    order = ("type", "required", "unit", "min", "max", "allowed")
    return ", ".join(f"{name}: {_value(said[name])}" for name in order if name in said)


def _label(plan: Plan) -> Iterator[str]:
    chosen, *others = plan.targets
    rule, value = chosen.rule
    yield f"# What to predict. {_comment(chosen.column)}: {_comment(chosen.why or 'it stands last')}."
    if others:
        named = "; ".join(f"{_comment(one.column)} ({_comment(one.why or 'it varies')})" for one in others)
        yield f"# Others that might be: {named}."
    yield f"label: {{name: {_label_name(plan)}, column: {scalar(chosen.column)}, {rule}: {_value(value)}}}"
    if chosen.number:
        yield "# Or the number itself: `kind: number` instead of `above`, and below `metric: mae` with a 'floor'"
        yield "# that says how much it may be off on average."


def _label_name(plan: Plan) -> str:
    """Such as `high_arr_delay`, `is_spam`, `is_revenue` or `which_digit`, and no column's name."""
    column, (rule, value) = plan.targets[0].column, plan.targets[0].rule
    named = (
        rule == "equals" and plan.columns[column].column.type == "category" and re.fullmatch(r"[A-Za-z]\w*", str(value))
    )
    if rule == "kind":
        return f"which_{column}".lower()
    name = f"is_{value if named else column}" if rule == "equals" or value == BETWEEN else f"high_{column}"
    return name.lower() if name.lower() not in plan.columns else f"{name.lower()}_label"


def _features(plan: Plan) -> Iterator[str]:
    yield "features:"
    for name in plan.features:
        yield f"  - {scalar(name)}"
    time = plan.time_column
    for part in PARTS if plan.time.columns and _has_hours(plan) else ("weekday",):
        yield f"  - {{name: {scalar(f'{time}_{part}')}, column: {scalar(time)}, part: {part}}}  # in UTC: name a 'zone'"
    for name, why in plan.useless.items():
        yield f"  # not {_comment(name)}: {why}"
    if plan.late:
        yield "# Known only when the label is, it seems, so a model that saw them would know the answer."
        yield "forbidden_features:"
        for name, why in plan.late.items():
            yield f"  - {scalar(name)}  # {why}"
    if plan.slices:
        yield f"slices: [{_listed(plan.slices)}]  # a challenger may not be worse in any value of these: regions, kinds"


def _has_hours(plan: Plan) -> bool:
    return plan.columns[plan.time_column].column.type == "timestamp"


def _judging(plan: Plan) -> Iterator[str]:
    rows = plan.sample.rows
    yield "success:"
    if plan.targets[0].rule[0] == "kind":
        yield "  metric: macro_f1  # the mean over classes of precision and recall, in one"
        yield "  floor: 0.3  # say what is good enough to be of use"
    else:
        yield "  metric: roc_auc"
        yield "  floor: 0.6  # a coin has 0.5; say what is good enough to be of use"
    yield "  slice_margin: 0.05"
    yield "training:"
    yield "  mode: dynamic  # 'static' trains on request only"
    yield f"  new_rows: {max(100, rows // 10)}  # a tenth of the sample"
    days = max(1, round(plan.days / 5)) if plan.days else 7
    why = f"a fifth of the {plan.days:,} days in the sample" if plan.days else "the last week"
    yield f"  holdout_days: {days}  # {why}, to judge on"


def scalar(value: str) -> str:
    """A text as YAML: plain where it is read back as that very text, else quoted.

    >>> scalar("origin"), scalar("no"), scalar("1e3")
    ('origin', '"no"', '"1e3"')
    """
    plain = re.fullmatch(r"[A-Za-z]([A-Za-z0-9_ -]*[A-Za-z0-9_])?", value)
    return value if plain and yaml.safe_load(value) == value else _quoted(value)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return (
            f"{value:.15g}" if "e" not in f"{value:.15g}" else repr(float(value)).replace("e", "e+").replace("+-", "-")
        )
    if isinstance(value, list):
        return f"[{_listed(value)}]"
    return scalar(str(value))


def _listed(values: Iterable[str]) -> str:
    return ", ".join(scalar(value) for value in values)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _comment(said: str) -> str:
    """One line, whatever stands in the data."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())
