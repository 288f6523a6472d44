"""Static, dynamic and hybrid answers to the same traffic: time for one, memory, and whether they agree.

    python -m tests.benchmarks.serving.modes [--rows 1000000] [--asked 20000]

The code of `predict` answers in this process, without HTTP, which costs the same in every mode. `static by key` asks
for the same rows by their number. The hybrid table holds the first tenth of the rows, in which most of Zipf's lie.
"""

import argparse
import asyncio
import json
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
from dropforge.core.serving import lookup
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


def backend(mode: str, rows: int) -> tuple[Backend, int]:
    """What answers, and the bytes of its lookup file."""
    stored, made = Stored(), trained()
    folder = places.candidate("flights", made.candidate.candidate_id, "predictor.json")
    stored.objects[folder] = made.compiled
    champions = cast(Champions, stored)
    model = Inline(champions)
    if mode == "dynamic":
        return model, 0
    by_features, by_key = Identity("features", made.candidate.signature), Identity("key", KEY)
    predictor = compiled.load(made.compiled, sha256(made.compiled).hexdigest())
    entries: dict[bytes, float] = {}
    for number in range(rows if mode == "static" else rows // 10):
        each = row(number)
        entries[by_features.of(each)] = entries[by_key.of({"number": number})] = predictor.predict([each])[0]
    content, digest = lookup.dump(entries)
    said = Answers("flights", made.candidate.candidate_id, mode, KEY, digest, rows, len(entries))
    stored.objects[places.answers("flights", made.candidate.candidate_id, f"{digest}.lookup")] = content
    stored.objects[places.answers("flights", made.candidate.candidate_id, "answers.json")] = said.dump()
    return Tabled(champions, model), len(content)


async def timed(model: Backend, requests: list[Request]) -> tuple[dict[str, float], list[float]]:
    """Microseconds for one answer, and the answers."""
    who, taken, found = serving(), [], []
    await model.ask(who, requests[0], b"")  # what is read once
    for request in requests:
        began = time.perf_counter()
        answer = await model.ask(who, request, b"")
        taken.append(time.perf_counter() - began)
        found.append(answer["predictions"][0]["probability"])
    return {"p50_us": _micro(taken, 50), "p99_us": _micro(taken, 99), "mean_us": round(1e6 * np.mean(taken), 1)}, found


def _micro(taken: list[float], percentile: int) -> float:
    return round(1e6 * float(np.percentile(taken, percentile)), 1)


def main() -> None:
    """Measure, and print one JSON line for each mode and traffic."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--asked", type=int, default=20_000)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    traffic = {
        "zipf": [int(number - 1) % given.rows for number in rng.zipf(1.1, given.asked)],
        "uniform": rng.integers(0, given.rows, given.asked).tolist(),
    }
    asked = {name: [Request([row(number)]) for number in numbers] for name, numbers in traffic.items()}
    keys = {name: [Request([{"number": n}], by_key=True) for n in numbers] for name, numbers in traffic.items()}
    expected: dict[str, list[float]] = {}
    for mode in ("dynamic", "static", "hybrid"):
        model, size = backend(mode, given.rows)
        for name in traffic:
            told, found = asyncio.run(timed(model, asked[name]))
            agrees = found == expected.setdefault(name, found)
            print(
                json.dumps({"mode": mode, "traffic": name, "table_bytes": size, **told, "agrees": agrees}), flush=True
            )
            if mode == "static":
                told, found = asyncio.run(timed(model, keys[name]))
                agrees = found == expected[name]
                print(json.dumps({"mode": "static by key", "traffic": name, **told, "agrees": agrees}), flush=True)


if __name__ == "__main__":
    main()
