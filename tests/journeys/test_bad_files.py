"""What a person does wrong with a file ends in a verdict that a person understands, and the pipeline goes on."""

import gzip
import random

import pytest

from dropforge.core import ledger
from tests.journeys.conftest import Deployment
from tests.journeys.running import REPO

DATA = REPO / "examples" / "flights" / "data"
GOOD = gzip.decompress((DATA / "flights-2013-02-LGA.csv.gz").read_bytes()).decode().splitlines()[:400]


def without_a_column() -> bytes:
    """The column `carrier` is not there."""
    return "\n".join(",".join(line.split(",")[:3] + line.split(",")[4:]) for line in GOOD).encode()


def with_text_for_a_number() -> bytes:
    """One distance is a word."""
    cells = GOOD[7].split(",")
    return "\n".join([*GOOD[:7], ",".join([*cells[:8], "far", *cells[9:]]), *GOOD[8:]]).encode()


def with_200_columns() -> bytes:
    """186 columns too many."""
    extra = ",".join(f"extra_{n}" for n in range(186))
    return "\n".join([f"{GOOD[0]},{extra}", *(line + "," * 186 for line in GOOD[1:])]).encode()


BAD = {
    "missing_column.csv": (without_a_column(), "carrier"),
    "header_only_empty.csv": (b"\n", "empty"),
    "truncated.csv.gz": (gzip.compress("\n".join(GOOD).encode())[:2000], "gzip"),
    "wide.csv": (with_200_columns(), "extra_"),
    "binary.csv": (random.Random(5).randbytes(5000), "binary"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_quarantined_with_a_reason(deployment: Deployment, name: str) -> None:
    """The whole batch is kept, none of it is accepted, and one plain sentence says why."""
    content, word = BAD[name]
    verdict = deployment.verdict(deployment.drop(name, content))
    assert verdict.status == "quarantined"
    assert any(word in reason.sentence for reason in verdict.reasons), verdict.reasons


def test_one_bad_value_costs_one_row(deployment: Deployment) -> None:
    """A text in a number column is quarantined with its row; the others go on."""
    verdict = deployment.verdict(deployment.drop("one_bad_value.csv", with_text_for_a_number()))
    assert (verdict.status, verdict.rows_quarantined, verdict.rows_accepted) == ("accepted_in_part", 1, 398)


def test_an_object_of_no_bytes_waits_for_the_real_one(deployment: Deployment) -> None:
    """Some uploaders create the name first; the file that follows is another generation, and goes its way."""
    state = deployment.services.state
    empty = deployment.drop("zero.csv", b"")
    landing = deployment.services.landing
    landing.replace("flights/zero.csv", "\n".join(GOOD).encode(), landing.stat("flights/zero.csv").generation)
    full = deployment.services.landing.stat("flights/zero.csv")
    verdicts = f"verdicts/flights/flights/{empty.batch_id}.json"
    deployment.wait(lambda: any(line.source.generation == full.generation for line in lines(deployment)), "a verdict")
    assert not list(state.list(verdicts))


def lines(deployment: Deployment) -> list[ledger.Line]:
    """The ledger of the flights."""
    return list(ledger.lines(deployment.services.state, "flights", "flights"))
