"""The worker as it is started in earnest: the `rq worker` command, on a Valkey that the tests stop and restart."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from rq import Callback, Queue
from rq.job import Job
from rq.registry import FailedJobRegistry
from rq.serializers import DefaultSerializer, JSONSerializer

from grocery.app import create_app
from grocery.config import load_settings
from grocery.probe import find_problem
from grocery.queues import JOBS, NOTIFY, ORDERS
from grocery.worker import Worker
from tests.running_worker import ROOT, RQ, RunningWorker, begun, bell_of, done, environment, running_worker, script
from tests.valkey_process import ValkeyProcess
from tests.waiting import wait_until, within
from tests.worker_jobs import JOB

FORBIDDEN = "tests.forbidden_job.run"


@pytest.fixture(scope="module")
def lasting_valkey() -> Iterator[ValkeyProcess]:
    server = ValkeyProcess()
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def lasting_worker(lasting_valkey: ValkeyProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWorker]:
    """One worker for the tests that do it no harm."""
    with running_worker(lasting_valkey, tmp_path_factory.mktemp("worker") / "log") as worker:
        worker.wait_for_line("worker ready")
        yield worker
        assert worker.process.poll() is None


@pytest.fixture
def redis(lasting_valkey: ValkeyProcess, lasting_worker: RunningWorker) -> Redis:
    lasting_valkey.client.delete("script", "begun", "done", "trace")
    return lasting_valkey.client


@pytest.fixture
def ring(lasting_valkey: ValkeyProcess) -> Iterator[Callable[[], bool]]:
    with bell_of(lasting_valkey) as ring:
        yield ring


def waiting_clients(redis: Redis) -> list[str]:
    """Ids of the connections that wait for a job."""
    return [client["id"] for client in redis.client_list() if client["cmd"] == "blmove"]


def failed_ids(redis: Redis) -> list[str]:
    return FailedJobRegistry(ORDERS, connection=redis).get_job_ids()


class TestWork:
    def test_ring_starts_the_job_at_once_and_leaves_nothing_behind(
        self, redis: Redis, ring: Callable[[], bool]
    ) -> None:
        with within(1):
            ring()
            wait_until(lambda: begun(redis), "the job")

        wait_until(lambda: done(redis) == ["nothing"], "the end of its work")
        wait_until(lambda: redis.keys("rq:job:*") == [], "the end of the job")
        assert redis.exists("grocery:ring:orders") == 0
        assert failed_ids(redis) == []

    def test_ring_during_a_job_makes_another(self, redis: Redis, ring: Callable[[], bool]) -> None:
        script(redis, "sleep 0.3")
        ring()
        wait_until(lambda: begun(redis) == ["sleep"], "the first job")

        assert [ring() for _ in range(10)] == [True] * 10

        wait_until(lambda: done(redis) == ["sleep", "nothing"], "both jobs")
        wait_until(lambda: redis.keys("rq:job:*") == [], "the end of the jobs")
        assert begun(redis) == ["sleep", "nothing"]

    def test_failing_job_is_logged_and_the_next_one_runs(
        self, redis: Redis, ring: Callable[[], bool], lasting_worker: RunningWorker
    ) -> None:
        script(redis, "fail")
        ring()
        lasting_worker.wait_for_line("ValueError: the job's own fault")
        wait_until(lambda: len(failed_ids(redis)) == 1, "the failure")
        assert 0 < redis.ttl(f"rq:job:{failed_ids(redis)[0]}") <= 600

        ring()
        wait_until(lambda: done(redis) == ["nothing"], "the next job")

    def test_job_out_of_time_cannot_swallow_its_end(self, redis: Redis, lasting_worker: RunningWorker) -> None:
        script(redis, "swallow 20")
        job = json_queue(redis).enqueue(JOB, job_timeout=1)
        wait_until(lambda: job.id in failed_ids(redis), "the end of the job")

        lasting_worker.wait_for_line("JobTimeout: the job ran for more than 1 s")
        assert begun(redis) == ["swallow"]
        assert done(redis) == []

    def test_idle_worker_is_silent_and_keeps_its_connection(self, redis: Redis, lasting_worker: RunningWorker) -> None:
        client, lines = wait_until(lambda: waiting_clients(redis), "the waiting worker"), lasting_worker.log
        time.sleep(6)  # longer than the worker blocks at a time

        assert wait_until(lambda: waiting_clients(redis), "the waiting worker") == client
        assert lasting_worker.log == lines


class TestAllowList:
    def test_other_function_is_refused_and_its_module_never_imported(
        self, redis: Redis, lasting_worker: RunningWorker
    ) -> None:
        job = json_queue(redis).enqueue(FORBIDDEN)
        wait_until(lambda: job.id in failed_ids(redis), "the refusal")

        lasting_worker.wait_for_line(f"refused job {job.id}: {FORBIDDEN} is not the job of queue orders")
        assert redis.exists("trace") == 0

    def test_function_of_another_queue_is_refused(self, redis: Redis, lasting_worker: RunningWorker) -> None:
        job = json_queue(redis).enqueue(JOBS[NOTIFY])

        lasting_worker.wait_for_line(f"refused job {job.id}: {JOBS[NOTIFY]} is not the job of queue orders")

    def test_pickled_job_is_refused(self, redis: Redis, lasting_worker: RunningWorker) -> None:
        job = Queue(ORDERS, connection=redis, serializer=DefaultSerializer).enqueue(JOB)
        wait_until(lambda: job.id in failed_ids(redis), "the refusal")

        lasting_worker.wait_for_line(f"refused job {job.id}: it is not JSON")
        assert begun(redis) == []

    @pytest.mark.parametrize(("line", "outcome"), [("nothing", "on_success"), ("fail", "on_failure")])
    def test_callback_of_a_job_is_never_imported(self, redis: Redis, line: str, outcome: str) -> None:
        script(redis, line)
        job = json_queue(redis).enqueue(JOB, result_ttl=0, **{outcome: Callback(FORBIDDEN)})

        wait_until(lambda: job.id in failed_ids(redis) or not Job.exists(job.id, redis), "the end of the job")
        assert begun(redis) == [line]
        assert redis.exists("trace") == 0

    def test_unreadable_job_is_dropped_and_the_next_one_runs(
        self, redis: Redis, ring: Callable[[], bool], lasting_worker: RunningWorker
    ) -> None:
        redis.hset("rq:job:broken", mapping={"data": "[]", "status": "no such status", "origin": ORDERS})
        redis.rpush("rq:queue:orders", "broken")
        lasting_worker.wait_for_line("dropped job broken, which cannot be read")

        ring()

        wait_until(lambda: done(redis) == ["nothing"], "the next job")


def json_queue(redis: Redis) -> Queue:
    return Queue(ORDERS, connection=redis, serializer=JSONSerializer)


class TestRefusal:
    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["-s"], "there is nothing to schedule through RQ"),
            (["--url", "redis://127.0.0.1:1/5"], "set REDIS_URL instead"),
        ],
    )
    def test_option_that_cannot_be_meant_is_refused(
        self, valkey: ValkeyProcess, arguments: list[str], reason: str
    ) -> None:
        command = [RQ, "worker", "-w", "grocery.worker.Worker", ORDERS, *arguments]
        run = subprocess.run(command, cwd=ROOT, env=environment(valkey), capture_output=True, text=True, timeout=20)

        assert run.returncode == 2
        assert run.stderr.startswith("Error: ")
        assert run.stderr.count("\n") == 1
        assert reason in run.stderr
        assert valkey.client.keys("rq:*") == []

    @pytest.mark.parametrize(
        ("queues", "reason"),
        [
            ([ORDERS, NOTIFY], "a worker serves one queue"),
            (["default"], "there is no queue default; the queues are: orders, notify, bulk."),
        ],
    )
    def test_other_than_one_known_queue_is_refused(
        self, queues: list[str], reason: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit, match="2"):
            Worker(queues)

        error = capsys.readouterr().err
        assert error.startswith("Error: ")
        assert error.count("\n") == 1
        assert reason in error

    def test_wrong_settings_are_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        class WronglySetWorker(Worker):
            def make_app(self) -> Flask:
                return create_app(load_settings({"ENVIRONMENT": "production", "SECRET_KEY": "short"}))

        with pytest.raises(SystemExit, match="2"):
            WronglySetWorker([ORDERS])

        assert "SECRET_KEY is too short" in capsys.readouterr().err


def test_state_of_a_worker_can_be_read_from_outside_and_goes_quickly_when_it_dies(redis: Redis) -> None:
    """As `rq info` does it."""
    (state,) = Worker.all(connection=redis)

    assert (state.get_state(), state.queue_names()) == ("idle", [ORDERS])
    assert 60 < redis.ttl(state.key) <= 80


def test_worker_waits_for_redis_at_its_start(valkey: ValkeyProcess, tmp_path: Path) -> None:
    valkey.stop()
    with running_worker(valkey, tmp_path / "log") as worker, bell_of(valkey) as ring:
        worker.wait_for_line("Redis is away, trying again in 0.2 s")
        assert worker.process.poll() is None
        valkey.start()
        worker.wait_for_line("worker ready")
        ring()

        wait_until(lambda: done(valkey.client) == ["nothing"], "the job")
        assert "Traceback" not in worker.log


def test_worker_survives_a_redis_that_is_away_when_a_job_ends(valkey: ValkeyProcess, tmp_path: Path) -> None:
    with running_worker(valkey, tmp_path / "log", LOG_LEVEL="DEBUG") as worker, bell_of(valkey) as ring:
        worker.wait_for_line("worker ready")
        script(valkey.client, "sleep 2")
        ring()
        wait_until(lambda: begun(valkey.client) == ["sleep"], "the first job")
        valkey.stop()
        worker.wait_for_line("Redis is away (maintain_heartbeats)")
        worker.wait_for_line("Redis is away, the end of job")
        worker.wait_for_line("could not connect to Redis instance")
        valkey.start()
        wait_until(ring, "the doorbell")

        wait_until(lambda: done(valkey.client) == ["nothing"], "the next job")
        assert worker.process.poll() is None


def test_worker_survives_a_redis_that_refuses(valkey: ValkeyProcess, tmp_path: Path) -> None:
    """BLMOVE takes a job, ZADD belongs to the step before the fork. A replica, or a full Redis, refuses both."""
    redis = valkey.client
    redis.execute_command("ACL", "SETUSER", "limited", "on", "nopass", "~*", "&*", "+@all")
    limited = {"REDIS_URL": valkey.url.replace("unix://", "unix://limited:any@")}
    with running_worker(valkey, tmp_path / "log", **limited) as worker, bell_of(valkey) as ring:
        worker.wait_for_line("worker ready")
        wait_until(lambda: waiting_clients(redis), "the waiting worker")
        for command in ("blmove", "zadd"):
            redis.execute_command("ACL", "SETUSER", "limited", f"-{command}")
            wait_until(ring, "the doorbell")
            wait_until(lambda command=command: command in worker.log.lower(), "the refusal")
            redis.execute_command("ACL", "SETUSER", "limited", f"+{command}")
            script(redis, "fail")
            wait_until(lambda: ring() and begun(redis), "a job")
            wait_until(lambda: redis.zcard("rq:wip:orders") == 0, "the end of the job to be noted")
            redis.delete("begun")
        assert worker.process.poll() is None


def test_worker_shows_that_it_is_alive_in_a_job_and_without_redis(valkey: ValkeyProcess, tmp_path: Path) -> None:
    path = tmp_path / "alive"

    def is_seen_alive() -> bool:
        """Whether it beats from now on."""
        os.utime(path, (0, 0))
        wait_until(lambda: find_problem(str(path)) is None, "a sign of life")
        return True

    with running_worker(valkey, tmp_path / "log", LIVENESS_FILE=str(path)) as worker, bell_of(valkey) as ring:
        worker.wait_for_line("worker ready")
        assert is_seen_alive()
        script(valkey.client, "sleep 4")
        ring()
        wait_until(lambda: begun(valkey.client) == ["sleep"], "the job")
        assert is_seen_alive()
        assert done(valkey.client) == []
        valkey.stop()
        worker.wait_for_line("could not connect to Redis instance")
        assert is_seen_alive()
        assert worker.process.poll() is None


def test_job_of_a_killed_worker_is_done_by_the_next_ring(valkey: ValkeyProcess, tmp_path: Path) -> None:
    script(valkey.client, "sleep 60")
    with bell_of(valkey) as ring:
        with running_worker(valkey, tmp_path / "first") as worker:
            worker.wait_for_line("worker ready")
            ring()
            wait_until(lambda: begun(valkey.client) == ["sleep"], "the first job")
            worker.kill()
        ring()
        with running_worker(valkey, tmp_path / "second"):
            wait_until(lambda: done(valkey.client) == ["nothing"], "the second job")

    assert begun(valkey.client) == ["sleep", "nothing"]


def test_job_whose_worker_was_killed_before_starting_it_is_done_by_a_ring_after_the_token(
    valkey: ValkeyProcess, tmp_path: Path
) -> None:
    with bell_of(valkey) as ring:
        ring()
        valkey.client.lmove("rq:queue:orders", "rq:queue:orders:intermediate")  # what a worker does first
        ring()
        assert valkey.client.llen("rq:queue:orders") == 0
        time.sleep(1.1)
        ring()
        with running_worker(valkey, tmp_path / "log"):
            wait_until(lambda: done(valkey.client) == ["nothing"], "the job")


def test_jobs_share_no_database_connection_with_their_worker(
    valkey: ValkeyProcess, tmp_path: Path, environ: dict[str, str]
) -> None:
    script(valkey.client, "backend", "backend")
    database = {"DATABASE_URL": environ["DATABASE_URL"]}
    with running_worker(valkey, tmp_path / "log", "ConnectedWorker", **database) as worker, bell_of(valkey) as ring:
        worker.wait_for_line("worker ready")
        for number in (1, 2):
            ring()
            wait_until(lambda number=number: len(done(valkey.client)) == number, f"job {number}")

    parent = valkey.client.lindex("parent", 0).decode()
    assert len({parent, *done(valkey.client)}) == 3
