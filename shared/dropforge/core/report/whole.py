"""The report of a pipeline: what arrived, what is unusual, what tells about the label, and every column over time."""

from collections.abc import Callable, Sequence
from html import escape

from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.profile import ColumnProfile, Profile
from dropforge.contracts.telling import Telling
from dropforge.core import leaks
from dropforge.core.profile import merged
from dropforge.core.report import plots, trends
from dropforge.core.report.course import Arrival, Course
from dropforge.core.report.document import cards, document, tiles
from dropforge.core.report.movement import moved
from dropforge.core.report.outlying import outlying
from dropforge.core.report.shape import shape

LISTED = 40  # rows of a list


def whole(pipeline: Pipeline, courses: Sequence[Course]) -> str:
    """The whole file. Equal arguments give an equal text; every text of the data is escaped."""
    parts = [f"<h1>{escape(pipeline.pipeline)}</h1>", f'<p class="sub">{escape(pipeline.purpose)}</p>']
    for course in courses:
        if len(courses) > 1:
            parts.append(f"<h1 class=table>{escape(course.table)}</h1>")
        parts += [_figures(course), _arrived(course), _unusual(course)]
        latest, before = _latest(course)
        if course.table == pipeline.table:
            parts.append(_telling(pipeline, course, latest, before))
        if latest is not None:
            parts.append(_columns(course, latest, before))
    return document(f"{pipeline.pipeline}: what arrived", parts)


def _figures(course: Course) -> str:
    own = [line for line in course.lines if not line.replay_of]
    told = [
        ("batches", f"{len(course.lines):,}"),
        ("rows read", f"{sum(line.rows_read for line in own):,}"),
        ("accepted", f"{sum(line.rows_accepted for line in course.lines):,}"),
        ("whole batches quarantined", f"{sum(line.status == 'quarantined' for line in own):,}"),
        ("batches with something unusual", f"{sum(_is_unusual(one) for one in course.arrivals):,}"),
    ]
    spans = [one.profile.span for one in course.arrivals if one.profile.span]
    if spans:
        told += [("from", f"{min(span[0] for span in spans):%Y-%m-%d}")]
        told += [("to", f"{max(span[1] for span in spans):%Y-%m-%d}")]
    return tiles(told)


def _is_unusual(one: Arrival) -> bool:
    return bool(one.examination and one.examination.anomalies)


def _arrived(course: Course) -> str:
    if not course.lines:
        return "<p class=soft>Nothing has arrived yet.</p>"
    bars = [(float(line.rows_accepted), float(line.rows_quarantined)) for line in course.lines]
    most = max(line.rows_read for line in course.lines)
    ends = plots.ends(
        _day(course.lines[0].first_time), f"rows a batch, {most:,} at most", _day(course.lines[-1].last_time)
    )
    key = "<p class=key><b>Blue</b> was accepted, <i>orange</i> quarantined; batches in order of time.</p>"
    return f"<h2>What arrived</h2>{key}<div class=card>{trends.stacked(bars, 'rows of each batch')}{ends}</div>"


def _day(moment: str) -> str:
    return escape(moment[:10])


def _unusual(course: Course) -> str:
    lines = []
    for one in reversed(course.arrivals):
        if one.examination and one.examination.anomalies:
            said = one.examination.diagnoses or one.examination.anomalies
            more = f" <span class=soft>and {len(said) - 1} more</span>" if len(said) > 1 else ""
            name = one.line.source.name.rpartition("/")[2]
            lines.append(f"<tr><td>{escape(name)}</td><td>{escape(said[0].sentence)}{more}</td></tr>")
    if not lines:
        judged = sum(bool(one.examination and one.examination.judged) for one in course.arrivals)
        return f"<h2>What was unusual</h2><p class=soft>Nothing, in {judged:,} batches that were judged.</p>"
    listed = f"<p class=soft>The newest {LISTED} of {len(lines)}.</p>" if len(lines) > LISTED else ""
    table = f"<table><tr><th>Batch</th><th>What probably happened</th></tr>{''.join(lines[:LISTED])}</table>"
    return f"<h2>What was unusual</h2>{listed}{table}"


def _telling(pipeline: Pipeline, course: Course, latest: Profile | None, before: Profile | None) -> str:
    told = [one.tellings for one in course.arrivals if one.tellings and one.tellings.columns]
    if not told:
        return ""
    suspected = leaks.suspected(told) if pipeline.label.task == "binary" else []
    warned = "".join(_leak(one, one.column in pipeline.allowed_leaks) for one in suspected)
    lines = []
    for one in leaks.averaged(told)[:LISTED]:
        note = "" if one.feature else " <span class=soft>(not a feature)</span>"
        points = _areas(course, one.column)
        by = _by(latest, before, one.column)
        moved_by = "" if by is None else f'<span class=meter><u style="width:{by * 100:.0f}%"></u></span>{by:.1%}'
        lines.append(
            f"<tr><td>{escape(one.column)}{note}</td>"
            f'<td><span class=meter><u style="width:{(one.auc - 0.5) * 200:.0f}%"></u></span>{one.auc:.3f}</td>'
            f"<td class=spark>{trends.trend(points, f'{one.column} over batches', floor=0.5)}</td>"
            f"<td>{moved_by}</td></tr>"
        )
    return (
        f"<h2>What columns tell about the label</h2>{warned}<table><tr><th>Column</th><th>Area under the curve of the "
        f"column alone</th><th>Batch by batch</th><th>Moved, newest batch</th></tr>{''.join(lines)}</table>"
    )


