"""The draft: roles and rules put together, written with their reasons, and tried on the very sample."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from dropforge.contracts.errors import ActionRefused
from dropforge.contracts.pipeline import Pipeline, parse
from dropforge.core.drafting import kinds, roles, sample, writing
from dropforge.core.validation import Judged, judge

KEY, TIME = "row_id", "recorded_at"  # what a draft calls the columns that a sample lacks


@dataclass(frozen=True)
class Draft:
    """A draft that parses. `lacking` are columns that the data must still be given, without which nothing is judged;
    `judged` is what the draft's own rules say of the sample otherwise."""

    text: str
    pipeline: Pipeline
    lacking: dict[str, str] = field(default_factory=dict)
    judged: Judged | None = None

    @property
    def fits(self) -> bool:
        """Whether the sample, dropped under this draft, would be taken in."""
        return self.judged is not None and not self.judged.refusals


def draft(path: Path, name: str | None = None) -> Draft:
    """A pipeline.yaml for files like the one at `path`; `name` is the pipeline's, by default made of the file's.

    Raises:
        FileUnreadable: the file is no table with a header.
        ActionRefused: no column could be what is predicted, or `name` is no name of a pipeline.
    """
    called = name or _name(path)
    with sample.read(path) as seen:
        plan = _plan(seen, called)
        text = writing.written(plan)
        pipeline = parse(text, where=f"the draft for {path.name}")
        lacking = {one: why for one, why in plan.lacking.items() if one not in seen.columns}
        judged = None
        if not lacking:
            judged = judge(seen.staged, pipeline.main, pipeline.label.column, seen.files)
        return Draft(text, pipeline, lacking, judged)


def _plan(seen: sample.Sample, name: str) -> writing.Plan:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,40}", name):
        raise ActionRefused(
            f"Expected a pipeline's name of lower-case letters, digits and hyphens, at most 41. Found {name!r}."
        )
    columns = kinds.drafted(seen)
    at = roles.time(seen, columns)
    key = roles.key(seen, columns, at)
    taken = [*at.columns, *(key.columns if len(key.columns) == 1 else [])]
    targets = roles.targets(seen, columns, taken)
    if not targets:
        raise ActionRefused(
            f"Expected a column that could be predicted: one with at least two values, beside {taken}. "
            f"Found {', '.join(columns)}."
        )
    label = targets[0]
    late = roles.known_too_late(seen, columns, label.column)
    left_out = {label.column, *late, *taken}
    reasons = {one: why for one, drafted in columns.items() if (why := roles.why_not(seen, drafted)) is not None}
    lacking = {}
    if not key.columns:
        lacking[KEY] = f"{key.why}: add one to the data, such as a number that each row keeps"
    if not at.columns:
        lacking[TIME] = f"{at.why}: add one to the data, since models are judged on later rows"
    return writing.Plan(
        name=name,
        file=seen.staged.source.name,
        sample=seen,
        columns=columns,
        key=key,
        time=at,
        targets=targets,
        late=late,
        slices=roles.slices(columns, label.column),
        features=list(roles.features(seen, columns, left_out)),
        useless={one: why for one, why in reasons.items() if one not in left_out},
        lacking=lacking,
        days=seen.days(at.columns[0]) if at.columns else 0,
    )


def _name(path: Path) -> str:
    stem = path.name.partition(".")[0].lower()
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"^[^a-z]+", "", stem)).strip("-")[:41] or "pipeline"
