"""`recommend`, on a log of predictions whose peakedness is known."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dropforge.contracts import logged, places
from dropforge.contracts.events import LoggedPrediction
from dropforge.contracts.pipeline import parse
from dropforge.core.logged import tables
from dropforge.core.serving import newest
from dropforge.core.serving.cost import Prices, of_endpoint, of_function
from tests.commands.cli import Cli
from tests.ml.published import two_versions
from tests.ml.shop import YAML, Shop

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def published() -> Shop:
    """A shop with a version that serves, made once."""
    return two_versions()


def asked(shop: Shop, rows: list[dict[str, Any]], a_second: float) -> None:
    """Log these rows as asked for, one after the other."""
    said = [
        LoggedPrediction(
            id=f"2026010100-{number:016x}-0",
            at=(BEGAN + timedelta(seconds=number / a_second)).isoformat(),
            version="2",
            candidate_id="c",
            key=None,
            instance=row,
            answer={},
        )
        for number, row in enumerate(rows)
    ]
    tables.write_once(shop.state, logged.predictions("shop", "2026010100", "a"), tables.of_predictions(said))


def unknown(number: int) -> dict[str, Any]:
    """A row that no table has."""
    return {"region": "north", "pages": 1000.5 + number, "at": "2026-01-01T00:00:00Z"}


def known(shop: Shop) -> list[dict[str, Any]]:
    """Rows that a table would have, as a request writes them."""
    (block, *_) = newest.blocks(parse(YAML.replace("MODE", "dynamic").encode()), shop.state)
    return [{**{name: row[name] for name in ("region", "pages")}, "at": row["at"].isoformat()} for row in block]


def test_it_tells_how_peaked_the_traffic_is(cli: Cli, published: Shop) -> None:
    """Half of the questions are one row, the others all differ: the numbers that decide are those."""
    shop = published.copy()
    asked(shop, [unknown(0)] * 500 + [unknown(1 + number) for number in range(499)], a_second=10)
    told = cli.ask(shop, "recommend", "shop")
    assert (told["asked"], told["distinct"], told["rows_a_second"]) == (999, 500, pytest.approx(10, rel=0.01))
    assert told["commonest_percent"] == pytest.approx(100 * 504 / 999, abs=0.1)
    by_name = {mode["name"]: mode for mode in told["modes"]}
    assert (by_name["static"]["answers"], by_name["hybrid"]["answers"]) == (0, 1)
    assert told["recommended"] == "dynamic"  # a table that answers nothing only costs
    assert told["modes"][-1]["name"] == "static"  # whatever it costs: it refuses


def test_a_table_that_answers_everything_saves_the_endpoint(cli: Cli, published: Shop) -> None:
    """With the model on an endpoint, its node costs while nobody asks; a table needs none."""
    shop = published.copy()
    asked(shop, known(shop)[:400], a_second=1)
    by_name = {mode["name"]: mode for mode in cli.ask(shop, "recommend", "shop")["modes"]}
    assert by_name["static"]["answers"] == 1
    assert by_name["static"]["dollars_endpoint"] < by_name["dynamic"]["dollars_endpoint"] / 5
    status, out, _ = cli.tell(shop, "recommend", "shop")
    assert status == 0 and "Cheapest that answers everything" in out


def test_prices_may_be_replaced(cli: Cli, published: Shop) -> None:
    """Contracts and regions differ; and a price that does not exist must not pass silently."""
    shop = published.copy()
    asked(shop, [unknown(number) for number in range(10)], a_second=1)
    told = cli.ask(shop, "recommend", "shop", "--price", "million_requests=7", "--price", "vcpu_second=0")
    assert (told["prices"]["million_requests"], told["prices"]["vcpu_second"]) == (7, 0)
    assert all(mode["dollars"] >= 7 for mode in told["modes"])
    for price in ("request=1", "node_hour=-1", "node_hour=much"):
        status, out, _ = cli.tell(shop, "recommend", "shop", "--price", price, "--json")
        assert (status, json.loads(out)["error"]["type"]) == (1, "ActionRefused")


def test_without_traffic_there_is_nothing_to_say(cli: Cli, published: Shop) -> None:
    """An advice from no data would be a guess."""
    status, _, said = cli.tell(published.copy(), "recommend", "shop")
    assert (status, said) == (1, "Expected predictions of shop in its log. Found none: ask it first.\n")


def test_keys_are_not_counted_as_rows(cli: Cli, published: Shop) -> None:
    """As rows, all keys would be one: that without any value, which a table seemed to answer or never to."""
    shop = published.copy()
    asked(shop, [unknown(number) for number in range(10)] + [{"visit": number} for number in range(30)], a_second=10)
    told = cli.ask(shop, "recommend", "shop")
    assert (told["asked"], told["left_out"], told["distinct"]) == (10, 30, 10)
    assert told["rows_a_second"] == pytest.approx(10)
    assert "30 more are not counted" in cli.tell(shop, "recommend", "shop")[1]


def test_keys_alone_are_no_traffic_to_advise_on(cli: Cli, published: Shop) -> None:
    """No row is known, so nothing could be measured."""
    shop = published.copy()
    asked(shop, [{"visit": number} for number in range(30)], a_second=10)
    status, _, said = cli.tell(shop, "recommend", "shop")
    assert status == 1 and "Found 30 that it does not" in said


def test_masked_columns_make_no_advice(cli: Cli, published: Shop) -> None:
    """Their values are not in the log, so rows that differ in them alone seem to be one."""
    shop = published.copy()
    asked(shop, [{**unknown(number), "pages": None} for number in range(10)], a_second=1)
    content, generation = shop.state.read(places.pipeline_yaml("shop"))
    shop.state.replace(places.pipeline_yaml("shop"), content + b"\nlogging: {masked: [pages]}\n", generation)
    status, _, said = cli.tell(shop, "recommend", "shop")
    assert status == 1 and "`masked: [pages]`" in said


def test_a_million_answers_cost_what_the_price_list_says() -> None:
    """By hand: a second each of one vCPU and half a GiB; and at ten a second a node works 27.8 hours for a million."""
    prices = Prices()
    assert of_function(prices, 1.0, 0.5, 100) == pytest.approx(0.40 + 24 + 1.25)
    assert of_function(prices, 0.001, 0.5, 1) == pytest.approx(0.40 + 0.1 * (24 + 1.25))
    assert of_function(prices, 0.001, 0.5, 1e6) == pytest.approx(0.40 + 0.001 * (24 + 1.25))
    assert of_endpoint(prices, 10) == pytest.approx(27.78 * 0.0771, rel=0.001)
