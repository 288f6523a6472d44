"""`./deploy.sh report` writes what a browser opens."""

from pathlib import Path

import pytest

from tests.commands.cli import Cli
from tests.functions.drops import HEADER, Shop

ROWS = HEADER + "1,2013-01-01,5,big,a\n2,2013-01-02,50,small,b\n"


@pytest.fixture
def shop() -> Shop:
    """One file was dropped."""
    made = Shop().deploy()
    made.drop(ROWS, "shop/january.csv")
    return made


def test_it_writes_the_report_of_a_pipeline(shop: Shop, cli: Cli, tmp_path: Path) -> None:
    """One file, wherever one asked for it."""
    path = tmp_path / "shop.html"
    found = cli.ask(shop, "report", "shop", "--output", str(path))
    assert found == {"file": str(path), "bytes": path.stat().st_size}
    assert "What arrived" in path.read_text()


def test_a_batch_is_named_by_its_file(shop: Shop, cli: Cli, tmp_path: Path) -> None:
    """Nobody knows ids by heart; and a name that fits nothing is answered with where the names are."""
    path = tmp_path / "batch.html"
    cli.ask(shop, "report", "shop", "january.csv", "--output", str(path))
    assert "<h1>january.csv" in path.read_text()
    status, _, said = cli.tell(shop, "report", "shop", "february.csv")
    assert (status, "'february.csv'" in said, "./deploy.sh loads shop" in said) == (1, True, True)
