"""Commands about models, on two versions that were trained and published in memory."""

import copy
import json

import pytest

from dropforge.contracts import places
from dropforge.contracts.models import Candidate, Personal
from tests.commands.cli import Cli
from tests.ml.published import settle, shuffled, train, two_versions
from tests.ml.shop import Shop


@pytest.fixture(scope="module")
def published() -> Shop:
    """A shop whose version 2 has replaced version 1, made once."""
    return two_versions()


@pytest.fixture
def shop(published: Shop) -> Shop:
    """The same, for one test to change."""
    return published.copy()


def test_history_says_what_served_and_why(cli: Cli, shop: Shop) -> None:
    """The newest comes first for people, and last in JSON, as it is stored."""
    told = cli.ask(shop, "history", "shop")
    assert [(entry["version"], entry["action"], entry["by"]) for entry in told] == [
        ("1", "published", "the judge"),
        ("2", "published", "the judge"),
    ]
    status, out, _ = cli.tell(shop, "history", "shop")
    assert status == 0 and out.index("│ 2 ") < out.index("│ 1 ")


def test_history_at_a_moment(cli: Cli, shop: Shop) -> None:
    """Who complains about yesterday's answer must be told which model gave it, and what that was made from."""
    entries = cli.ask(shop, "history", "shop")
    then = cli.ask(shop, "history", "shop", "--at", entries[0]["at"])
    assert then["served"]["version"] == "1"
    assert [batch["source"]["name"] for batch in then["lineage"]["batches"]] == ["shop/noisy.csv"]
    assert cli.ask(shop, "history", "shop", "--at", "2001-01-01T00:00:00Z")["served"] is None


def test_a_time_that_is_none_is_refused(cli: Cli, shop: Shop) -> None:
    """An error is one sentence with what was expected and found, to people and to machines."""
    assert cli.tell(shop, "history", "shop", "--at", "yesterday") == (
        1,
        "",
        "--at: expected a time such as 2026-05-01T12:00:00Z. Found 'yesterday'.\n",
    )
    status, out, _ = cli.tell(shop, "history", "shop", "--at", "yesterday", "--json")
    assert (status, json.loads(out)["error"]["type"]) == (1, "ActionRefused")


def test_models_says_which_serves(cli: Cli, shop: Shop) -> None:
    """The newest first, since it is what people ask about."""
    told = cli.ask(shop, "models", "shop")
    assert [(one["version"], one["serves"], one["verdict"]) for one in told] == [
        ("2", True, "published"),
        ("1", False, "published"),
    ]


def test_models_says_which_corrections_were_tried(cli: Cli, shop: Shop) -> None:
    """Of a pipeline with `training.per`: what was gained by them, and whether any were taken."""
    newest = cli.ask(shop, "models", "shop")[0]["candidate_id"]
    place = places.candidate("shop", newest, "candidate.json")
    content, generation = shop.state.read(place)
    tried = Personal(per="region", plan="", tried={"common": 0.7, "offsets": 0.6})
    candidate = Candidate.model_validate_json(content).model_copy(update={"personal": tried})
    shop.state.replace(place, candidate.model_dump_json().encode(), generation)
    assert [one["personal"] for one in cli.ask(shop, "models", "shop")] == [tried.model_dump(), None]


def test_lineage_names_the_files_generations(cli: Cli, shop: Shop) -> None:
    """A model's answer for itself: which files, in which state, made it."""
    told = cli.ask(shop, "lineage", "shop", "2")
    files = {(one["file"], one["generation"]) for one in told["batches"]}
    assert files == {("gs://landing/shop/noisy.csv", 600), ("gs://landing/shop/clear.csv", 3600)}


def test_diff_tells_files_and_scores(cli: Cli, shop: Shop) -> None:
    """What made the second better is what it has beyond the first."""
    told = cli.ask(shop, "diff", "shop", "1", "2")
    assert told["visits gs://landing/shop/clear.csv#3600"] == {"first": None, "second": "3,000 rows"}
    assert told["roc_auc of all"]["first"] < told["roc_auc of all"]["second"]
    assert cli.ask(shop, "diff", "shop", "2", "2") == {}


def test_a_rollback_holds_until_it_is_released(cli: Cli, shop: Shop) -> None:
    """Repeated it changes nothing, and both are recorded with who and why."""
    back = cli.ask(shop, "rollback", "shop", "--reason", "complaints", "--by", "ann")
    assert (back["version"], back["held"], back["published_by"]) == ("1", True, "ann")
    assert cli.ask(shop, "rollback", "shop", "--reason", "again", "--by", "bob") == back
    assert not cli.ask(shop, "rollback", "shop", "--release", "--reason", "fixed")["held"]
    actions = [entry["action"] for entry in cli.ask(shop, "history", "shop")]
    assert actions == ["published", "published", "rolled_back", "released"]


def test_a_rollback_needs_a_reason(cli: Cli, shop: Shop) -> None:
    """It is recorded, so it must be given."""
    with pytest.raises(SystemExit):
        cli.tell(shop, "rollback", "shop")


def test_an_unknown_version_is_answered_with_those_there_are(cli: Cli, shop: Shop) -> None:
    """Nobody should have to look elsewhere for what could be meant."""
    status, _, error = cli.tell(shop, "lineage", "shop", "7")
    assert status == 1 and "'7'" in error and "Versions that served: 1, 2." in error


def test_a_candidate_is_named_by_the_beginning_of_its_id(cli: Cli, shop: Shop) -> None:
    """Tables show eight digits, so eight must do."""
    whole = cli.ask(shop, "models", "shop")[0]["candidate_id"]
    assert cli.ask(shop, "lineage", "shop", whole[:8])["candidate"] == whole


def test_a_person_may_publish_what_the_judge_refused(cli: Cli, shop: Shop) -> None:
    """In their own name, with the reason, which the history keeps."""
    refused = train(shop, "shuffled.csv", 600, change=shuffled)
    assert settle(shop, refused).status == "refused"
    told = cli.ask(shop, "publish", "shop", refused.candidate_id, "--by", "ann", "--reason", "the old shop is closed")
    assert told["status"] == "published"
    assert cli.ask(shop, "history", "shop")[-1]["by"] == "ann"


def test_a_model_is_made_again_byte_for_byte(cli: Cli, shop: Shop) -> None:
    """What cannot be made again cannot be explained."""
    before = copy.deepcopy(shop.state._versions)
    told = cli.ask(shop, "reproduce", "shop", "1")
    assert told["same"] and told["found"] == told["expected"]
    assert shop.state._versions == before, "reproducing writes nothing"


def test_status_tells_what_serves(cli: Cli, shop: Shop) -> None:
    """One look: what arrived, what serves, what is under way."""
    shop.landing = shop.state  # type: ignore[attr-defined]  # nothing was dropped in this deployment
    (told,) = cli.ask(shop, "status")
    assert told["champion"]["version"] == "2"
    assert [(table["rows_read"], table["rows_accepted"]) for table in told["tables"]] == [(3600, 3600)]
    assert told["under_way"] == []
    status, out, _ = cli.tell(shop, "status", "shop")
    assert status == 0 and "version 2 since" in out
