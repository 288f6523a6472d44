"""Whatever people ask for, in whatever order, every row of a file is in exactly one place."""

from typing import Literal, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dropforge.contracts import places
from dropforge.contracts.errors import ActionRefused
from dropforge.core import quarantine
from dropforge.core.twins import SetClock
from tests.commands.test_replay import MARKED, WIDER, only
from tests.functions.drops import HEADER, PIPELINE, Shop

STRICT = PIPELINE.replace(b"max_bad_share: 0.5", b"max_bad_share: 0")
LINES = st.sampled_from(
    [
        "1,2024-01-01,10,big,x",
        "1,2024-01-02,11,big,x",
        "2,2024-01-02,none,small,x",
        "3,2024-01-03,5000,big,x",
        "4,2024-01-04,7,huge,x",
        "5,never,7,big,x",
        "broken",
        "6,2024-01-06,30,small,x",
    ]
)
ALWAYS = ["1,2024-01-01,10,big,x", "7,2024-01-07,10,big,x", "1,2024-01-08,12,big,x", "9,2024-01-09,none,big,x"]
STEPS = st.tuples(
    st.sampled_from([PIPELINE, MARKED, WIDER]), st.sampled_from(["replay", "replay", "release", "discard"])
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(more=st.lists(LINES, max_size=6), steps=st.lists(STEPS, min_size=2, max_size=4))
def test_every_row_is_in_one_place(more: list[str], steps: list[tuple[bytes, str]]) -> None:
    """Accepted rows of all batches, and those that the last leaves, are the file's rows: none lost, none twice."""
    lines = [*more, *ALWAYS]
    shop = Shop().deploy(STRICT)
    first = shop.drop(HEADER + "\n".join(lines) + "\n")
    assert first.status == "quarantined"
    for rules, action in steps:
        step(shop.deploy(rules.replace(b"share: 0.5", b"share: 0.9")), action)
    file = only(shop)
    taken = [
        row for link in file.links if link.line.accepted for row in shop.rows(places.accepted_rows(link.line.batch))
    ]
    tip = file.tip.line
    left = shop.rows(places.quarantined_rows(tip.batch)) if tip.rows_quarantined else []
    assert sorted([*(row["_row"] for row in taken), *(row["row"] for row in left)]) == list(range(1, len(lines) + 1))
    assert len({row["id"] for row in taken}) == len(taken), "a key stands twice"


def step(shop: Shop, action: str) -> None:
    """What a person asks for, and what the function makes of it; what cannot be done is refused, and does nothing."""
    before = shop.everything()
    try:
        if action == "discard":
            quarantine.discard(only(shop), "ann", "unusable", shop.state, SetClock())
            return
        asked = cast(Literal["replay", "release"], action)
        shop.judge_again(only(shop), asked)
    except ActionRefused:
        assert shop.everything() == before
