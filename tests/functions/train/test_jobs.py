"""A training that is too large for the function, which a low limit makes any to be."""

from datetime import UTC, datetime

import pytest

from dropforge.contracts import places
from dropforge.contracts.estimates import Cost
from dropforge.contracts.events import BatchAccepted, ModelTrained, TrainingRequested
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import Training
from dropforge.core import candidates, lease, stuck
from dropforge.core.twins import MemoryObjects
from dropforge.ml import estimate, handover
from functions import flow
from functions.train import steps
from tests.functions.train.delivery import decision, deliver
from tests.ml.crash import Crash, every_crash
from tests.ml.shop import YAML, Shop


@pytest.fixture
def small() -> Shop:
    """A shop whose function is given one second."""
    shop = Shop()
    place = places.pipeline_yaml("shop")
    text = YAML.replace("MODE", "dynamic").replace("seed: 3", "seed: 3, function_seconds: 1")
    shop.state.replace(place, text.encode(), shop.state.stat(place).generation)
    return shop


def run(shop: Shop, name: str = "dropforge-shop-1") -> Candidate:
    """The job, as the container runs it."""
    pipeline, decision, generation, asked_by = shop.jobs.started[name]
    return handover.in_job(pipeline, decision, int(generation), asked_by, shop.state, shop.topics, shop.clock)


def stuck_at(shop: Shop, after: float = 0) -> list[stuck.Stuck]:
    """What the reconciler would find so many seconds from now."""
    at = datetime.fromtimestamp(shop.clock.seconds + after, UTC)
    return list(stuck.find("shop", MemoryObjects("landing"), shop.state, at))


def test_a_job_makes_the_very_model_that_the_function_would(small: Shop) -> None:
    """Where it runs must decide nothing about what comes out: hash for hash."""
    here = Shop()
    deliver(here, here.land("a.csv"))
    made = candidates.newest(here.state, "shop")
    deliver(small, small.land("a.csv"))
    assert list(small.jobs.started) == ["dropforge-shop-1"]
    assert candidates.newest(small.state, "shop") is None
    candidate = run(small)
    assert made is not None
    assert candidate.artefact_sha256 == made.artefact_sha256
    assert small.topics.published == [ModelTrained(pipeline="shop", candidate_id=candidate.candidate_id)]


def test_what_was_expected_and_what_it_took_are_both_recorded(small: Shop) -> None:
    """An estimate that nobody compares is never corrected; the next one goes by what this one took."""
    deliver(small, small.land("a.csv"))
    said = decision(small, "1")
    assert said.expected is not None
    assert said.job.startswith(f"It is expected to take {said.expected.seconds:,.0f} s; in the function 1 are allowed.")
    candidate = run(small)
    assert candidate.expected == said.expected
    assert candidate.took is not None and candidate.took.memory_mb > 50
    slow = candidate.model_copy(update={"took": Cost(seconds=1000, memory_mb=5000)})
    twice = candidate.lineage.batches * 2
    assert estimate.expected(small.pipeline, twice, slow) == Cost(seconds=2000, memory_mb=400 + 2 * 4600)


def test_no_other_training_begins_while_the_job_runs(small: Shop) -> None:
    """The lease goes with the work; a trigger that comes meanwhile waits, on record, and is sent again."""
    deliver(small, small.land("a.csv"))
    deliver(small, small.land("b.csv"), "2")
    assert list(small.jobs.started) == ["dropforge-shop-1"]
    waits = decision(small, "2")
    assert not waits.train
    assert waits.wait_until is not None and "a job trains for 1" in waits.because
    assert not stuck_at(small, after=1200)
    run(small)
    small.clock.seconds += 3600
    (again,) = [found.again for found in stuck_at(small) if isinstance(found.again, BatchAccepted)]
    deliver(small, again, "3")
    assert list(small.jobs.started) == ["dropforge-shop-1", "dropforge-shop-3"]


def test_a_request_by_a_person_goes_to_a_job_as_well(small: Shop) -> None:
    """The limit is the function's, whoever asks."""
    small.land("a.csv")
    asked = TrainingRequested(pipeline="shop", request_id="r1", asked_by="ada", because="curious")
    steps.on_request(asked, steps.World(small.state, small.topics, small.clock, lambda: small.jobs))
    assert run(small, "dropforge-shop-r1").lineage.asked_by == "ada"


def test_a_job_that_died_frees_the_lease(small: Shop) -> None:
    """Never stuck: what renewed it is gone, so its time runs out, and the batch that is sent again trains."""
    deliver(small, small.land("a.csv"))
    with pytest.raises(Crash), lease.renewed(small.state, places.lease("shop", "train"), "job-1", small.clock):
        raise Crash
    small.clock.seconds += lease.RENEWED_SECONDS + 900
    assert [each.subject for each in stuck_at(small)] == ["1"]


def test_the_limits_leave_the_function_room() -> None:
    """An estimate is rough; what is a little more than expected must still end well where it began."""
    usual, declared = Training(mode="static"), flow.read().functions["train"]
    assert usual.function_seconds <= 0.8 * declared.timeout_seconds
    assert usual.function_memory_mb <= 0.8 * declared.memory_mb


def test_a_crash_anywhere_and_a_redelivery_ask_for_one_job(small: Shop) -> None:
    """Between the decision, the lease and the job: each is found by the next delivery."""
    event = small.land("a.csv")
    for fuse in every_crash(lambda fuse: deliver(small.copy(), event, fuse=fuse)):
        shop = small.copy()
        with pytest.raises(Crash):
            deliver(shop, event, fuse=fuse)
        deliver(shop, event)
        assert list(shop.jobs.started) == ["dropforge-shop-1"]
        assert handover.under_way("shop", shop.state, shop.clock) is not None
