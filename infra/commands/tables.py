"""Tables for people."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

Cell = str | tuple[str, str]  # a text from anywhere or, with a style of rich's, a coloured one


def show(
    console: Console, columns: Sequence[str], rows: Iterable[Sequence[Cell]], right: Sequence[str] = (), title: str = ""
) -> None:
    """A row a line; the columns named in `right` hold numbers. Texts are shown as they are, brackets and all."""
    table = Table(title=title or None, title_justify="left")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(cell) for cell in row))
    console.print(table)


def facts(console: Console, pairs: Iterable[tuple[str, object]]) -> None:
    """Names and values, one a line; empty values are left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in pairs:
        if value not in ("", None):
            table.add_row(name, _cell(str(value)))
    console.print(table)


def when(iso: str) -> str:
    """An ISO 8601 time to the second.

    >>> when("2013-02-01T10:00:00.123456+00:00")
    '2013-02-01 10:00:00Z'
    """
    return iso.partition("+")[0].partition(".")[0].replace("T", " ").removesuffix("Z") + "Z" if iso else ""


def _cell(cell: Cell) -> Text:
    return Text(cell) if isinstance(cell, str) else Text(cell[0], style=cell[1])
