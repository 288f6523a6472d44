"""The frame of every report: one HTML file with its style inside, a heading and tiles."""

from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.resources import files

MANY = 20  # columns, from which one can be looked for
FILTER = (  # with many columns one types a part of a name; without JavaScript all are shown
    "<script>document.getElementById('find').addEventListener('input',e=>{for(const c of document.querySelectorAll("
    "'.columns .card'))c.hidden=!c.dataset.name.includes(e.target.value.toLowerCase())})</script>"
)


def document(title: str, parts: Iterable[str]) -> str:
    """The whole file. `parts` are HTML; `title` is text."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_style()}</style></head>'
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def tiles(told: Iterable[tuple[str, str]]) -> str:
    """(what, figure) side by side."""
    return '<div class="tiles">' + "".join(f"<div><b>{n}</b><span>{what}</span></div>" for what, n in told) + "</div>"


def cards(each: list[str]) -> str:
    """One card a column, with a field to find one where there are many."""
    if len(each) <= MANY:
        return f"<div class=columns>{''.join(each)}</div>"
    find = '<input id=find placeholder="Find a column" aria-label="Find a column">'
    return f"{find}<div class=columns>{''.join(each)}</div>{FILTER}"


@cache
def _style() -> str:
    return files(__package__).joinpath("style.css").read_text("utf-8")
