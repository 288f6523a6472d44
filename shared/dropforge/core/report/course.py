"""What a pipeline's batches were like one after the other: all that its report is drawn from."""

from collections import defaultdict
from dataclasses import dataclass

from dropforge.contracts import places
from dropforge.contracts.examination import Examination
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.profile import Profile
from dropforge.contracts.telling import Tellings
from dropforge.core import ledger
from dropforge.core.anomaly.history import constant_columns, dominant
from dropforge.core.ports import Objects
from dropforge.core.state import load

NEWEST = 120  # batches of a table that are drawn


@dataclass(frozen=True)
class Arrival:
    """One batch. `series` names what it is one of, where files come one a region: lines are drawn for each."""

    line: ledger.Line
    profile: Profile
    examination: Examination | None
    tellings: Tellings | None
    series: str = ""

    @property
    def moment(self) -> str:
        """When its rows begin (ISO 8601), or when it was decided on, if they have no time."""
        return self.profile.span[0].isoformat() if self.profile.span else self.line.decided


@dataclass(frozen=True)
class Course:
    """A table's batches in order of time; `lines` are all of them, also those without a profile."""

    table: str
    lines: list[ledger.Line]
    arrivals: list[Arrival]


def courses(state: Objects, pipeline: Pipeline) -> list[Course]:
    """Every table of a pipeline, the main one first."""
    by_table: dict[str, list[ledger.Line]] = defaultdict(list)
    for line in ledger.lines(state, pipeline.pipeline):
        by_table[line.batch.table].append(line)
    order = sorted(pipeline.tables, key=lambda name: (name != pipeline.table, name))
    return [_course(state, name, by_table[name]) for name in order]


def _course(state: Objects, table: str, lines: list[ledger.Line]) -> Course:
    lines = sorted(lines, key=lambda line: (line.first_time or line.decided, line.source.name))
    found = [one for line in lines[-NEWEST:] if (one := _arrival(state, line)) is not None]
    return Course(table, lines, sorted(_in_series(found), key=lambda one: (one.moment, one.series)))


def _arrival(state: Objects, line: ledger.Line) -> Arrival | None:
    profile = load(state, places.profile(line.batch), Profile)
    if profile is None:
        return None
    examination = load(state, places.examination(line.batch), Examination)
    tellings = load(state, places.telling(line.batch), Tellings)
    return Arrival(
        line,
        profile[0].bare,
        examination[0] if examination else None,
        tellings[0] if tellings else None,
    )


def _in_series(found: list[Arrival]) -> list[Arrival]:
    names = constant_columns([one.profile for one in found])
    return [Arrival(one.line, one.profile, one.examination, one.tellings, _series(one.profile, names)) for one in found]


def _series(profile: Profile, names: list[str]) -> str:
    return " ".join(dominant(profile, name) or "?" for name in names)
