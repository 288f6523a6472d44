"""The answers of a new champion to what is likely to be asked, computed once and kept for as long as it serves."""

import logging
from contextlib import suppress

from dropforge.contracts import places
from dropforge.contracts.answers import Answers
from dropforge.contracts.errors import AlreadyExists, NotFound
from dropforge.contracts.events import ModelPublished
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.served import ServedField
from dropforge.core import candidates, pipelines
from dropforge.core.ports import Objects
from dropforge.core.serving import lookup, newest, predictor
from dropforge.core.serving.identity import Identity

log = logging.getLogger("materialize")


def on_published(event: ModelPublished, state: Objects) -> None:
    """Write the lookup file of a candidate and then its record, each once; a repeat finds the record and does nothing.

    A file is named by its content, so of two runs that read different rows the record's creator decides, and the other
    file is never read. A candidate without a compiled form has no lookup file: its model answers.

    Raises:
        NotFound: the candidate is not there yet.
    """
    pipeline, _ = pipelines.load(state, event.pipeline)
    record = places.answers(event.pipeline, event.candidate_id, "answers.json")
    if pipeline.serving.mode == "dynamic" or _there(state, record):
        return
    candidate = candidates.find(state, event.pipeline, event.candidate_id)
    if candidate is None:
        raise NotFound(f"The candidate {event.candidate_id} of {event.pipeline} is not there (yet).")
    if candidate.compiled_sha256 is None:
        log.warning(f"{event.candidate_id} has no compiled form, so its model answers: {candidate.compiled_because}")
        return
    rows, entries = answers(pipeline, candidate, state)
    content, digest = lookup.dump(entries)
    said = Answers(
        event.pipeline, event.candidate_id, pipeline.serving.mode, _key(pipeline), digest, rows, len(entries)
    )
    with suppress(AlreadyExists):
        state.create(places.answers(event.pipeline, event.candidate_id, f"{digest}.lookup"), content)
    with suppress(AlreadyExists):
        state.create(record, said.dump())
    log.info(f"{rows} rows of {event.pipeline} are answered in advance for version {event.version}.")


def answers(pipeline: Pipeline, candidate: Candidate, state: Objects) -> tuple[int, dict[bytes, float]]:
    """How many rows there are, and what the model gives, under the name of each row's features and of its key.

    The rows are those of the newest `days`; where a key stands in several, the latest by the main table's time counts.
    """
    model = predictor.of(candidate, state)
    by_features, by_key = Identity("features", candidate.signature), Identity("key", _key(pipeline))
    wanted = [field.name for field in candidate.signature]
    entries: dict[bytes, float] = {}
    rows = 0
    for block in newest.blocks(pipeline, state):
        rows += len(block)
        for row, given in zip(
            block, model.predict([{name: row[name] for name in wanted} for row in block]), strict=True
        ):
            entries[by_features.of(row)] = given
            entries[by_key.of(row)] = given  # rows come in the order of time
    return rows, entries


def _key(pipeline: Pipeline) -> list[ServedField]:
    columns = pipeline.main.columns
    return [ServedField(name, columns[name].type, required=True) for name in pipeline.serving.key]


def _there(state: Objects, record: str) -> bool:
    try:
        state.stat(record)
    except NotFound:
        return False
    return True
