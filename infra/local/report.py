"""The end of a run: what each month brought, what a retrained model was worth against a static one, and one answer."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from dropforge.contracts import places
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.settings import Settings
from dropforge.core import dataset, ledger
from dropforge.core.ports import Objects
from dropforge.ml import artefact, score
from infra.local import chart
from infra.local.follow import Followed, Training
from infra.local.stack import Stack


@dataclass
class Month:
    """One row of the end table. The scores are ROC AUC on the month that came after; None where none came."""

    period: str
    accepted: int
    quarantined: int
    in_bigquery: int
    outcome: str
    why: str
    version: str
    retrained: float | None = None
    static: float | None = None


def months(
    pipeline: Pipeline,
    state: Objects,
    verdicts: dict[str, list[Followed]],
    trainings: dict[str, Training],
    loaded: dict[str, int],
) -> list[Month]:
    """The end table; `loaded` is what BigQuery holds of each batch.

    The static model is that of the first two months, left as it was.
    """
    rows: list[Month] = []
    serving: Candidate | None = None
    version = ""
    static = [training.candidate for training in trainings.values()][1:2]
    following = [*list(verdicts)[1:], None]
    for (period, training), after in zip(trainings.items(), following, strict=True):
        main = [one.verdict for one in verdicts[period] if one.verdict and one.batch.table == pipeline.table]
        if training.version:
            serving, version = training.candidate, training.version
        reasons = training.verdict.reasons if training.verdict else []
        row = Month(
            period=period,
            accepted=sum(verdict.rows_accepted for verdict in main),
            quarantined=sum(verdict.rows_quarantined for verdict in main),
            in_bigquery=sum(loaded.get(verdict.batch.batch_id, 0) for verdict in main),
            outcome=training.verdict.status if training.verdict else "not trained",
            why=" ".join(reason.sentence for reason in reasons),
            version=version,
        )
        if after:
            row.retrained = _score(pipeline, state, serving, verdicts[after])
            known = static[0] if static and len(rows) >= 1 else None
            row.static = _score(pipeline, state, known, verdicts[after])
        rows.append(row)
    return rows


def _score(pipeline: Pipeline, state: Objects, model: Candidate | None, month: list[Followed]) -> float | None:
    """ROC AUC of a candidate on a month's labelled rows, by the very artefact that serves."""
    if model is None:
        return None
    wanted = {one.batch.batch_id for one in month}
    lines = [line for line in ledger.lines(state, pipeline.pipeline) if line.batch.batch_id in wanted]
    rows = dataset.read_rows(pipeline, lines, state)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.joblib"
        state.download(places.candidate(pipeline.pipeline, model.candidate_id, "model.joblib"), path)
        fitted = artefact.load(path, model.artefact_sha256)
    return score.on_rows(fitted, rows).get("roc_auc")


def show(console: Console, rows: list[Month]) -> None:
    """The end table for people."""
    table = Table(title="What each month brought", title_justify="left", caption_justify="left")
    table.caption = "AUC: on the month that came after. Static: the model of the first two months, never retrained."
    for name in ("month", "accepted", "quarantined", "in BigQuery", "model", "serving", "AUC retrained", "AUC static"):
        table.add_column(name, justify="left" if name in ("month", "model") else "right")
    for row in rows:
        outcome = f"[green]{row.outcome}[/]" if row.outcome == "published" else f"[yellow]{row.outcome}[/]"
        better = row.retrained is not None and row.static is not None and row.retrained > row.static
        table.add_row(
            row.period,
            f"{row.accepted:,}",
            f"{row.quarantined:,}",
            f"{row.in_bigquery:,}" if row.in_bigquery == row.accepted else f"[red]{row.in_bigquery:,}[/]",
            outcome,
            f"v{row.version}" if row.version else "none",
            f"[bold]{_number(row.retrained)}[/]" if better else _number(row.retrained),
            _number(row.static),
        )
    console.print(table)
    for row in rows:
        if row.outcome != "published":
            console.print(f"{row.period}: {row.outcome}. {row.why}")


def picture(path: Path, rows: list[Month]) -> None:
    """Draw what retraining was worth (SVG), each pair of scores at the month that was predicted."""
    predicted = [row.period for row in rows[1:]]
    chart.draw(path, predicted, [row.retrained for row in rows[:-1]], [row.static for row in rows[:-1]])


def write(path: Path, rows: list[Month]) -> None:
    """The end table for machines: a JSON list."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def predict_once(console: Console, pipeline: Pipeline, state: Objects, router: str) -> None:
    """Ask the served model about one flight, and print how to ask about another."""
    if not _serves(pipeline, state):
        console.print("No model serves yet, so there is nothing to ask.")
        return
    url = f"{router}/v1/pipelines/{pipeline.pipeline}:predict"
    body = {"instances": [_instance(pipeline, state)]}
    issuer = f"{router}/_emulator/token" if os.environ.get("DROPFORGE_AUTH") == "on" else None
    with httpx.Client(trust_env=False, timeout=60) as client:
        if issuer:
            client.headers["Authorization"] = f"Bearer {client.get(issuer).raise_for_status().text}"
        answer = client.post(url, json=body)
    console.print("\n[bold]One prediction over HTTP[/]")
    if answer.is_success:
        console.print_json(answer.text)
    else:
        console.print(f"Expected an answer of {url}. Found {answer.status_code}: {answer.text}", markup=False)
    command = f"curl -s -X POST {url} -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
    if issuer:
        command += f' -H "Authorization: Bearer $(curl -s {issuer})"'
    console.print("Ask for another:")
    console.print(command, soft_wrap=True, highlight=False, markup=False)


def _serves(pipeline: Pipeline, state: Objects) -> bool:
    return any(True for _ in state.list(places.history(pipeline.pipeline)))


def _instance(pipeline: Pipeline, state: Objects) -> dict[str, Any]:
    """The last flight of the newest batch, as a request would tell of it."""
    lines = [line for line in ledger.lines(state, pipeline.pipeline) if line.accepted]
    newest = max((line for line in lines if line.batch.table == pipeline.table), key=lambda line: line.last_time)
    near = [line for line in lines if line.batch.table != pipeline.table and line.last_time >= newest.first_time]
    row = dataset.read_rows(pipeline, [newest, *near], state).slice(0, 1).to_pylist()[0]
    names = [field.name for field in pipeline.signature()]
    return {name: _plain(row[name]) for name in names if row[name] is not None}


def _plain(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") else value


def how_to_go_on(console: Console, stack: Stack, settings: Settings, home: Path) -> None:
    """What a person can do now."""
    address = stack.environment()["STORAGE_EMULATOR_HOST"]
    console.print("\n[bold]Drop a file of your own[/] (any of these; it goes the same way)")
    for line in (
        f"source {home}/environment.sh",
        f"gcloud storage cp FILE gs://{settings.landing_bucket}/flights/",
        f"curl -s -X POST --data-binary @FILE '{address}/upload/storage/v1/b/{settings.landing_bucket}/o"
        "?uploadType=media&name=flights/FILE'",
    ):
        console.print(f"  {line}", soft_wrap=True, highlight=False, markup=False)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
