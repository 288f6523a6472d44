"""Deliveries as bad as the real ones: doubled, lost, late, crashed; each fault shown to have struck."""

import threading

from tests.emulators.router.bench import Bench
from tests.waiting import until


def test_double_to_a_single_slot_comes_one_after_the_other(bench: Bench) -> None:
    """The function must find its own finished work."""
    fault = bench.fault("work", "double")
    message, status = bench.push("work", "jobs", "ok")
    assert status == 200
    assert len(bench.seen(message)) == 2
    assert bench.consumed(fault) == 1


def test_double_comes_at_once_where_there_are_slots_for_two(bench: Bench) -> None:
    """The harder case: two copies race, so both begin before either, which takes 0.4 s, has ended."""
    bench.fault("pair", "double")
    message, status = bench.push("pair", "pairs", "ok")
    assert status == 200
    first, second = bench.seen(message)
    assert first["pid"] != second["pid"]
    assert abs(first["at"] - second["at"]) < 0.4


def test_doubles_of_several_messages_at_once_all_arrive(bench: Bench) -> None:
    """Doubles that each hold one slot and wait for another must not block each other."""
    bench.fault("pair", "double", times=3)
    messages: list[str] = []
    threads = [threading.Thread(target=lambda: messages.append(bench.push("pair", "pairs", "ok")[0])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(bench.seen(message)) for message in messages] == [2, 2, 2]


def test_dropped_delivery_is_acknowledged_and_never_made(bench: Bench) -> None:
    """Sometimes an event never comes; the reconciler has to find what it left behind."""
    fault = bench.fault("work", "drop")
    message, status = bench.push("work", "jobs", "ok")
    assert status == 204
    assert bench.seen(message) == []
    assert bench.consumed(fault) == 1


def test_error_is_answered_without_a_delivery(bench: Bench) -> None:
    """As when Cloud Run itself is in trouble."""
    bench.fault("work", "error", status=502)
    message, status = bench.push("work", "jobs", "ok")
    assert status == 502
    assert bench.seen(message) == []


def test_crash_after_does_the_work_and_loses_the_acknowledgement(bench: Bench) -> None:
    """The effect is there and the message comes again: the case that tells exactly-once from hope."""
    bench.fault("work", "crash_after")
    message, status = bench.push("work", "jobs", "ok")
    assert status == 503
    assert len(bench.seen(message)) == 1


def test_crash_before_never_reaches_the_function(bench: Bench) -> None:
    """Nothing happened, and the message comes again."""
    bench.fault("work", "crash_before")
    message, status = bench.push("work", "jobs", "ok")
    assert status == 503
    assert bench.seen(message) == []
    assert bench.push("work", "jobs", "ok")[1] == 200


def test_crash_in_the_middle_kills_the_work_half_done(bench: Bench) -> None:
    """With a delay, the crash strikes while the function works."""
    bench.push("work", "jobs", "ok")  # so that the delay is not spent on a cold start
    bench.fault("work", "crash_before", delay_seconds=0.3)
    message, status = bench.push("work", "jobs", "sleep 2")
    assert status == 503
    assert len(bench.seen(message)) == 1


def test_delayed_delivery_waits_for_the_clock(bench: Bench) -> None:
    """An hour's delay costs a test nothing."""
    fault = bench.fault("work", "delay", delay_seconds=3600)
    answers: list[tuple[str, int]] = []
    thread = threading.Thread(target=lambda: answers.append(bench.push("work", "jobs", "ok")))
    thread.start()
    until(lambda: bench.consumed(fault))
    assert answers == []
    bench.advance(3600)
    thread.join(timeout=15)
    ((message, status),) = answers
    assert status == 200
    assert len(bench.seen(message)) == 1


def test_reordered_delivery_comes_after_the_next(bench: Bench) -> None:
    """Events of one file may overtake each other."""
    fault = bench.fault("work", "reorder")
    answers: list[tuple[str, int]] = []
    thread = threading.Thread(target=lambda: answers.append(bench.push("work", "jobs", "ok")))
    thread.start()
    until(lambda: bench.consumed(fault))
    overtaker, _ = bench.push("work", "jobs", "ok")
    thread.join(timeout=15)
    ((message, status),) = answers
    assert status == 200
    assert bench.seen(overtaker)[0]["at"] < bench.seen(message)[0]["at"]


def test_a_start_that_fails_is_a_503_and_the_next_one_serves(bench: Bench) -> None:
    """As when Cloud Run finds no machine."""
    bench.control("POST", "/reset").raise_for_status()
    order = {"operation": "transition.work.ready", "action": "error"}
    fault = bench.control("POST", "/faults", order).json()["id"]
    assert bench.push("work", "jobs", "ok")[1] == 503
    assert bench.consumed(fault) == 1
    assert bench.push("work", "jobs", "ok")[1] == 200


def test_a_slow_start_lasts_until_the_clock_says_so(bench: Bench) -> None:
    """Requests wait for a cold start, which on one machine is over too soon to be tested."""
    bench.control("POST", "/reset").raise_for_status()
    order = {"operation": "transition.work.ready", "action": "delay", "delay_seconds": 600}
    fault = bench.control("POST", "/faults", order).json()["id"]
    answers: list[tuple[str, int]] = []
    thread = threading.Thread(target=lambda: answers.append(bench.push("work", "jobs", "ok")))
    thread.start()
    until(lambda: bench.consumed(fault))
    assert bench.function("work")["instances"][0]["state"] == "starting"
    bench.advance(600)
    thread.join(timeout=15)
    assert [status for _, status in answers] == [200]
