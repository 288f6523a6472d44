"""Cloud Run's behaviour, on functions that do as they are told."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.emulators.router.bench import Bench
from tests.waiting import until


def alive(pid: int) -> bool:
    """Whether a process runs; one that is only not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_first_event_starts_an_instance_and_the_next_finds_it(bench: Bench) -> None:
    """A cold start per event would make every test of the flow take minutes."""
    before = bench.function("work")["cold_starts"]
    first, second = (bench.push("work", "jobs", "ok")[0] for _ in range(2))
    assert [event["pid"] for event in bench.seen(first)] == [event["pid"] for event in bench.seen(second)]
    assert bench.function("work")["cold_starts"] == before + 1


def test_exception_is_a_500_and_its_last_line_is_told(bench: Bench) -> None:
    """Pub/Sub redelivers on a 500, and a person wants to see why without opening a log."""
    _, status = bench.push("work", "jobs", "fail")
    assert status == 500
    assert bench.function("work")["last_error"]["message"] == "RuntimeError: ordered to fail"
    assert "ordered to fail" in (bench.data / "logs" / "work.log").read_text()


def test_crash_is_a_503_and_the_next_request_gets_a_new_instance(bench: Bench) -> None:
    """A function that dies must not take the message with it, nor the ones after it."""
    _, status = bench.push("work", "jobs", "exit")
    assert status == 503
    assert "status 3" in bench.function("work")["last_error"]["message"]
    assert bench.push("work", "jobs", "ok")[1] == 200


def test_timeout_is_a_504_and_the_instance_is_replaced(bench: Bench) -> None:
    """A function that hangs is given up after its `timeout_seconds`, not waited for."""
    stuck, status = bench.push("work", "jobs", "sleep 60")
    assert status == 504
    fresh, status = bench.push("work", "jobs", "ok")
    assert status == 200
    assert bench.seen(fresh)[0]["pid"] != bench.seen(stuck)[0]["pid"]


def test_instance_beyond_its_memory_is_killed_and_the_log_says_so(bench: Bench) -> None:
    """What works here with unlimited memory would fail in the cloud."""
    _, status = bench.push("work", "jobs", "hog 400")
    assert status == 503
    assert "Memory limit of 256 MiB exceeded" in (bench.data / "logs" / "work.log").read_text()


def test_memory_of_a_functions_own_processes_counts(bench: Bench) -> None:
    """A container has one limit for all that runs in it."""
    _, status = bench.push("work", "jobs", "spawn 400")
    assert status == 503
    assert "Memory limit of 256 MiB exceeded" in bench.function("work")["last_error"]["message"]


def test_function_that_cannot_be_loaded_is_a_503_with_its_traceback_in_the_log(bench: Bench) -> None:
    """An import error is the commonest first failure of a function."""
    _, status = bench.push("broken", "breakages", "ok")
    assert status == 503
    assert "this function cannot be loaded" in (bench.data / "logs" / "broken.log").read_text()


def test_instances_grow_with_concurrency_to_their_maximum(bench: Bench) -> None:
    """Two instances of two requests each: never three at once in one, and both are used."""
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: requests.get(f"{bench.url}/slow/?seconds=0.7", timeout=30), range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["at_once"] for answer in answers} == {1, 2}
    assert len({answer.json()["pid"] for answer in answers}) == 2


def test_requests_beyond_the_queue_get_429(bench: Bench) -> None:
    """Four work, three may wait; a caller must learn that it comes too fast."""
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: requests.get(f"{bench.url}/slow/?seconds=1", timeout=30), range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [429] * 3


def test_unused_instances_end(bench: Bench) -> None:
    """Scale to zero, by the router's clock."""
    bench.push("work", "jobs", "ok")
    (instance,) = bench.function("work")["instances"]
    bench.advance(899)
    assert alive(instance["pid"])
    bench.advance(2)
    until(lambda: bench.function("work")["instances"] == [])
    assert not alive(instance["pid"])


def test_functions_see_what_cloud_run_would_give_them(bench: Bench) -> None:
    """And nothing of the source tree: a bundle that needs it would fail in the cloud."""
    bench.push("work", "jobs", "ok")
    (instance,) = bench.function("work")["instances"]
    variables = Path(f"/proc/{instance['pid']}/environ").read_bytes().decode().split("\0")
    given = dict(variable.partition("=")[::2] for variable in variables if variable)
    assert given["K_SERVICE"] == "work"
    assert given["K_REVISION"].startswith("work-00001-")
    assert given["FUNCTION_TARGET"] == "work"
    assert given["GOOGLE_CLOUD_PROJECT"] == "sample-project"
    assert int(given["PORT"]) > 0
    assert "PYTHONPATH" not in given


def test_no_process_outlives_a_router_that_was_killed(dist: Path, sample_repo: Path, tmp_path: Path) -> None:
    """Else the next start finds old functions that still write."""
    with Bench(dist, sample_repo, tmp_path, DROPFORGE_WARM="all") as bench:
        names = ("arrive", "work", "web", "slow")
        until(lambda: all(bench.function(name)["cold_starts"] for name in names))
        pids = [instance["pid"] for name in names for instance in bench.function(name)["instances"]]
        assert all(alive(pid) for pid in pids)
        bench.kill()
        until(lambda: not any(alive(pid) for pid in pids))


def test_router_that_is_told_to_stop_ends_its_functions(dist: Path, sample_repo: Path, tmp_path: Path) -> None:
    """Ctrl-C leaves nothing behind."""
    with Bench(dist, sample_repo, tmp_path) as bench:
        bench.push("work", "jobs", "ok")
        (instance,) = bench.function("work")["instances"]
        assert os.getpgid(instance["pid"]) == instance["pid"]  # the terminal's Ctrl-C is not for it
    assert not alive(instance["pid"])
