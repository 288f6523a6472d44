"""The live picture of a run: a row a period, a cell a file and a step. Without a terminal, a line for every change."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from infra.local.example import Drop
from infra.local.follow import Followed, Training


class Board:
    """What is shown while the example runs."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        if not self.console.is_terminal:
            self.console.width = 130  # a log is not as narrow as the terminal that is not there
        self._title = title
        self._started = time.monotonic()
        self._columns: list[str] = []
        self._rows: dict[str, dict[str, str]] = {}
        self._live = Live(console=self.console, auto_refresh=False) if self.console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def say(self, line: str) -> None:
        """One line above the table."""
        self.console.print(f"[dim]{time.monotonic() - self._started:6.1f} s[/]  {line}")
        sys.stdout.flush()

    def file(self, drop: Drop, followed: Followed) -> None:
        """A file has come a step further."""
        self._set(drop.period, drop.part or drop.table, _file_cell(followed))

    def training(self, period: str, training: Training) -> None:
        """A training has come a step further."""
        for column, cell in _training_cells(training).items():
            self._set(period, column, cell)

    def _set(self, period: str, column: str, cell: str) -> None:
        if self._rows.get(period, {}).get(column) == cell:
            return
        if column not in self._columns:
            self._columns.append(column)
        self._rows.setdefault(period, {})[column] = cell
        if self._live:
            self._live.update(self._table(), refresh=True)
        else:
            self.say(f"{period}  {column:<8} {cell}")

    def _table(self) -> Table:
        table = Table(title=self._title, title_justify="left")
        table.add_column("period")
        for column in self._columns:
            table.add_column(column)
        for period, cells in self._rows.items():
            table.add_row(period, *(cells.get(column, "") for column in self._columns))
        return table


def _file_cell(followed: Followed) -> str:
    if followed.verdict:
        verdict = followed.verdict
        if verdict.status == "quarantined":
            return f"[red]quarantined {verdict.rows_quarantined:,}[/]"
        bad = f" [yellow]-{verdict.rows_quarantined:,}[/]" if verdict.rows_quarantined else ""
        return f"[green]accepted {verdict.rows_accepted:,}[/]{bad}"
    return f"read {followed.staged.rows:,}" if followed.staged else "dropped"


def _training_cells(training: Training) -> dict[str, str]:
    if training.candidate is None:
        return {"train": "training"}
    metrics = training.candidate.metrics.get("all", {})
    rows = training.candidate.lineage.rows_train
    cells = {"train": f"{rows:,} rows, AUC {metrics.get('roc_auc', float('nan')):.3f}", "publish": "judging"}
    if training.verdict and training.verdict.status != "published":
        cells["publish"] = f"[yellow]{training.verdict.status}[/]"
    elif training.verdict and not training.settled:
        cells["publish"] = "deploying"
    elif training.version:
        cells["publish"] = f"[green]version {training.version} serves[/]"
    elif training.canary:
        cells["publish"] = f"[green]version {training.canary.version} is a canary, {training.canary.share} %[/]"
    return cells
