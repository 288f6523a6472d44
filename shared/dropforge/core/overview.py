"""A pipeline at a glance: what arrived, what was trained, what serves, and what is under way."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from dropforge.contracts import places
from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.canary import Canary
from dropforge.contracts.models import Candidate, Champion
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.verdicts import ModelVerdict
from dropforge.core import canary, candidates, champion, lease, ledger, pipelines, quarantine
from dropforge.core.ports import Clock, Objects
from dropforge.core.state import load

_STAGED = "/staged.json"


@dataclass(frozen=True)
class TableOverview:
    """The batches of one table, counted: rows read = accepted + quarantined + discarded.

    A replay is a batch, but its rows were read before, and count once.
    """

    table: str
    batches: int
    rows_read: int
    rows_accepted: int
    rows_labelled: int
    rows_quarantined: int
    rows_discarded: int
    last_time: str  # of the accepted rows, ISO 8601 or empty
    last_decided: str


@dataclass(frozen=True)
class Overview:
    """One pipeline now. `under_way` are sentences, each about a thing that has begun and is not at its end."""

    pipeline: Pipeline
    generation: int
    tables: list[TableOverview]
    newest: Candidate | None
    verdict: ModelVerdict | None
    champion: Champion | None
    canary: Canary | None
    under_way: list[str]


def overview(name: str, landing: Objects, state: Objects, clock: Clock) -> Overview:
    """Look at one pipeline; reads listings and a handful of small objects.

    Raises:
        PipelineUnknown: none of this name is deployed.
    """
    pipeline, generation = pipelines.load(state, name)
    lines = list(ledger.lines(state, name))
    held = list(quarantine.held(state, name))
    newest = candidates.newest(state, name)
    verdict = load(state, places.model_verdict(name, newest.candidate_id), ModelVerdict) if newest else None
    under_way = [*_files(pipeline, lines, landing, state), *_leases(name, state, clock)]
    if newest and verdict is None:
        under_way.append(f"The candidate {newest.candidate_id} waits for the judge.")
    now, serves = champion.current(state, name)
    baking = canary.running(state, name, serves)
    if baking is not None:
        under_way.append(_canary(baking))
    return Overview(
        pipeline=pipeline,
        generation=generation,
        tables=[_table(table, lines, held) for table in pipeline.tables],
        newest=newest,
        verdict=verdict[0] if verdict else None,
        champion=now,
        canary=baking,
        under_way=under_way,
    )


def _table(table: str, every: list[ledger.Line], held: list[quarantine.Held]) -> TableOverview:
    lines = [line for line in every if line.batch.table == table]
    waiting = [file for file in held if file.origin.line.batch.table == table]
    return TableOverview(
        table=table,
        batches=len(lines),
        rows_read=sum(line.rows_read for line in lines if not line.replay_of),
        rows_accepted=sum(line.rows_accepted for line in lines),
        rows_labelled=sum(line.rows_labelled for line in lines),
        rows_quarantined=sum(file.rows_quarantined for file in waiting),
        rows_discarded=sum(file.rows_discarded for file in waiting),
        last_time=max((line.last_time for line in lines), default=""),
        last_decided=max((line.decided for line in lines), default=""),
    )


def _files(pipeline: Pipeline, lines: list[ledger.Line], landing: Objects, state: Objects) -> Iterator[str]:
    """Files that were dropped and not read, and batches that were read and have no verdict."""
    name = pipeline.pipeline
    decided = {line.batch.batch_id for line in lines}
    staged = {}
    for info in state.list(f"batches/{name}/"):
        if info.name.endswith(_STAGED):
            table, batch_id = info.name.removesuffix(_STAGED).split("/")[-2:]
            staged[batch_id] = Batch(pipeline=name, table=table, batch_id=batch_id)
    for info in landing.list(f"{name}/"):
        source = Source(bucket=landing.bucket, name=info.name, generation=info.generation)
        if info.size and not info.name.endswith("/") and source.batch_id not in staged:
            yield f"{source.uri} was dropped at {info.updated} and is not read yet."
    for batch_id, batch in staged.items():
        if batch_id not in decided:
            yield f"The batch {batch_id} of {batch.table} was read and has no verdict yet."


def _canary(baking: Canary) -> str:
    seen = " ".join(reason.sentence for reason in baking.evidence)
    return f"Version {baking.version} answers {baking.share} % of the requests since {baking.since}. {seen}".strip()


def _leases(name: str, state: Objects, clock: Clock) -> Iterator[str]:
    for info in state.list(f"leases/{name}/"):
        step = info.name.rpartition("/")[2].removesuffix(".json")
        holder = lease.holder(state, info.name, clock)
        if holder is not None:
            until = datetime.fromtimestamp(holder[1], UTC).isoformat(timespec="seconds")
            yield f"The step {step} runs for {holder[0]}, at the latest until {until}."
