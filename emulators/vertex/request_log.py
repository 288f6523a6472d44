"""Request-response logging: online predictions written to BigQuery, through the emulator at BIGQUERY_EMULATOR_HOST.

https://cloud.google.com/vertex-ai/docs/predictions/online-prediction-logging#request-response-logging
Rows are written after the answer, in the order of the answers; what is not yet written when the emulator is killed is
lost. The service promises no more.
"""

import asyncio
import json
import re
import secrets
import sys
from collections import defaultdict
from typing import Any

import httpx

from emulators.addresses import base_url
from emulators.clock import Clock
from emulators.vertex.errors import ApiError
from emulators.vertex.schema import Json
from emulators.vertex.tables import VARIABLE, Table, Tables

TABLE = "request_response_logging"
MOST_WAITING = 10_000  # rows; beyond them the oldest are dropped, and said to be
_SCHEMA = [
    {"name": "endpoint", "type": "STRING"},
    {"name": "deployed_model_id", "type": "STRING"},
    {"name": "logging_time", "type": "TIMESTAMP"},
    {"name": "request_id", "type": "NUMERIC"},
    {"name": "request_payload", "type": "STRING", "mode": "REPEATED"},
    {"name": "response_payload", "type": "STRING", "mode": "REPEATED"},
]


class RequestLog:
    """Takes predictions of endpoints that log, and writes them behind."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[str, float] = defaultdict(float)
        self._waiting: list[tuple[Table, Json]] = []
        self._made: set[Table] = set()
        self._writer: asyncio.Task[None] | None = None

    def take(self, endpoint: Json, deployed_id: str, instances: list[Any], predictions: list[Any]) -> None:
        """Note one prediction, if the endpoint logs and its sampling rate says so: at 0.25, every fourth."""
        config = endpoint.get("predictRequestResponseLoggingConfig", {})
        if not config.get("enabled"):
            return
        self._due[endpoint["name"]] += float(config.get("samplingRate", 1.0))
        if self._due[endpoint["name"]] < 1:
            return
        self._due[endpoint["name"]] -= 1
        row = {
            "endpoint": endpoint["name"],
            "deployed_model_id": deployed_id,
            "logging_time": self._clock.datetime().isoformat(),
            "request_id": str(secrets.randbelow(10**18)),
            "request_payload": [json.dumps(instance) for instance in instances],
            "response_payload": [json.dumps(prediction) for prediction in predictions],
        }
        self._waiting.append((destination(endpoint), row))
        if len(self._waiting) > MOST_WAITING:
            self._complain(f"{len(self._waiting) - MOST_WAITING} of the oldest rows are dropped.")
            del self._waiting[:-MOST_WAITING]
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    @staticmethod
    def _complain(reason: str) -> None:
        print(f"Request-response logging: {reason}", file=sys.stderr, flush=True)

    async def _write(self) -> None:
        if not base_url(VARIABLE):
            self._complain(f"{VARIABLE} is not set, so nothing is logged.")
            self._waiting.clear()
            return
        async with Tables() as tables:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    for place in dict.fromkeys(place for place, _ in batch):
                        await self._insert(tables, place, [row for other, row in batch if other == place])
                except (httpx.HTTPError, ApiError) as error:
                    self._complain(f"{len(batch)} rows were not written: {error}")

    async def _insert(self, tables: Tables, place: Table, rows: list[Json]) -> None:
        if place not in self._made:
            await tables.create(place, _SCHEMA)
            self._made.add(place)
        refused = await tables.insert(place, [{"insertId": row["request_id"], "json": row} for row in rows])
        if refused:
            self._complain(f"BigQuery refused rows of {place.dataset}.{place.name}: {refused[0]}")

    async def stop(self) -> None:
        """Write what waits, for a few seconds at most."""
        if self._writer is not None:
            await asyncio.wait([self._writer], timeout=5)


def destination(endpoint: Json) -> Table:
    """Where an endpoint logs: `bq://project.dataset.table` with the service's names for what is left out."""
    config = endpoint["predictRequestResponseLoggingConfig"]
    given = config.get("bigqueryDestination", {}).get("outputUri", "").removeprefix("bq://")
    project, dataset, table = [*given.split("."), "", "", ""][:3]
    own = f"logging_{endpoint['displayName']}_{endpoint['name'].rpartition('/')[2]}"
    return Table(project or endpoint["name"].split("/")[1], dataset or re.sub(r"\W", "_", own), table or TABLE)
