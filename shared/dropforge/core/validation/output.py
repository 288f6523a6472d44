"""What validation writes, as SQL: accepted rows typed, quarantined rows as text with their reasons.

The quarantined rows of every table of every pipeline have the same columns, so that one BigQuery table holds them all.
"""

from typing import TYPE_CHECKING

import duckdb

from dropforge.contracts.pipeline import Table
from dropforge.contracts.verdicts import Reason, RowError, Staged
from dropforge.core import engine
from dropforge.core.engine import identifier, text
from dropforge.core.validation import columns, evolution

if TYPE_CHECKING:
    from dropforge.core.validation.judge import Files

SUMMARISED = 20  # kinds of breach that a verdict lists
REASON = 'STRUCT(code VARCHAR, "column" VARCHAR, "value" VARCHAR, sentence VARCHAR)'


def accepted(staged: Staged, table: Table, misfit: list[str], files: "Files") -> str:
    """SQL: copy the rows without a fault, typed, in the order of the file. Every declared column is there."""
    written = {name: columns.value(name) for name in table.columns}
    written |= evolution.written(table, staged.columns, misfit)
    if columns.rescues(table):
        written["_rescued"] = "_rescued"
    written |= {"_batch_id": text(staged.batch.batch_id), "_row": "_row", "_line": "_line"}
    return (
        f"COPY (SELECT {_columns(written)} "
        f"FROM typed ANTI JOIN faults USING (_row) ORDER BY _row) "
        f"TO {text(str(files.accepted))} {engine.parquet(len(written))}"
    )


def quarantined(staged: Staged, batch_reasons: list[Reason], files: "Files") -> str:
    """SQL: copy the rows with a fault and what could not be read; every row, if the batch has reasons as a whole."""
    whole = _whole(batch_reasons)
    join = "LEFT JOIN" if batch_reasons else "JOIN"
    parts = []
    if staged.rows:
        raw = ", ".join(f"{text(name)}: {identifier(name)}" for name in staged.columns)
        kept = f"coalesce(faults.reasons, []::{REASON}[])"
        parts.append(
            f"SELECT _row, _line, list_concat({kept}, {whole}) AS reasons, to_json({{{raw}}}) AS raw "
            f"FROM read_parquet({text(str(files.rows))}) {join} faults USING (_row)"
        )
    if staged.rejected:
        parts.append(_rejects(whole, files))
    return _quarantine(staged, f"({' UNION ALL '.join(parts)}) ORDER BY _row", files)


def given_up(staged: Staged, refusal: Reason, files: "Files") -> str:
    """SQL: copy every row without its values, then what could not be read, a row group in memory at a time.

    Nothing is joined and nothing sorted, which would need the memory that there is not.
    """
    whole = _whole([refusal])
    parts = []
    if staged.rows:
        rows = f"read_parquet({text(str(files.rows))})"
        parts.append(f"SELECT _row, _line, {whole} AS reasons, '{{}}'::JSON AS raw FROM {rows}")
    if staged.rejected:
        parts.append(_rejects(whole, files))
    return _quarantine(staged, f"({' UNION ALL '.join(parts)})", files)


def _whole(batch_reasons: list[Reason]) -> str:
    return f"[{', '.join(_struct(reason) for reason in batch_reasons)}]::{REASON}[]"


def _rejects(whole: str, files: "Files") -> str:
    reject = f"[{{'code': _code, 'column': NULL, 'value': NULL, 'sentence': _sentence}}::{REASON}]"
    return (
        f"SELECT _row, _line, list_concat({reject}, {whole}) AS reasons, json_object('_text', _text) AS raw "
        f"FROM read_parquet({text(str(files.rejects))})"
    )


def _quarantine(staged: Staged, rows: str, files: "Files") -> str:
    written = {
        "pipeline": text(staged.batch.pipeline),
        "table": text(staged.batch.table),
        "batch_id": text(staged.batch.batch_id),
        "source": text(staged.source.uri),
        "source_generation": f"{staged.source.generation}::BIGINT",
        "row": "_row",
        "line": "_line",
        "reasons": "CAST(to_json(reasons) AS VARCHAR)",
        "raw": "CAST(raw AS VARCHAR)",
    }
    return f"COPY (SELECT {_columns(written)} FROM {rows}) TO {text(str(files.quarantined))} (FORMAT parquet)"


def summary(database: duckdb.DuckDBPyConnection, staged: Staged, files: "Files") -> list[Reason]:
    """The kinds of breach, most frequent first, each with its count and its first row's sentence."""
    parts = ["SELECT _row, unnest(reasons, recursive := true) FROM faults"]
    if staged.rejected:
        rejects = f"read_parquet({text(str(files.rejects))})"
        parts.append(f"SELECT _row, _code, NULL, NULL, _sentence FROM {rejects}")
    found = database.execute(
        f'SELECT code, "column", count(*) AS rows, arg_min(sentence, _row) FROM ({" UNION ALL ".join(parts)}) '
        f'GROUP BY code, "column" ORDER BY rows DESC, min(_row), code, "column" LIMIT {SUMMARISED}'
    ).fetchall()
    return [
        Reason(
            code=code,
            subject=column or staged.source.uri,
            observed=rows,
            expected=0,
            sentence=first if rows == 1 else f"{rows:,} rows, the first: {first}",
        )
        for code, column, rows, first in found
    ]


def first_error(database: duckdb.DuckDBPyConnection, staged: Staged, files: "Files") -> RowError | None:
    """The first row of the file, in its order, that broke a rule of its own or could not be read."""
    parts = ["SELECT _row, NULL::BIGINT AS _line, reasons[1] AS reason FROM faults"]
    if staged.rejected:
        reject = f"{{'code': _code, 'column': NULL, 'value': NULL, 'sentence': _sentence}}::{REASON}"
        parts.append(f"SELECT _row, _line, {reject} FROM read_parquet({text(str(files.rejects))})")
    found = database.execute(
        f'SELECT _row, _line, reason.code, reason."column", reason.sentence FROM ({" UNION ALL ".join(parts)}) '
        "ORDER BY _row LIMIT 1"
    ).fetchone()
    if found is None:
        return None
    row, line, code, column, sentence = found
    if line is None and staged.rows:
        rows = f"read_parquet({text(str(files.rows))})"
        line = next(
            (one for (one,) in database.execute(f"SELECT _line FROM {rows} WHERE _row = {row}").fetchall()), None
        )
    return RowError(code=code, row=row, line=line, column=column, sentence=sentence)


def _struct(reason: Reason) -> str:
    return f"{{'code': {text(reason.code)}, 'column': NULL, 'value': NULL, 'sentence': {text(reason.sentence)}}}"


def _columns(written: dict[str, str]) -> str:
    return ", ".join(f"{_nullable(expression)} AS {identifier(name)}" for name, expression in written.items())


def _nullable(expression: str) -> str:
    """SQL: the same, in a column that Parquet calls OPTIONAL.

    DuckDB calls a column REQUIRED when its statistics say that it holds no null, so that the schema would depend on
    the rows, and BigQuery would refuse a file for what another one had.
    """
    return f"CASE WHEN _row > 0 THEN {expression} END"
