"""The lease between real processes, on a real bucket's preconditions: never two, never stuck."""

import subprocess
import sys

from google.cloud.storage import Client

from dropforge.core import lease
from dropforge.gcp.services import WallClock
from dropforge.gcp.storage import Bucket
from tests.waiting import until


def process(bucket: str, holder: str, seconds: float, work: float) -> subprocess.Popen[str]:
    """A process that wants the lease."""
    command = [sys.executable, "-m", "tests.gcp.lease_holder", bucket, holder, str(seconds), str(work)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def line(of: subprocess.Popen[str]) -> str:
    """What it says next."""
    assert of.stdout is not None
    return of.stdout.readline().split(" ")[0].strip()


def winners(bucket: str) -> list[str]:
    """Who wrote, though others wanted to."""
    with Client(project="test-project") as client:
        return [info.name for info in Bucket(client, bucket).list("winners/")]


def test_of_processes_that_want_it_at_once_one_has_it(bucket_name: str) -> None:
    """The bucket's precondition decides, not who asks first."""
    both = [process(bucket_name, name, seconds=60, work=3) for name in ("ada", "grace")]
    assert sorted(line(one) for one in both) == ["held", "refused"]
    for one in both:
        one.communicate(timeout=60)
    assert len(winners(bucket_name)) == 1


def test_the_death_of_its_holder_frees_it_when_its_time_is_up(bucket_name: str) -> None:
    """kill -9: nothing is released by anyone, and the lease is not stuck."""
    dying = process(bucket_name, "dying", seconds=2, work=60)
    assert line(dying) == "held"
    dying.kill()
    dying.communicate(timeout=60)

    def inherited() -> bool:
        heir = process(bucket_name, "heir", seconds=60, work=0)
        said = line(heir)
        heir.communicate(timeout=60)
        return said == "held"

    until(inherited)
    assert winners(bucket_name) == ["winners/heir"]


def test_a_holder_that_slept_through_its_time_is_fenced_off(bucket_name: str) -> None:
    """It comes back and believes that it holds the lease; the token says that another does, and it writes nothing."""
    sleeper = process(bucket_name, "sleeper", seconds=0.1, work=6)
    assert line(sleeper) == "held"
    with Client(project="test-project") as client:
        state, clock = Bucket(client, bucket_name), WallClock()
        until(lambda: lease.holder(state, "lease", clock) is None)
        with lease.held(state, "lease", "other", 60, clock):
            assert line(sleeper) == "done"
            sleeper.communicate(timeout=60)
            assert lease.holder(state, "lease", clock) is not None
    assert winners(bucket_name) == []
