"""Quarantined rows, judged again: by functions in memory, as events would run them."""

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import pytest

from dropforge.contracts import places
from dropforge.contracts.errors import ActionRefused
from dropforge.contracts.events import BatchAccepted, BatchStaged
from dropforge.contracts.verdicts import BatchVerdict
from dropforge.core import dataset, ledger, pipelines, quarantine
from dropforge.core.quarantine import Held
from dropforge.core.twins import SetClock
from tests.functions.drops import HEADER, PIPELINE, Died, Shop

GOOD = "1,2024-01-01,10,big,x\n2,2024-01-02,20,small,x\n3,2024-01-03,30,big,x\n"
BAD = "4,2024-01-04,none,small,x\n5,2024-01-05,5000,big,x\n"
MARKED = PIPELINE.replace(b"time: at", b"time: at\n    null_markers: [NA, none]")
WIDER = MARKED.replace(b"max: 1000", b"max: 10000")


def ask(shop: Shop, action: Literal["replay", "release"] = "replay", by: str = "ann") -> BatchVerdict | None:
    """Have the only file judged again, once, as the command and then the function do."""
    to = quarantine.judge_again(only(shop), action, by, "fixed", shop.state, shop.topics, SetClock())
    return shop.validate(to) if to else None


def only(shop: Shop) -> Held:
    """The only file that was ever quarantined in part."""
    (found,) = quarantine.held(shop.state, "shop")
    assert found.reconciles
    return found


def test_a_replay_takes_in_what_the_present_rules_let_through(shop: Shop) -> None:
    """A fix in pipeline.yaml is worth nothing if the rows that needed it stay outside."""
    first = shop.drop(HEADER + GOOD + BAD)
    again = ask(shop.deploy(MARKED))
    assert again is not None
    assert (again.rows_read, again.rows_accepted, again.rows_quarantined) == (2, 1, 1)
    assert [(row["id"], row["amount"], row["_line"]) for row in shop.accepted(again)] == [(4, None, 5)]
    assert [row["line"] for row in shop.quarantined(again)] == [6]
    assert again.source == first.source, "a model's lineage must name the dropped file, whatever way its rows took"


def test_replaying_twice_gives_the_same_as_once(shop: Shop) -> None:
    """People press the button again; and a command that was interrupted is started again."""
    shop.drop(HEADER + GOOD + BAD)
    ask(shop.deploy(MARKED))
    before, events = shop.everything(), len(shop.topics.published)
    assert ask(shop, by="bob") is None
    assert (shop.everything(), len(shop.topics.published)) == (before, events)


def test_nothing_is_replayed_under_the_rules_that_quarantined_it(shop: Shop) -> None:
    """The same rules say the same, so such a replay would only make a batch of nothing."""
    shop.drop(HEADER + GOOD + BAD)
    assert ask(shop) is None
    assert list(shop.state.list(places.dispositions("shop"))) == []


def test_each_row_is_counted_once_over_all_replays(shop: Shop) -> None:
    """rows read = accepted + quarantined + discarded, over the original batch and its replays."""
    shop.drop(HEADER + GOOD + BAD + "6,2024-01-06,7,huge,x\nbroken\n")
    ask(shop.deploy(MARKED))
    ask(shop.deploy(WIDER))
    found = only(shop)
    assert (found.rows_read, found.rows_accepted, found.rows_quarantined, found.rows_discarded) == (7, 5, 2, 0)
    quarantine.discard(found, "ann", "unusable", shop.state, SetClock())
    found = only(shop)
    assert (found.rows_accepted, found.rows_quarantined, found.rows_discarded, found.state) == (5, 0, 2, "discarded")
    assert [link.disposition and link.disposition.action for link in found.links] == ["replay", "replay", "discard"]


def test_the_original_verdict_stays_as_it_was(shop: Shop) -> None:
    """What was decided, and by which rules, is a record; a replay adds to it."""
    first = shop.drop(HEADER + GOOD + BAD)
    place = places.batch_verdict(first.batch)
    before = shop.state.stat(place)
    ask(shop.deploy(WIDER))
    assert shop.state.stat(place) == before
    assert [line.replay_of for line in ledger.lines(shop.state, "shop")].count(first.batch.batch_id) == 1


def test_replayed_rows_go_the_way_of_all_rows(shop: Shop) -> None:
    """They are loaded under a job id of their own, and start a training as any accepted batch does."""
    shop.drop(HEADER + GOOD + BAD)
    again = ask(shop.deploy(WIDER))
    assert again is not None
    assert places.load_job_id(again.batch, "accepted") in shop.warehouse.jobs
    assert shop.topics.published[-1] == BatchAccepted(**again.batch.model_dump())


def test_the_repaired_data_is_the_undisturbed_data(shop: Shop) -> None:
    """A model from a file that was replayed must be the one from a file that passed at once."""
    shop.drop(HEADER + GOOD + BAD)
    ask(shop.deploy(WIDER))
    undisturbed = Shop().deploy(WIDER)
    undisturbed.drop(HEADER + GOOD + BAD)
    assert learned(shop) == learned(undisturbed)


def learned(shop: Shop) -> list[dict[str, Any]]:
    """The rows that a training would read, but for the batch that brought them."""
    pipeline, _ = pipelines.load(shop.state, "shop")
    rows = dataset.read_rows(pipeline, list(ledger.lines(shop.state, "shop")), shop.state)
    found: list[dict[str, Any]] = rows.drop_columns(["_batch_id"]).to_pylist()
    return found


