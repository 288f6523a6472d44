"""What commands do besides asking the core: find the deployment, check arguments, wait, and print."""

import json
from pathlib import Path
from typing import Any

import pytest

from dropforge.contracts.errors import SettingsInvalid
from dropforge.contracts.events import BatchStaged
from dropforge.core.twins import MemoryTopics, SetClock
from infra.__main__ import COMMANDS
from infra.commands import deployment
from tests.commands.cli import Cli
from tests.commands.test_replay import BAD, GOOD, MARKED, WIDER
from tests.functions.drops import HEADER, PIPELINE, Shop

REPO = Path(__file__).parents[2]


class Delivering(MemoryTopics):
    """Topics that call the function at once, as if there were no time between."""

    shop: Shop

    def publish(self, event: Any) -> None:
        """Keep the event, and validate what it stages."""
        super().publish(event)
        if isinstance(event, BatchStaged):
            self.shop.validate(event.batch)


@pytest.fixture
def running(shop: Shop) -> Shop:
    """A shop whose validation runs by itself, with the clock that commands need."""
    shop.topics = Delivering()
    shop.topics.shop = shop
    shop.clock = SetClock()  # type: ignore[attr-defined]
    return shop


def test_the_quarantine_is_listed_shown_and_replayed(cli: Cli, running: Shop) -> None:
    """The way of a person: what lies there, why, fix, replay, look again."""
    running.ingest(running.put(HEADER + GOOD + BAD))
    (listed,) = cli.ask(running, "quarantine", "list", "shop")["files"]
    assert (listed["state"], listed["rows_quarantined"], listed["reconciles"]) == ("waiting", 2, True)
    shown = cli.ask(running, "quarantine", "show", listed["batch"][:6])
    assert [row["line"] for row in shown["rows"]] == [5, 6]
    assert shown["rows"][0]["raw"]["amount"] == "none"
    running.deploy(MARKED)
    (replayed,) = cli.ask(running, "quarantine", "replay", listed["batch"], "--by", "ann")["files"]
    assert (replayed["rows_accepted"], replayed["rows_quarantined"]) == (4, 1)
    assert replayed["links"][0]["disposition"]["by"] == "ann"
    status, out, _ = cli.tell(running, "quarantine", "show", listed["batch"])
    assert status == 0 and "replay by ann" in out and "'amount' must be at most 1000 (EUR). Found '5000'." in out


def test_a_replay_of_nothing_says_what_would_change_that(cli: Cli, running: Shop) -> None:
    """Under the same rules there is nothing to do, and the answer says which command changes the rules."""
    running.ingest(running.put(HEADER + GOOD + BAD))
    status, out, _ = cli.tell(running, "quarantine", "replay", "--all")
    assert status == 0 and "deploy-pipeline FILE" in out


def test_one_refusal_does_not_stop_the_others(cli: Cli, running: Shop) -> None:
    """Of many files, one is no table; the others are replayed, and the one is named."""
    running.ingest(running.put(HEADER + GOOD + BAD))
    running.ingest(running.put(b"1,2,3\n4,5,6\n", "shop/headless.csv"))
    told = cli.ask(running.deploy(WIDER), "quarantine", "replay", "--all")
    assert {file["rows_quarantined"] for file in told["files"]} == {0, 2}
    assert len(told["notes"]) == 1 and "could not be read" in told["notes"][0]


@pytest.mark.parametrize("action", ["release", "discard"])
def test_what_a_person_answers_for_needs_a_reason(cli: Cli, running: Shop, action: str) -> None:
    """It is recorded, so it must be given."""
    with pytest.raises(SystemExit):
        cli.tell(running, "quarantine", action, "abc")


def test_a_pipeline_is_deployed_by_compare_and_set(cli: Cli, running: Shop, tmp_path: Path) -> None:
    """What was changed is shown; the same again changes nothing."""
    file = tmp_path / "pipeline.yaml"
    file.write_bytes(WIDER)
    told = cli.ask(running, "deploy-pipeline", str(file))
    assert told["changed"] and "-      amount: {type: number, unit: EUR, min: 0, max: 1000}" in told["diff"]
    again = cli.ask(running, "deploy-pipeline", str(file))
    assert (again["changed"], again["generation"]) == (False, told["generation"])


def test_a_pipeline_with_a_mistake_is_not_deployed(cli: Cli, running: Shop, tmp_path: Path) -> None:
    """The answer names the place and the nearest known key."""
    file = tmp_path / "pipeline.yaml"
    file.write_bytes(PIPELINE.replace(b"purpose:", b"purpos:"))
    before = running.everything()
    status, _, error = cli.tell(running, "deploy-pipeline", str(file))
    assert status == 1 and "Did you mean 'purpose'?" in error
    assert running.everything() == before


def test_a_file_without_content_is_not_dropped(cli: Cli, running: Shop, tmp_path: Path) -> None:
    """It would wait for content for ever."""
    empty = tmp_path / "empty.csv"
    empty.touch()
    assert "Found it empty." in cli.tell(running, "drop", "shop", str(empty))[2]
    assert "Found none." in cli.tell(running, "drop", "shop", str(tmp_path / "gone.csv"))[2]
    assert "Found 'lost'." in cli.tell(running, "drop", "shop", str(empty), "--table", "lost")[2]


def test_a_verdict_that_does_not_come_is_said(cli: Cli, shop: Shop, tmp_path: Path) -> None:
    """With no function to read it, the command ends, names the file's batch, and says that nothing is lost."""
    file = tmp_path / "sales.csv"
    file.write_text(HEADER + GOOD)
    status, _, error = cli.tell(shop, "drop", "shop", str(file), "--patience", "0.1")
    assert status == 1 and "Expected a verdict on shop/sales" in error and "still delivered" in error


def test_without_a_deployment_it_is_said_how_to_have_one(tmp_path: Path) -> None:
    """The first command of a newcomer often comes before the deployment."""
    with pytest.raises(SettingsInvalid, match=r"running `./deploy.sh local`"):
        deployment.connect(tmp_path)


def test_a_local_deployment_that_ended_is_told_apart(tmp_path: Path) -> None:
    """Its file of addresses outlives it; waiting for a time-out of the client would be no answer."""
    (tmp_path / "environment.sh").write_text("export STORAGE_EMULATOR_HOST=http://127.0.0.1:9\n")
    with pytest.raises(SettingsInvalid, match=r"Expected it to answer"):
        deployment.connect(tmp_path)


def test_every_command_says_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    """`./deploy.sh` with no arguments lists them; each has its own help, and a module that exists."""
    listed = (REPO / "deploy.sh").read_text().partition("EOF")[2].partition("EOF")[0]
    for name, module in COMMANDS.items():
        assert f"./deploy.sh {name}" in listed, f"{name} is not listed in deploy.sh"
        assert (REPO / f"{module.replace('.', '/')}.py").is_file()
    assert json.dumps(capsys.readouterr().out) == '""'


def test_the_load_history_is_a_table_for_people_and_json_for_machines(cli: Cli, running: Shop) -> None:
    """What came, when, how much of it passed, and the first thing that was wrong."""
    running.ingest(running.put(HEADER + GOOD + BAD))
    (told,) = cli.ask(running, "loads", "shop")
    assert (told["rows_parsed"], told["first_error_line"], told["first_error_column"]) == (5, 5, "amount")
    status, out, _ = cli.tell(running, "loads", "shop")
    assert status == 0 and "accepted in part" in out
