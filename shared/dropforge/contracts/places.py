"""Where each thing lies: names of objects in the state bucket, of BigQuery tables, and of what Vertex AI holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a server, which needs names of models only, starts without pydantic
    from dropforge.contracts.batch import Batch

PIPELINES = "pipelines/"


def pipeline_yaml(pipeline: str) -> str:
    """The deployed configuration."""
    return f"{PIPELINES}{pipeline}/pipeline.yaml"


def staged_rows(batch: Batch) -> str:
    """Parquet: every row that could be parsed, all columns as text, with `_row` and `_line`."""
    return f"batches/{batch.pipeline}/{batch.table}/{batch.batch_id}/staged.parquet"


def staged_rejects(batch: Batch) -> str:
    """Parquet: every line that could not be parsed, with `_line`, `_text` and the reason."""
    return f"batches/{batch.pipeline}/{batch.table}/{batch.batch_id}/rejects.parquet"


def staged_record(batch: Batch) -> str:
    """JSON (`verdicts.Staged`): written last, so its presence means that ingest is done with the batch."""
    return f"batches/{batch.pipeline}/{batch.table}/{batch.batch_id}/staged.json"


def accepted_rows(batch: Batch) -> str:
    """Parquet: the rows that passed, typed, with `_batch_id`, `_row` and `_line`."""
    return f"batches/{batch.pipeline}/{batch.table}/{batch.batch_id}/accepted.parquet"


def quarantined_rows(batch: Batch) -> str:
    """Parquet: the rows that did not pass, as text, each with its reasons."""
    return f"batches/{batch.pipeline}/{batch.table}/{batch.batch_id}/quarantined.parquet"


def taken_content(batch: Batch, sha256: str) -> str:
    """JSON (`verdicts.Taken`): the batch as which this content was accepted first."""
    return f"contents/{batch.pipeline}/{batch.table}/{sha256}.json"


def held_against(batch: Batch) -> str:
    """JSON (`verdicts.HeldAgainst`): the batches whose keys this one must not repeat, written once."""
    return f"batches/{batch.pipeline}/{batch.table}/{batch.batch_id}/held_against.json"


def referenced(batch: Batch, table: str) -> str:
    """JSON (`verdicts.HeldAgainst`): the batches of a table whose values this one may reference, written once."""
    return f"batches/{batch.pipeline}/{batch.table}/{batch.batch_id}/referenced_{table}.json"


def evolved(batch: Batch, code: str, column: str) -> str:
    """JSON (`evolution.Evolved`): a change of the table's shape, and the first batch that brought it."""
    return f"evolved/{batch.pipeline}/{batch.table}/{code}/{column}.json"


def profile(batch: Batch) -> str:
    """JSON (`profile.Profile`): what the batch's rows look like, all of them, as they were dropped."""
    return f"batches/{batch.pipeline}/{batch.table}/{batch.batch_id}/profile.json"


def examination(batch: Batch) -> str:
    """JSON (`examination.Examination`): the batch against its history, by what was known when it came."""
    return f"batches/{batch.pipeline}/{batch.table}/{batch.batch_id}/examination.json"


def telling(batch: Batch) -> str:
    """JSON (`telling.Tellings`): how much each column alone tells about the label."""
    return f"batches/{batch.pipeline}/{batch.table}/{batch.batch_id}/telling.json"


def batch_report(batch: Batch) -> str:
    """HTML: what arrived and what changed, for a person."""
    return f"batches/{batch.pipeline}/{batch.table}/{batch.batch_id}/report.html"


def batch_verdict(batch: Batch) -> str:
    """JSON (`verdicts.BatchVerdict`): the commit point of validation; its metadata is the ledger's line."""
    return f"{batch_verdicts(batch.pipeline, batch.table)}{batch.batch_id}.json"


def batch_verdicts(pipeline: str, table: str | None = None) -> str:
    """The prefix below which all verdicts of a pipeline, or of one of its tables, lie."""
    return f"verdicts/{pipeline}/{table}/" if table else f"verdicts/{pipeline}/"


