"""Which mode of serving is cheapest for the traffic that there is: each measured on logged rows, and priced."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dropforge.contracts.models import Candidate
from dropforge.core.compiled import Predictor
from dropforge.core.serving import cost, lookup
from dropforge.core.serving.cost import Prices
from dropforge.core.serving.identity import Identity
from dropforge.core.serving.traffic import Traffic

BARE_GIB = 0.5  # of a function without a table: `memory_mb` of predict in flow.yaml
BARE_SECONDS = 0.0002  # of an answer, beside what a mode adds: HTTP, checks and the log
ENTRY_BYTES = 2 * 24  # of a row in a table, found by its features and by its key
MOST_CACHED = 100_000  # as `predict` keeps of the model's answers in hybrid


@dataclass(frozen=True)
class Mode:
    """What one mode would be: `answers` is the share of the traffic that it answers, `seconds` what it adds to one
    answer on average, `dollars` those of a million, within the function and with the model on an endpoint."""

    name: str
    answers: float
    seconds: float
    table_bytes: int
    dollars: float
    dollars_endpoint: float


def modes(
    traffic: Traffic, tabled: set[bytes], rows: int, candidate: Candidate, model: Predictor, prices: Prices
) -> list[Mode]:
    """All three, the cheapest that answers everything first. `tabled` names the `rows` that a table would hold."""
    by_model = _each(traffic.examples, lambda row: model.predict([row]))
    by_table = _each(traffic.examples, _reading(Identity("features", candidate.signature)))
    hits = sum(name in tabled for name in traffic.names) / len(traffic.names)
    tail = [name for name in traffic.names if name not in tabled]
    again = 1 - len(set(tail)) / len(tail) if tail and len(set(tail)) <= MOST_CACHED else 0.0
    table = rows * ENTRY_BYTES
    asked = [
        ("dynamic", 1.0, by_model, 0, 1.0),
        ("static", hits, by_table, table, 0.0),
        ("hybrid", 1.0, by_table + (1 - hits) * (1 - again) * by_model, table, (1 - hits) * (1 - again)),
    ]
    found = [
        _mode(traffic, prices, name, answers, seconds, size, to_model)
        for name, answers, seconds, size, to_model in asked
    ]
    return sorted(found, key=lambda mode: (mode.answers < 1, mode.dollars))


def _mode(
    traffic: Traffic, prices: Prices, name: str, answers: float, seconds: float, size: int, to_model: float
) -> Mode:
    alone = cost.of_function(prices, BARE_SECONDS + seconds, BARE_GIB + size / 2**30, traffic.a_second)
    endpoint = cost.of_endpoint(prices, traffic.a_second) if to_model else 0.0
    return Mode(name, answers, seconds, size, alone, alone + endpoint)


def _each(rows: Sequence[dict[str, Any]], answer: Callable[[dict[str, Any]], object]) -> float:
    """Seconds for one row: the best of three rounds, for other work on the machine only ever adds."""
    rounds = []
    for _ in range(3):
        began = time.perf_counter()
        for row in rows:
            answer(row)
        rounds.append(time.perf_counter() - began)
    return min(rounds) / len(rows)


def _reading(identity: Identity) -> Callable[[dict[str, Any]], object]:
    """A look-up in a table of a thousand made-up names; a million take ten more steps of its bisection."""
    content, _ = lookup.dump({number.to_bytes(16, "big"): 0.5 for number in range(1000)})
    with tempfile.TemporaryDirectory(prefix="dropforge-lookup-") as folder:
        path = Path(folder) / "lookup"
        path.write_bytes(content)
        table = lookup.Lookup(path)
    return lambda row: table.get(identity.of(row))