def _areas(course: Course, name: str) -> dict[str, list[tuple[str, float]]]:
    """The column's area batch by batch, for each series."""
    found: dict[str, list[tuple[str, float]]] = {one: [] for one in _series(course)}
    for arrival in course.arrivals:
        for column in arrival.tellings.columns if arrival.tellings else []:
            if column.column == name:
                found[arrival.series].append((arrival.moment, column.auc))
    return found


def _series(course: Course) -> list[str]:
    return sorted({one.series for one in course.arrivals})


def _leak(one: Telling, allowed: bool) -> str:
    then = (
        "'allowed_leaks' names it, so models are trained on it."
        if allowed
        else "It may be known only after the outcome: a leak. Training refuses it unless 'allowed_leaks' names it."
    )
    return (
        f'<div class="card cause"><b>{escape(one.column)}</b> alone predicts the label almost perfectly (area '
        f"{one.auc:.3f}). {then}</div>"
    )


def _latest(course: Course) -> tuple[Profile | None, Profile | None]:
    """The newest batch, and those before it of the same series made one."""
    if not course.arrivals:
        return None, None
    newest = course.arrivals[-1]
    earlier = [one.profile for one in course.arrivals[:-1] if one.series == newest.series]
    return newest.profile, merged(earlier) if earlier else None


def _by(latest: Profile | None, before: Profile | None, name: str) -> float | None:
    if latest is None or before is None or name not in latest.columns or name not in before.columns:
        return None
    return moved(latest.columns[name], before.columns[name])


def _columns(course: Course, latest: Profile, before: Profile | None) -> str:
    series = _series(course)
    by = {name: _by(latest, before, name) or 0.0 for name in latest.columns}
    drawn = [_card(name, course, latest, before, series) for name in sorted(by, key=lambda name: (-by[name], name))]
    key = (
        "<p class=key><b>Bars</b>: the newest batch; <i>orange</i>: those before it. Below: batch by batch. "
        f"The most moved come first. {trends.legend(series)}</p>"
    )
    return f"<h2>Columns over time</h2>{key}{cards(drawn)}"


def _card(name: str, course: Course, latest: Profile, before: Profile | None, series: Sequence[str]) -> str:
    column, known = latest.columns[name], before.columns.get(name) if before else None
    notes = [f"{column.nulls / max(column.rows, 1):.1%} empty", f"{column.distinct:,.0f} different"]
    if known is not None:
        notes.append(f"moved {moved(column, known):.1%}")
    if column.numbers and not column.clock and (far := outlying(column.numbers)) is not None:
        notes.append(far)
    drawn = shape(name, column, known, "hour of the day, UTC" if column.clock else "")
    return (
        f'<div class=card data-name="{escape(name.lower())}"><h3>{escape(name)} <small>{column.type}</small></h3>'
        f"<span class=soft>{' · '.join(notes)}</span>{drawn}{_trend(name, course, series)}</div>"
    )


def _trend(name: str, course: Course, series: Sequence[str]) -> str:
    """The median of numbers, the rows of times, the share of the most frequent value; and what is empty, if any is."""
    what, measure = _measured(name, course)
    drawn: dict[str, list[tuple[str, float]]] = {one: [] for one in series}
    empty: dict[str, list[tuple[str, float]]] = {one: [] for one in series}
    for one in course.arrivals:
        column = one.profile.columns.get(name)
        if column is None:
            continue
        value = measure(column)
        if value is not None:
            drawn[one.series].append((one.moment, value))
        empty[one.series].append((one.moment, column.nulls / max(column.rows, 1)))
    shown = _scaled(what, drawn, "{:,.6g}" if what in ("median", "rows") else "{:.1%}")
    if any(share for points in empty.values() for _, share in points):
        shown += _scaled("empty", empty, "{:.1%}")
    return shown


def _scaled(what: str, drawn: dict[str, list[tuple[str, float]]], form: str) -> str:
    values = [value for points in drawn.values() for _, value in points]
    if len(values) < 2:
        return ""
    ends = plots.ends(form.format(min(values)), escape(what), form.format(max(values)))
    return trends.trend(drawn, f"{what}, batch by batch") + ends


def _measured(name: str, course: Course) -> tuple[str, Callable[[ColumnProfile], float | None]]:
    latest = course.arrivals[-1].profile.columns.get(name)
    if latest is not None and latest.clock:
        return "rows", lambda column: float(column.present)
    if latest is not None and latest.numbers:
        return "median", lambda column: column.numbers.quantile(0.5) if column.numbers else None
    top = next(iter(latest.values), "") if latest else ""
    return f"share of {top[:24]!r}", lambda column: column.values.get(top, 0) / max(column.present, 1)