def test_a_key_that_was_accepted_before_stays_unique(shop: Shop) -> None:
    """A row is quarantined for having another's key; alone in a replay it would pass, and stand there twice."""
    shop.drop(HEADER + GOOD + "2,2024-01-09,99,big,x\n" + BAD)
    again = ask(shop.deploy(WIDER))
    assert again is not None
    assert [row["id"] for row in shop.accepted(again)] == [4, 5]
    assert "must be unique. Line 3 has it too." in again.reasons[0].sentence


def test_the_share_of_bad_rows_is_that_of_the_file(shop: Shop) -> None:
    """Of the few rows left most may still be bad; that says nothing of the file they came in."""
    strict = PIPELINE.replace(b"max_bad_share: 0.5", b"max_bad_share: 0.4")
    shop.deploy(strict).drop(HEADER + GOOD + GOOD.replace("2024-01", "2024-02").replace(",x", ",y"))
    # All three of the second half repeat a key; with a new key column only one is left that does.
    assert only(shop).tip.line.status == "quarantined"
    again = ask(shop.deploy(strict.replace(b"key: [id]", b"key: [id, at]")))
    assert again is not None and again.status == "accepted"


def test_a_release_sets_aside_the_rules_of_the_batch_only(shop: Shop) -> None:
    """A person may know that half a batch is bad and want the other half; a text still is no number."""
    shop.deploy(PIPELINE.replace(b"max_bad_share: 0.5", b"max_bad_share: 0.1")).drop(HEADER + GOOD + BAD)
    released = ask(shop, "release")
    assert released is not None
    assert (released.status, released.rows_accepted, released.rows_quarantined) == ("accepted_in_part", 3, 2)
    assert ask(shop, "release") is None


def test_a_release_that_would_change_nothing_is_refused(shop: Shop) -> None:
    """Rows that break a rule of their own need another rule, and the answer says so."""
    shop.drop(HEADER + GOOD + BAD)
    with pytest.raises(ActionRefused, match="change the rules of the pipeline and replay them, or discard"):
        ask(shop, "release")


def test_a_file_that_is_no_table_cannot_be_replayed(shop: Shop) -> None:
    """No rule reads a picture."""
    shop.drop(HEADER + GOOD + BAD)
    staged = shop.ingest(shop.put(b"1,2,3\n4,5,6\n", "shop/no-header.csv"))
    assert staged is not None and staged.problem is not None
    verdict = shop.validate(staged.batch)
    found = quarantine.find(shop.state, verdict.batch.batch_id)
    with pytest.raises(ActionRefused, match="drop it again, mended"):
        quarantine.judge_again(found, "replay", "ann", "", shop.deploy(WIDER).state, shop.topics, SetClock())


def test_discarded_rows_stay_out(shop: Shop) -> None:
    """What a person gave up does not come back by another's replay of everything."""
    shop.drop(HEADER + GOOD + BAD)
    quarantine.discard(only(shop), "ann", "unusable", shop.state, SetClock())
    with pytest.raises(ActionRefused, match=r"discarded by ann at .*: unusable"):
        ask(shop.deploy(WIDER))


def test_the_first_of_two_decisions_stands(shop: Shop) -> None:
    """Two people decide at once, on what each saw: the rows are taken in, or given up, never both."""
    shop.drop(HEADER + GOOD + BAD)
    seen = only(shop)
    quarantine.judge_again(seen, "replay", "ann", "", shop.deploy(WIDER).state, shop.topics, SetClock())
    with pytest.raises(ActionRefused, match="are being judged again, as ann asked"):
        quarantine.discard(seen, "bob", "unusable", shop.state, SetClock())
    assert only(shop).state == "under way"


def test_rules_that_change_between_two_replays_take_no_row_twice(shop: Shop) -> None:
    """Both saw the same rows waiting, under other rules each; the second goes on with what the first began."""
    shop.drop(HEADER + GOOD + BAD)
    seen = only(shop)
    batches = [
        quarantine.judge_again(seen, "replay", "ann", "", shop.deploy(rules).state, shop.topics, SetClock())
        for rules in (MARKED, WIDER)
    ]
    assert batches[0] == batches[1]


def test_content_that_came_again_meanwhile_is_not_loaded_twice(shop: Shop) -> None:
    """Who fixes the rules may drop the file again, and then somebody replays the old one."""
    strict = PIPELINE.replace(b"max_bad_share: 0.5", b"max_bad_share: 0")
    shop.deploy(strict).drop(HEADER + GOOD + BAD)
    shop.deploy(WIDER).drop(HEADER + GOOD + BAD, "shop/again.csv")
    again = ask(shop)
    assert again is not None and again.status == "skipped"
    assert (only(shop).rows_discarded, only(shop).state) == (5, "settled")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 11))
def test_a_replay_that_dies_anywhere_is_gone_on_with(shop: Shop, at: int, after: bool) -> None:
    """Killed at any of its writes, command and function started again give what they would have given at once."""
    shop.drop(HEADER + GOOD + BAD)
    shop.deploy(MARKED)
    died = dies(lambda: ask(shop.dying(at, after)))
    assert died or (at, after) == (4, True), "the fourth write finds that the content is the file's already"
    waiting = [event.batch for event in shop.topics.published if isinstance(event, BatchStaged)]
    ask(shop)
    for batch in waiting:
        shop.validate(batch)
    assert shop.everything() == undisturbed()


@cache
def undisturbed() -> dict[str, Any]:
    """What a replay leaves that nothing stopped."""
    shop = Shop().deploy()
    shop.drop(HEADER + GOOD + BAD)
    ask(shop.deploy(MARKED))
    return shop.everything()


def dies(run: Callable[[], object]) -> bool:
    """Whether the run was killed."""
    try:
        run()
    except Died:
        return True
    return False
