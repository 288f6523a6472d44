"""Deliveries come at least once: every event twice, and functions that die at the worst moment, change nothing."""

from dropforge.contracts import places
from dropforge.core import candidates, ledger, pipelines
from infra.local.warehouse import once_loaded
from tests.journeys.conftest import Deployment
from tests.journeys.running import REPO

DATA = REPO / "examples" / "flights" / "data"
EVENT_FUNCTIONS = ("ingest", "validate", "train", "publish")


def test_every_event_twice_and_a_death_in_each_function_change_nothing(deployment: Deployment) -> None:
    """A month of flights: each event doubled, each function killed once after its work, before it was acknowledged."""
    deaths = [deployment.order(operation=f"router.deliver.{name}", action="crash_after") for name in EVENT_FUNCTIONS]
    doubles = [
        deployment.order(operation=f"router.deliver.{name}", action="double", times=1000) for name in EVENT_FUNCTIONS
    ]
    state, pipeline = deployment.services.state, "flights"
    files = sorted(DATA.glob("flights-2013-01-*.csv.gz"))
    verdicts = [deployment.verdict(deployment.drop(path.name, path)) for path in files]
    deployment.wait(lambda: any(True for _ in state.list(places.history(pipeline))), "a served model", 240)

    deployment.wait(lambda: all(deployment.consumed(fault) >= 1 for fault in doubles), "two of every event")
    deployment.quiet()

    assert all(deployment.consumed(fault) == 1 for fault in deaths)
    assert len(list(ledger.lines(state, pipeline))) == len(files)
    accepted = {verdict.batch.batch_id: verdict.rows_accepted for verdict in verdicts}
    assert once_loaded(deployment.settings, pipelines.load(state, pipeline)[0], accepted) == accepted
    assert len(list(state.list(places.history(pipeline)))) == 1
    newest = candidates.newest(state, pipeline)
    trained = {info.name.split("/")[2] for info in state.list(places.candidates(pipeline))}
    assert newest is not None
    assert trained == {newest.candidate_id}
