"""What a worker does when it is told to end: its job ends first, at the next step where it has many."""

import subprocess
import time
from pathlib import Path

import pytest
from rq import Worker as RqWorker

from grocery import ending
from grocery.worker import Worker
from tests.running_worker import begun, bell_of, done, running_worker, script
from tests.valkey_process import ValkeyProcess
from tests.waiting import wait_until


def test_sigterm_waits_for_the_running_job_without_redis_too(valkey: ValkeyProcess, tmp_path: Path) -> None:
    with running_worker(valkey, tmp_path / "log") as worker, bell_of(valkey) as ring:
        worker.wait_for_line("worker ready")
        script(valkey.client, "sleep 1")
        ring()
        wait_until(lambda: begun(valkey.client) == ["sleep"], "the job")
        job_pid = int(valkey.client.lindex("begun", 0).split()[1])
        valkey.stop()
        worker.process.terminate()

        assert worker.process.wait(60) == 0
        assert not Path(f"/proc/{job_pid}").exists()


def test_sigterm_waits_for_the_running_job(valkey: ValkeyProcess, tmp_path: Path) -> None:
    with running_worker(valkey, tmp_path / "log") as worker, bell_of(valkey) as ring:
        worker.wait_for_line("worker ready")
        script(valkey.client, "sleep 0.5")
        ring()
        wait_until(lambda: begun(valkey.client) == ["sleep"], "the job")
        worker.process.terminate()

        assert worker.process.wait(60) == 0
        assert done(valkey.client) == ["sleep"]


def test_sigterm_has_a_job_end_that_would_go_on_for_as_long_as_there_is_work(
    valkey: ValkeyProcess, tmp_path: Path
) -> None:
    with running_worker(valkey, tmp_path / "log") as worker, bell_of(valkey) as ring:
        worker.wait_for_line("worker ready")
        # What tells a job is nothing to its worker, and not left to the next job.
        worker.process.send_signal(ending.SIGNAL)
        script(valkey.client, "until-told")
        ring()
        wait_until(lambda: begun(valkey.client) == ["until-told"], "the job")
        time.sleep(0.5)
        assert done(valkey.client) == []
        worker.process.terminate()

        assert worker.process.wait(60) == 0
        assert done(valkey.client) == ["told"]


def test_job_that_was_about_to_begin_at_sigterm_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker is busy from the moment on at which it prepares a job, and has a fork to tell a while later."""
    worker = Worker.__new__(Worker)
    worker._stop_requested = True
    with subprocess.Popen(["sleep", "60"]) as job:
        monkeypatch.setattr(RqWorker, "fork_work_horse", lambda own, *_: setattr(own, "_horse_pid", job.pid))
        try:
            worker.fork_work_horse(None, None)  # type: ignore[arg-type]
            assert job.wait(60) == -ending.SIGNAL
        finally:
            job.kill()
