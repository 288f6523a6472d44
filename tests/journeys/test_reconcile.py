"""A lost event is made up for: the whole deployment, with its clocks moved on."""

import gzip

from dropforge.contracts import places
from tests.journeys.conftest import Deployment
from tests.journeys.running import REPO

DATA = REPO / "examples" / "flights" / "data" / "flights-2013-02-LGA.csv.gz"


def test_file_whose_event_was_dropped_is_picked_up(deployment: Deployment) -> None:
    """Nothing expires silently: half an hour later the schedule has found the file, and it has its verdict."""
    rows = gzip.decompress(DATA.read_bytes()).splitlines(keepends=True)[:20]
    lost = deployment.order(operation="router.deliver.ingest", action="drop")
    batch = deployment.drop("lost.csv", b"".join(rows))
    deployment.wait(lambda: deployment.consumed(lost) == 1, "a lost event")
    deployment.quiet()
    assert not list(deployment.services.state.list(places.staged_record(batch)))

    deployment.advance(1800)

    assert deployment.verdict(batch).rows_accepted == 19
