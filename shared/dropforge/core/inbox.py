"""The inbox: every alert as an object in the state bucket, and a page that shows the last of them."""

from collections.abc import Mapping
from contextlib import suppress
from html import escape

from dropforge.contracts import alerts
from dropforge.contracts.errors import AlreadyExists, GenerationMismatch
from dropforge.contracts.events import AlertRaised
from dropforge.core.ports import ObjectInfo, Objects
from dropforge.core.state import load_text

SHOWN = 200
_MOST = 1000  # characters of a sentence in the listing; an object's metadata holds 8 KiB
_ATTEMPTS = 5


def keep(state: Objects, alert: AlertRaised, alert_id: str, at: str) -> bool:
    """Keep an alert; returns whether it is new."""
    said = {name: getattr(alert, name) for name in ("severity", "status", "code", "subject", "pipeline")}
    line = {**said, "at": at, "sentence": alert.sentence[:_MOST]}
    try:
        state.create(alerts.alert(alert.pipeline, alert_id), alert.model_dump_json(indent=1).encode(), line)
    except AlreadyExists:
        return False
    return True


def newest(state: Objects, most: int = SHOWN) -> list[ObjectInfo]:
    """The last alerts, the newest first; `metadata` says what each is."""
    found = [info for info in state.list(alerts.ALERTS) if info.name.endswith(".json")]
    return sorted(found, key=lambda info: info.metadata.get("at", ""), reverse=True)[:most]


def show(state: Objects) -> None:
    """Write the page anew. Raises GenerationMismatch where others do so again and again."""
    for _ in range(_ATTEMPTS):
        before, generation = load_text(state, alerts.INBOX)
        page = _page(newest(state)).encode()
        if page == before:
            return
        with suppress(GenerationMismatch):
            state.replace(alerts.INBOX, page, generation)
            return
    raise GenerationMismatch(f"{alerts.INBOX} was written by others {_ATTEMPTS} times.", object=alerts.INBOX)


def _page(lines: list[ObjectInfo]) -> str:
    rows = "\n".join(_row(info.metadata) for info in lines)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Dropforge: alerts</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ border-bottom: 1px solid #8884; padding: .4rem .6rem; text-align: left; vertical-align: top }}
.error {{ color: #b3261e }} .warning {{ color: #8a5a00 }} .resolved {{ color: #1b6e3c }}
</style>
<h1>Alerts</h1>
<table><tr><th>when (UTC)<th>pipeline<th>what<th>about<th></tr>
{rows}
</table></html>
"""


def _row(said: Mapping[str, str]) -> str:
    line = {name: escape(value) for name, value in said.items()}
    look = "resolved" if line.get("status") == "resolved" else line.get("severity", "")
    what = f"{line.get('code', '')} {'(resolved)' if look == 'resolved' else ''}"
    cells = [line.get("at", "")[:19], line.get("pipeline", ""), what, line.get("subject", ""), line.get("sentence", "")]
    return f'<tr class="{look}"><td>' + "<td>".join(cells) + "</tr>"