def load_record(batch: Batch) -> str:
    """Parquet: one row (`loads.Load`), the batch's line in the load history."""
    return f"batches/{batch.pipeline}/{batch.table}/{batch.batch_id}/load.parquet"


def disposition(batch: Batch) -> str:
    """JSON (`dispositions.Disposition`): what a person had done with the batch's quarantined rows, written once."""
    return f"{dispositions(batch.pipeline)}{batch.table}/{batch.batch_id}.json"


def dispositions(pipeline: str) -> str:
    """The prefix below which all dispositions of a pipeline lie."""
    return f"dispositions/{pipeline}/"


def candidates(pipeline: str) -> str:
    """The prefix below which every candidate has its folder."""
    return f"candidates/{pipeline}/"


def candidate(pipeline: str, candidate_id: str, file: str = "") -> str:
    """The folder of a candidate, or one file of it: `candidate.json` is written last."""
    return f"{candidates(pipeline)}{candidate_id}/{file}"


def answers(pipeline: str, candidate_id: str, file: str) -> str:
    """Answers of a candidate computed in advance: `answers.json` is written last and names the lookup file."""
    return f"answers/{pipeline}/{candidate_id}/{file}"


def model_verdict(pipeline: str, candidate_id: str) -> str:
    """JSON (`verdicts.ModelVerdict`): what the judge said, written once."""
    return candidate(pipeline, candidate_id, "verdict.json")


def champion(pipeline: str) -> str:
    """JSON (`champion.Champion`): the pointer to what serves, changed by compare-and-set only."""
    return f"champions/{pipeline}.json"


def history(pipeline: str, entry: str = "") -> str:
    """One object for every change of what serves."""
    return f"history/{pipeline}/{entry}"


def canary(pipeline: str) -> str:
    """JSON (`canary.Canary`): the version that answers a share of the requests, changed by compare-and-set only."""
    return f"canaries/{pipeline}/canary.json"


def canary_moves(pipeline: str, entry: str = "") -> str:
    """One object for every state that a pipeline's canaries were in."""
    return f"canaries/{pipeline}/moves/{entry}"


def canary_requests(pipeline: str, candidate_id: str, instance: str = "") -> str:
    """JSON (`canary.Requests`): what each instance of `predict` saw while a candidate was the canary."""
    return f"canaries/{pipeline}/requests/{candidate_id}/{instance}"


def lease(pipeline: str, step: str) -> str:
    """The lease that keeps a step of a pipeline to one run at a time."""
    return f"leases/{pipeline}/{step}.json"


def training_decision(pipeline: str, event_id: str) -> str:
    """JSON: why a trigger did, or did not, start a training."""
    return f"decisions/{pipeline}/{event_id}.json"


def rows_table(pipeline: str, table: str) -> str:
    """The BigQuery table of accepted rows, within the deployment's dataset."""
    return f"{pipeline}__{table}".replace("-", "_")


def log_table(pipeline: str, what: str) -> str:
    """The BigQuery table of a pipeline's logged `predictions`, of `labels`, or of `outcomes`, which have both."""
    return f"{pipeline}__{what}_log".replace("-", "_")


QUARANTINE_TABLE = "quarantine"
LOADS_TABLE = "loads"


def load_job_id(batch: Batch, what: str, attempt: int = 1) -> str:
    """A BigQuery load job's id: the same for every delivery, so that BigQuery itself refuses a second load."""
    return f"dropforge-{what}-{batch.pipeline}-{batch.table}-{batch.batch_id}-{attempt}"


def endpoint_display_name(pipeline: str) -> str:
    """The Vertex AI endpoint of a pipeline."""
    return f"dropforge-{pipeline}"


def model_display_name(pipeline: str) -> str:
    """The Vertex AI model of a pipeline, whose versions are what was published."""
    return f"dropforge-{pipeline}"
