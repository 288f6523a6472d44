"""Static, dynamic and hybrid answers to the same traffic: time for one, memory, and whether they agree.

    python -m tests.benchmarks.serving.modes [--rows 1000000] [--asked 20000] [--rounds 3]

The code of `predict` answers in this process, without HTTP, which costs the same in every mode. `static by key` asks
for the same rows by their number. The hybrid table holds the first tenth of the rows, in which most of Zipf's lie.
Every round asks all modes in turn, each with an empty cache, and the medians of the rounds count. The mean is of the
time that a processor worked, which other work on the machine does not change. `dollars` are of a
million answers of a busy instance by `cost.Prices`; 0.2 ms of HTTP, checks and log are in them, and the table's memory.
"""

import argparse
import asyncio
import json
import os
import time
from hashlib import sha256
from typing import Any, cast

import numpy as np

from dropforge.contracts import places
from dropforge.contracts.answers import Answers
from dropforge.contracts.instances import Signature
from dropforge.contracts.predictions import Request
from dropforge.contracts.served import ServedCandidate, ServedChampion, ServedField
from dropforge.core import compiled
from dropforge.core.serving import advice, cost, lookup
from dropforge.core.serving.identity import Identity
from functions.predict.answering.champions import Champions, Serving
from functions.predict.answering.inline import Inline
from functions.predict.answering.tabled import Backend, Tabled
from tests.functions.trained import flights, trained

KEY = [ServedField("number", "integer", required=True)]
BASE = 1000  # different flights; each comes in `rows / BASE` distances


class Stored:
    """Stands in for `Champions`: what lies in the state bucket."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    async def content(self, place: str) -> bytes:
        """As `Champions.content`."""
        return self.objects[place]

    async def content_if_there(self, place: str) -> bytes | None:
        """As `Champions.content_if_there`."""
        return self.objects.get(place)


def row(number: int) -> dict[str, Any]:
    """One of the rows that can be asked for."""
    return {**flights(1, BASE)[number % BASE], "distance": 10 + number // BASE}


def serving() -> Serving:
    """The champion."""
    made = trained().candidate
    champion = ServedChampion("flights", made.candidate_id, "1", "m", "", "d", made.artefact_sha256, "", "")
    candidate = ServedCandidate.read(made.model_dump_json().encode(), "candidate.json")
    return Serving(champion, candidate, Signature(candidate.signature), 0.0)


def stored(mode: str, rows: int) -> tuple[Stored, int]:
    """What a mode reads, and the bytes of its lookup file."""
    found, made = Stored(), trained()
    found.objects[places.candidate("flights", made.candidate.candidate_id, "predictor.json")] = made.compiled
    if mode == "dynamic":
        return found, 0
    by_features, by_key = Identity("features", made.candidate.signature), Identity("key", KEY)
    predictor = compiled.load(made.compiled, sha256(made.compiled).hexdigest())
    entries: dict[bytes, Any] = {}
    for number in range(rows if mode == "static" else rows // 10):
        each = row(number)
        entries[by_features.of(each)] = entries[by_key.of({"number": number})] = predictor.predict([each])[0]
    content, digest = lookup.dump(entries)
    said = Answers("flights", made.candidate.candidate_id, mode, KEY, digest, rows, len(entries))
    found.objects[places.answers("flights", made.candidate.candidate_id, f"{digest}.lookup")] = content
    found.objects[places.answers("flights", made.candidate.candidate_id, "answers.json")] = said.dump()
    return found, len(content)


def backend(mode: str, reads: Stored) -> Backend:
    """What answers, with an empty cache."""
    champions = cast(Champions, reads)
    return Inline(champions) if mode == "dynamic" else Tabled(champions, Inline(champions))


async def timed(model: Backend, requests: list[Request]) -> tuple[list[float], float, list[float]]:
    """Seconds for each answer, those that a processor worked for one on average, and the answers."""
    who, taken, found = serving(), [], []
    await model.ask(who, requests[0], None)  # what is read once
    worked = time.process_time()
    for request in requests:
        began = time.perf_counter()
        answer = await model.ask(who, request, None)
        taken.append(time.perf_counter() - began)
        found.append(answer["predictions"][0]["probability"])
    return taken, (time.process_time() - worked) / len(requests), found


def told(rounds: list[tuple[list[float], float]], table_bytes: int) -> dict[str, float]:
    """Microseconds and dollars: medians of the rounds."""
    middle = [float(np.median([np.percentile(taken, each) for taken, _ in rounds])) for each in (50, 99)]
    mean = float(np.median([worked for _, worked in rounds]))
    gib = advice.BARE_GIB + table_bytes / 2**30
    dollars = cost.of_function(cost.Prices(), advice.BARE_SECONDS + mean, gib, a_second=1e9)
    return {
        "p50_us": round(1e6 * middle[0], 1),
        "p99_us": round(1e6 * middle[1], 1),
        "mean_us": round(1e6 * mean, 1),
        "dollars": round(dollars, 4),
    }


def main() -> None:
    """Measure, and print one JSON line for each mode and traffic."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--asked", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    traffic = {
        "zipf": [int(number - 1) % given.rows for number in rng.zipf(1.1, given.asked)],
        "uniform": rng.integers(0, given.rows, given.asked).tolist(),
    }
    by_features = {name: [Request([row(number)]) for number in numbers] for name, numbers in traffic.items()}
    by_key = {name: [Request([{"number": n}], by_key=True) for n in numbers] for name, numbers in traffic.items()}
    contests = [("dynamic", by_features), ("static", by_features), ("static", by_key), ("hybrid", by_features)]
    reads = {mode: stored(mode, given.rows) for mode, _ in contests}
    taken: dict[tuple[int, str], list[tuple[list[float], float]]] = {}
    answers: dict[tuple[int, str], list[float]] = {}
    for _ in range(given.rounds):
        for number, (mode, asked) in enumerate(contests):
            for name in traffic:
                seconds, worked, found = asyncio.run(timed(backend(mode, reads[mode][0]), asked[name]))
                taken.setdefault((number, name), []).append((seconds, worked))
                answers[number, name] = found
    for (number, name), rounds in taken.items():
        mode, asked = contests[number]
        size = reads[mode][1]
        said = {"mode": f"{mode} by key" if asked is by_key else mode, "traffic": name, "table_bytes": size}
        agrees = answers[number, name] == answers[0, name]
        print(json.dumps({**said, **told(rounds, size), "agrees": agrees}))
    print(json.dumps({"load": os.getloadavg()}))


if __name__ == "__main__":
    main()
