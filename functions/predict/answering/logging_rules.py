"""What each pipeline keeps of its predictions, and whether it has tables, by its deployed `pipeline.yaml`.

It was checked strictly when it was deployed, so here it is only read, without pydantic, which costs a cold start 0.1 s.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from dropforge.contracts import places

from .champions import Champions

FRESH_FOR = 30.0  # seconds; a changed section takes effect within them


@dataclass(frozen=True)
class Rules:
    """As `contracts.pipeline.Logging`. `tabled` says that the serving mode is not dynamic. `read_at` is monotonic."""

    share: float = 1.0
    masked: frozenset[str] = frozenset()
    waits: bool = False
    tabled: bool = False
    read_at: float = 0.0

    def keep(self, request_id: str) -> bool:
        """Whether a request is in the sample: by its id, so that each try decides alike."""
        return int(request_id[:8], 16) < self.share * 0x1_0000_0000

    def masking(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values without those of masked columns."""
        if not self.masked:
            return values
        return {name: None if name in self.masked else value for name, value in values.items()}


class AllRules:
    """The rules of every pipeline that was asked for."""

    def __init__(self, champions: Champions) -> None:
        self._champions = champions
        self._known: dict[str, Rules] = {}
        self._reading: set[asyncio.Task[Rules]] = set()

    async def of(self, pipeline: str) -> Rules:
        """The rules. Only the first request of a pipeline waits for them; later they are renewed beside the answers.

        Raises:
            ServiceUnavailable: they cannot be read, and never were.
        """
        known = self._known.get(pipeline)
        if known is None:
            return await self._read(pipeline)
        if time.monotonic() - known.read_at > FRESH_FOR and not self._reading:
            task = asyncio.create_task(self._read(pipeline))
            self._reading.add(task)
            task.add_done_callback(self._renewed)
        return known

    async def _read(self, pipeline: str) -> Rules:
        import yaml

        text = await self._champions.content_if_there(places.pipeline_yaml(pipeline))
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        said = yaml.load(text or b"", Loader=loader) or {}
        section = said.get("logging", {})
        found = Rules(
            share=float(section.get("share", 1.0)),
            masked=frozenset(section.get("masked", ())),
            waits=section.get("loss") == "none",
            tabled=said.get("serving", {}).get("mode", "dynamic") != "dynamic",
            read_at=time.monotonic(),
        )
        self._known[pipeline] = found
        return found

    def _renewed(self, task: asyncio.Task[Rules]) -> None:
        self._reading.discard(task)
        if not task.cancelled():
            task.exception()  # the last rules stay in force; reading what serves warns of the same bucket
