"""What was answered, and what came of it, is kept once, whichever comes first and however often."""

import pytest

from dropforge.contracts import logged
from dropforge.contracts.errors import EventInvalid
from dropforge.contracts.events import GivenLabel, LabelsGiven, LabelsRecorded, LoggedPrediction, PredictionsLogged
from dropforge.core.logged import tables
from dropforge.core.twins import MemoryObjects, MemoryTopics
from functions.record import steps
from tests.ml.crash import Crash, Fuse, Mortal, every_crash

AT = "2013-01-01T10:30:00+00:00"
KEY = logged.key_name({"order": 7})
IDS = [f"2013010110-{'a' * 16}-0", f"2013010111-{'b' * 16}-0", f"{logged.partition_of_key(KEY)}-{'c' * 16}-0"]
KEYS = [None, None, KEY]
ANSWERED = PredictionsLogged(
    pipeline="shop",
    chunk="0001",
    rows=[
        LoggedPrediction(
            id=identity, at=AT, version="1", candidate_id="c", key=key, instance={"pages": 3}, answer={"label": True}
        )
        for identity, key in zip(IDS, KEYS, strict=True)
    ],
)
CAME = LabelsGiven(
    pipeline="shop",
    chunk="0002",
    at=AT,
    rows=[GivenLabel(id=IDS[0], key=None, label=True), GivenLabel(id=None, key=KEY, label=False)],
)


def told(topics: MemoryTopics) -> list[str]:
    """The partitions that were told of."""
    return sorted({event.partition for event in topics.published if isinstance(event, LabelsRecorded)})


def test_each_row_lies_in_the_partition_where_its_label_will_look() -> None:
    """By the hour, or by the key; a label by id and one by key find the same row."""
    state, topics = MemoryObjects(), MemoryTopics()
    steps.keep_predictions(ANSWERED, state, topics)
    found = {
        info.name: tables.read(state, info.name)["id"].to_pylist() for info in state.list(logged.predictions("shop"))
    }
    assert found == {
        logged.predictions("shop", str(logged.partition_of_id(identity)), "0001"): [identity] for identity in IDS
    }
    assert told(topics) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 0, 1, 0)])
def test_in_any_order_the_same_is_kept_and_each_partition_with_both_is_told_of(order: tuple[int, ...]) -> None:
    """A label may be faster than the log of what it belongs to."""
    state, topics = MemoryObjects(), MemoryTopics()
    for which in order:
        if which:
            steps.keep_labels(CAME, state, topics)
        else:
            steps.keep_predictions(ANSWERED, state, topics)
    assert told(topics) == sorted(["2013010110", logged.partition_of_key(KEY)])
    assert len(list(state.list(""))) == 5


def test_a_death_anywhere_leaves_what_a_calm_delivery_leaves() -> None:
    """Between two partitions, or between a write and what is told of it."""

    def deliver(state: MemoryObjects, topics: MemoryTopics, fuse: Fuse) -> None:
        steps.keep_labels(CAME, Mortal(state, fuse), Mortal(topics, fuse))

    calm, heard = MemoryObjects(), MemoryTopics()
    deliver(calm, heard, Fuse())
    for fuse in every_crash(lambda fuse: deliver(MemoryObjects(), MemoryTopics(), fuse)):
        state, topics = MemoryObjects(), MemoryTopics()
        with pytest.raises(Crash):
            deliver(state, topics, fuse)
        deliver(state, topics, Fuse())
        assert [info.name for info in state.list("")] == [info.name for info in calm.list("")]
        assert told(topics) == told(heard)


def test_an_id_of_nothing_is_an_error_that_no_repeat_mends() -> None:
    """It goes to the dead letters with a sentence, instead of being delivered for ever."""
    bad = CAME.model_copy(update={"rows": [GivenLabel(id="x", key=None, label=True)]})
    with pytest.raises(EventInvalid, match=r"Expected the id of a prediction\. Found 'x'"):
        steps.keep_labels(bad, MemoryObjects(), MemoryTopics())
