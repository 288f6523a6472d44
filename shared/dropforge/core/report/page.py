"""The page: what arrived, what changed, what it tells about the label; then every column, the most moved first."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from dropforge.contracts.examination import Examination
from dropforge.contracts.profile import ColumnProfile, Profile, moment
from dropforge.contracts.telling import Telling
from dropforge.contracts.verdicts import BatchVerdict
from dropforge.core.report.document import cards, document, tiles
from dropforge.core.report.movement import moved
from dropforge.core.report.outlying import outlying
from dropforge.core.report.shape import shape

LISTED = 40  # rows of a ranking


@dataclass(frozen=True)
class Told:
    """All that a report tells of. `reference` is the merged profile of earlier batches, `last` the newest of them."""

    verdict: BatchVerdict
    profile: Profile
    examination: Examination | None = None
    reference: Profile | None = None
    last: Profile | None = None
    telling: Sequence[Telling] = field(default_factory=list)


def page(told: Told) -> str:
    """The whole file. Equal arguments give an equal text; every text of the data is escaped."""
    verdict = told.verdict
    name = verdict.source.name.rpartition("/")[2]
    badge = f'<span class="badge {verdict.status}">{verdict.status.replace("_", " ")}</span>'
    if verdict.warnings:
        badge += ' <span class="badge warned">unusual</span>'
    parts = [
        f"<h1>{escape(name)} {badge}</h1>",
        f'<p class="sub">{escape(verdict.source.uri)}, generation {verdict.source.generation} · '
        f"{escape(verdict.batch.pipeline)} / {escape(verdict.batch.table)} · batch {verdict.batch.batch_id}</p>",
        _tiles(told),
        _causes(told),
        _reasons(told),
        _ranking(told),
        _columns(told),
    ]
    return document(name, parts)


def _tiles(told: Told) -> str:
    verdict, profile = told.verdict, told.profile
    shown = [
        ("rows read", f"{verdict.rows_read:,}"),
        ("accepted", f"{verdict.rows_accepted:,}"),
        ("quarantined", f"{verdict.rows_quarantined:,}"),
        ("with a label", f"{verdict.rows_labelled:,}"),
        ("columns", f"{len(profile.columns):,}"),
    ]
    if profile.span:
        shown.append(("from", f"{profile.span[0]:%Y-%m-%d}"))
        shown.append(("to", f"{profile.span[1]:%Y-%m-%d}"))
    if told.examination and told.examination.judged:
        shown.append(("earlier batches", f"{len(told.examination.compared_with):,}"))
    return tiles(shown)


def _causes(told: Told) -> str:
    seen = told.examination
    if seen is None or not seen.judged:
        return "<h2>What changed</h2><p class=soft>Too few earlier batches to know what is usual.</p>"
    if not seen.anomalies:
        return (
            "<h2>What changed</h2><p class=soft>Nothing that its history does not explain: "
            f"{seen.tests} statistics, at most one false alarm in {seen.one_in} clean batches.</p>"
        )
    causes = []
    for cause in seen.diagnoses:
        evidence = "".join(f"<li>{escape(one)}</li>" for one in cause.evidence[1:])
        repair = f"<code>{escape(cause.repair.yaml)}</code>" if cause.repair.yaml else ""
        causes.append(
            f'<div class="card cause"><b>{escape(cause.sentence)}</b><ul class=soft>{evidence}</ul>'
            f"<span class=soft>confidence {cause.confidence:.0%}, {cause.share:.1%} of the rows</span>{repair}</div>"
        )
    lines = "".join(
        f"<tr><td>{escape(one.sentence)}</td><td class=n>{one.surprise:.1f} s.e.</td></tr>" for one in seen.anomalies
    )
    table = f"<table><tr><th>Unusual</th><th></th></tr>{lines}</table>"
    return f"<h2>What changed, and probably why</h2>{''.join(causes)}{table}"


def _reasons(told: Told) -> str:
    if not told.verdict.reasons:
        return ""
    lines = "".join(f"<tr><td>{escape(r.code)}</td><td>{escape(r.sentence)}</td></tr>" for r in told.verdict.reasons)
    return f"<h2>Rules that were broken</h2><table><tr><th>Rule</th><th>What was found</th></tr>{lines}</table>"


def _ranking(told: Told) -> str:
    if not told.telling:
        return ""
    leaks = [one for one in told.telling if one.leak]
    warned = "".join(
        f'<div class="card cause"><b>{escape(one.column)!s}</b> alone predicts the label almost perfectly (area '
        f"{one.auc:.3f}). It may be known only after the outcome: a leak.</div>"
        for one in leaks
    )
    lines = "".join(
        f"<tr><td>{escape(one.column)}{'' if one.feature else ' <span class=soft>(not a feature)</span>'}</td>"
        f'<td><span class=meter><u style="width:{(one.auc - 0.5) * 200:.0f}%"></u></span>{one.auc:.3f}</td>'
        f"<td>{_moved_meter(told, one.column)}</td></tr>"
        for one in told.telling[:LISTED]
    )
    return (
        f"<h2>What columns tell about the label</h2>{warned}<table><tr><th>Column</th>"
        f"<th>Area under the curve of the column alone</th><th>Moved</th></tr>{lines}</table>"
    )


def _moved_meter(told: Told, name: str) -> str:
    by = _moved(told, name)
    return "" if by is None else f'<span class=meter><u style="width:{by * 100:.0f}%"></u></span>{by:.1%}'


def _moved(told: Told, name: str, last: bool = False) -> float | None:
    before = told.last if last else told.reference
    if before is None or name not in before.columns or name not in told.profile.columns:
        return None
    return moved(told.profile.columns[name], before.columns[name])


def _columns(told: Told) -> str:
    ordered = sorted(told.profile.columns, key=lambda name: (-(_moved(told, name) or 0.0), name))
    unusual = {one.column for one in told.examination.anomalies} if told.examination else set()
    drawn = [_card(told, name, name in unusual) for name in ordered]
    key = "<p class=key><b>Blue</b> is this batch"
    key += ", <i>orange</i> the batches before. The most moved come first.</p>" if told.reference else ".</p>"
    return f"<h2>Columns</h2>{key}{cards(drawn)}"


def _card(told: Told, name: str, unusual: bool) -> str:
    column = told.profile.columns[name]
    known = told.reference.columns.get(name) if told.reference else None
    by, since = _moved(told, name), _moved(told, name, last=True)
    far = outlying(column.numbers) if column.numbers and not column.clock else None
    notes = [f"{column.nulls / max(column.rows, 1):.1%} empty", f"{column.distinct:,.0f} different"]
    if column.present > column.readable:
        notes.append(f"{(column.present - column.readable) / column.present:.1%} not of its type")
    if by is not None:
        notes.append(f"moved {by:.1%}" + (f", {since:.1%} since the last" if since is not None else ""))
    notes += [far] if far else []
    return (
        f'<div class="card{" moved" if unusual else ""}" data-name="{escape(name.lower())}"><h3>{escape(name)} '
        f"<small>{column.type}</small></h3><span class=soft>{' · '.join(notes)}</span>"
        f"{shape(name, column, known, _below(column))}</div>"
    )


def _below(column: ColumnProfile) -> str:
    """Of times from when to when, of numbers their mean."""
    if column.numbers is None:
        return ""
    if column.clock:
        first, last = moment(column.numbers.min), moment(column.numbers.max)
        return f"{first:%d %b %Y} to {last:%d %b %Y}"
    return f"mean {column.numbers.mean:,.6g}"
