"""Custom jobs and training pipelines as processes, through the official client."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.cloud import aiplatform
from google.cloud.aiplatform import jobs, training_jobs
from google.cloud.aiplatform_v1.types import JobState

from tests.emulators.launch import Emulator
from tests.emulators.vertex.conftest import IMAGE, MACHINE, connect
from tests.emulators.vertex.test_process import running
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("sdk")
JOB_IMAGE = "europe-docker.pkg.dev/p/test/job:1"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client asks for a job's state every five seconds; here more often."""
    monkeypatch.setattr(jobs, "_JOB_WAIT_TIME", 0.05)


def job(*arguments: object, **container: object) -> Any:
    """A custom job of one replica."""
    spec = {"image_uri": JOB_IMAGE, "args": [str(argument) for argument in arguments], **container}
    pool = {"machine_spec": {"machine_type": MACHINE}, "replica_count": 1, "container_spec": spec}
    return aiplatform.CustomJob("train", [pool], base_output_dir="gs://b/out", staging_bucket="gs://b")


def test_a_job_runs_to_its_end_and_is_told_where_to_write(tmp_path: Path) -> None:
    """The training code finds its output folder, its own variables, and the other emulators."""
    env = [{"name": "PIPELINE", "value": "flights"}, {"name": "OUT", "value": "$(AIP_MODEL_DIR)x"}]
    done = job("write", tmp_path / "told", env=env)
    done.run()
    told = dict(line.split("=", 1) for line in (tmp_path / "told").read_text().splitlines() if "=" in line)
    assert (told["AIP_MODEL_DIR"], told["PIPELINE"], told["OUT"]) == (
        "gs://b/out/model/",
        "flights",
        "gs://b/out/model/x",
    )
    assert (told["CLOUD_ML_JOB_ID"], done.state) == (done.name, JobState.JOB_STATE_SUCCEEDED)
    assert done.start_time <= done.end_time


def test_a_failed_job_says_what_its_process_said() -> None:
    """The trainer's alert carries the reason."""
    failing = job("fail")
    with pytest.raises(
        RuntimeError, match=r"(?s)workerpool0-0 exited with a non-zero status of 1.*no rows to train on"
    ):
        failing.run()
    assert failing.state == JobState.JOB_STATE_FAILED


def test_a_cancelled_job_ends_its_process(tmp_path: Path) -> None:
    """Nothing goes on training behind a cancelled job."""
    slow = job("sleep", tmp_path / "pid")
    slow.submit()
    until((tmp_path / "pid").exists)
    until(lambda: (tmp_path / "pid").read_text())
    slow.cancel()
    until(lambda: slow.state == JobState.JOB_STATE_CANCELLED)
    assert not running(int((tmp_path / "pid").read_text()))


def test_a_job_over_its_time_fails_when_the_clock_says_so(tmp_path: Path, sdk: Emulator) -> None:
    """A time-out of an hour is tested in no time."""
    slow = job("sleep", tmp_path / "pid")
    slow.submit(timeout=3600)
    until((tmp_path / "pid").exists)
    assert slow.state == JobState.JOB_STATE_RUNNING
    sdk.control("POST", "/clock", {"advance_seconds": 3601})
    until(lambda: slow.state == JobState.JOB_STATE_FAILED)
    assert "timeout" in slow.error.message


def test_a_job_begins_again_when_the_emulator_was_killed(launch: Callable[..., Emulator], tmp_path: Path) -> None:
    """As when the service loses a machine."""
    with launch(tmp_path / "data") as first:
        connect(first)
        slow = job("sleep", tmp_path / "pid")
        slow.submit()
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        pid, name = (tmp_path / "pid").read_text(), slow.resource_name
        first.kill()
        assert not running(int(pid))
    with launch(tmp_path / "data") as second:
        connect(second)
        until(lambda: (tmp_path / "pid").read_text() not in ("", pid))
        assert aiplatform.CustomJob.get(name).state == JobState.JOB_STATE_RUNNING


def test_jobs_are_listed_and_a_finished_one_deleted(tmp_path: Path) -> None:
    """History stays until somebody removes it."""
    done = job("write", tmp_path / "told")
    done.run()
    assert done.name in [found.name for found in aiplatform.CustomJob.list(filter='state="JOB_STATE_SUCCEEDED"')]
    done.delete()
    assert done.name not in [found.name for found in aiplatform.CustomJob.list()]


def test_a_training_pipeline_uploads_the_model_that_its_job_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call trains and registers."""
    monkeypatch.setattr(training_jobs, "_JOB_WAIT_TIME", 0.05)
    training = aiplatform.CustomContainerTrainingJob(
        "pipeline", JOB_IMAGE, model_serving_container_image_uri=IMAGE, staging_bucket="gs://b"
    )
    arguments: list[str | float | int] = ["write", str(tmp_path / "told")]
    model = training.run(args=arguments, base_output_dir="gs://b/run", model_display_name="made", machine_type=MACHINE)
    assert model is not None
    assert (model.display_name, model.uri) == ("made", "gs://b/run/model")


def test_a_job_waits_for_its_machine_as_long_as_the_clock_says(tmp_path: Path, sdk: Emulator) -> None:
    """Who waits for a job meets PENDING, which on one machine would last a millisecond."""
    with sdk.fault("transition.customJobs.RUNNING", "delay", delay_seconds=600):
        slow = job("write", tmp_path / "told")
        slow.submit()
        assert slow.state == JobState.JOB_STATE_PENDING
        sdk.control("POST", "/clock", {"advance_seconds": 601})
        until(lambda: slow.state == JobState.JOB_STATE_SUCCEEDED)


def test_a_job_fails_after_its_work_when_a_fault_says_so(tmp_path: Path, sdk: Emulator) -> None:
    """The files are written and the job has failed: whoever reads them must not take them for a result."""
    with sdk.fault("transition.customJobs.SUCCEEDED", "error", status=503):
        failing = job("write", tmp_path / "told")
        with pytest.raises(RuntimeError, match="Ordered by fault"):
            failing.run()
    assert (tmp_path / "told").exists()
