"""Processes that end with whoever started them, and start whole beside libraries that mind a fork."""

import subprocess
import sys
import threading
from concurrent import futures
from pathlib import Path

import grpc
import pytest

from emulators.process import spawn
from tests.waiting import until

STARTER = """
import sys, time
from pathlib import Path
from emulators.process import spawn
child = spawn(["sleep", "60"])
Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(60)
"""
REPO = Path(__file__).parents[2]


def test_a_child_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Else every `kill -9` of a test would leave an emulator, its port and its files behind."""
    told = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", STARTER, str(told)], cwd=REPO)
    until(lambda: parent.poll() is not None or (told.exists() and told.read_text()))
    assert parent.poll() is None
    child = Path(f"/proc/{told.read_text()}/stat")
    parent.kill()
    parent.wait()
    until(lambda: ended(child))


def ended(stat: Path) -> bool:
    """Whether a process is gone, or waits to be reaped."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_the_process_id_is_the_commands_and_its_signals_are_those_of_a_fresh_one() -> None:
    """A pipe that nobody reads any more ends a command, although the interpreter before it ignores that signal."""
    child = spawn(["sh", "-c", "echo $$; yes | head -1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.communicate(timeout=60)
    assert (out.split(), err) == ([str(child.pid).encode(), b"y"], b"")


@pytest.mark.parametrize(
    ("command", "error"),
    [("no-such-command", FileNotFoundError), ("./absent", FileNotFoundError), ("./dull", PermissionError)],
)
def test_a_command_that_is_not_there_is_an_error_at_once(tmp_path: Path, command: str, error: type[OSError]) -> None:
    """A deployment says which command cannot be run, before it waits for a health check."""
    (tmp_path / "dull").write_text("no program")
    with pytest.raises(error, match=command.rpartition("/")[2]):
        spawn([command], folder=tmp_path)


def test_processes_start_whole_beside_busy_grpc_channels() -> None:
    """gRPC's handlers for a fork ended one of twenty children here, and once hung the parent for good."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    echo = grpc.unary_unary_rpc_method_handler(lambda request, _: request)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("e", {"cho": echo})])
    port, ended = server.add_insecure_port("127.0.0.1:0"), threading.Event()
    busy = threading.Barrier(5)
    server.start()

    def call() -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            channel.unary_unary("/e/cho")(b"x")
            busy.wait()
            while not ended.is_set():
                channel.unary_unary("/e/cho")(b"x")

    with futures.ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(call) for _ in range(4)]
        busy.wait()
        children = [spawn(["true"]) for _ in range(40)]
        statuses = [child.wait(timeout=60) for child in children]
        ended.set()
    server.stop(None)
    assert [call.exception() for call in calls] == [None] * 4
    assert statuses == [0] * 40
