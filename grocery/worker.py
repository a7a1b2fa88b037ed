"""The RQ worker: `rq worker -w grocery.worker.Worker orders`, with nothing else but our own settings.

The class brings its connection, serializer, intervals and allow-list itself: the `rq` command cannot set them all.
The application is made once, in the parent, which never connects to PostgreSQL; each job runs in a fork of it. Losing a
job is harmless (see `grocery.queues`), losing a worker is not: a Redis that is away or restarts does not end it.
"""

import functools
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import Any, ClassVar, NoReturn

import click
import rq.cli.helpers as rq_helpers
import rq.cli.workers as rq_command
from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq import Worker as RqWorker
from rq.cli.helpers import get_redis_from_config
from rq.exceptions import DeserializationError, NoSuchJobError
from rq.executions import Execution
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from grocery import ending, faults, logs, tracing
from grocery.app import create_app
from grocery.config import ConfigError
from grocery.db import release_after_fork
from grocery.environ.sentinel import is_sentinel_url
from grocery.errors import BusyError
from grocery.liveness import Liveness
from grocery.process import set_role
from grocery.queues import JOBS, connect

log = logging.getLogger(__name__)


class JobRefusedError(Exception):
    """The job's function is not the one of its queue."""


class JobTimeout(BaseException):
    """The job's time is up. No Exception, so that no `except Exception` on its way can swallow it."""


class Deadline(UnixSignalDeathPenalty):
    """RQ's alarm, with a timeout of jobs that cannot be swallowed."""

    def handle_death_penalty(self, signum: int, frame: FrameType | None) -> None:
        if issubclass(self._exception, JobTimeoutException):
            raise JobTimeout(f"the job ran for more than {self._timeout} s")
        super().handle_death_penalty(signum, frame)


class Job(RqJob):
    """A job that calls nobody back, and is ignored when it cannot be read."""

    @classmethod
    def fetch(cls, id: str, connection: Redis | None = None, serializer: Any = None) -> RqJob:
        """Raises NoSuchJobError for an unreadable job too: RQ would end the worker, and the next one, and the next."""
        try:
            return super().fetch(id, connection=connection, serializer=serializer)
        except (RedisError, NoSuchJobError):
            raise
        except Exception as error:
            log.error("dropped job %s, which cannot be read: %r", id, error)
            raise NoSuchJobError(id) from error

    def restore(self, raw_data: Any) -> None:
        super().restore(raw_data)
        # Names that RQ would import, and addresses that it would call, past the allow-list.
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []


def _survive(method: Callable[..., None]) -> Callable[..., None]:
    """A step of RQ's worker that is left out while Redis is away, where RQ would end. Waiting for a job logs it."""

    @functools.wraps(method)
    def surviving(*args: Any, **options: Any) -> None:
        try:
            method(*args, **options)
        except RedisError as error:
            log.debug("Redis is away (%s): %s", method.__name__, error)

    return surviving


class Worker(RqWorker):
    """Serves one queue. Refuses, with one line and exit code 2, more queues, unknown ones, a scheduler, another Redis.

    The options of `rq worker` for serializer, classes, TTLs and intervals have no effect: the ones here are what makes
    a dead worker's traces go quickly, and what producers rely on.
    """

    jobs: ClassVar[Mapping[str, str]] = JOBS
    job_class = Job
    death_penalty_class = Deadline
    max_connection_wait_time = 5.0
    redis_wait_seconds: ClassVar[float] = 2.0
    monitoring_seconds: ClassVar[int] = 5
    maintenance_seconds: ClassVar[int] = 5

    def __init__(self, queues: Any, name: str | None = None, *, prepare_for_work: bool = True, **options: Any):
        if prepare_for_work:  # `rq info` makes workers only to read their state
            queue = self._only_queue(queues)
            set_role(f"worker-{queue}")
            self.app = self._ready_app()
            self.liveness = Liveness(self.app.extensions["settings"].liveness_file)
            self._load_job(queue)
            options["connection"] = connection = self._ready_connection()
            queues = [Queue(queue, connection=connection, job_class=self.job_class, serializer=JSONSerializer)]
        options |= {
            "serializer": JSONSerializer,
            "job_class": self.job_class,
            "queue_class": Queue,
            "worker_ttl": 20,
            "maintenance_interval": self.maintenance_seconds,
            "job_monitoring_interval": self.monitoring_seconds,
            "default_result_ttl": 0,
        }
        super().__init__(queues, name, prepare_for_work=prepare_for_work, **options)

    def make_app(self) -> Flask:
        return create_app()

    def _only_queue(self, queues: Sequence[Queue | str]) -> str:
        names = [queue if isinstance(queue, str) else queue.name for queue in queues]
        unknown = [name for name in names if name not in self.jobs]
        if unknown:
            _refuse(f"there is no queue {', '.join(unknown)}; the queues are: {', '.join(self.jobs)}.")
        if len(names) != 1:
            _refuse("a worker serves one queue, since one of two can lose a job when killed: start one for each.")
        return names[0]

    def _ready_app(self) -> Flask:
        try:
            app = self.make_app()
        except ConfigError as error:
            _refuse(str(error))
        # The `rq` command has given its loggers handlers of their own before it made us.
        for logger in (logging.getLogger("rq.worker"), logging.getLogger("rq.job")):
            logger.handlers.clear()
            logger.propagate = True
        return app

    def _ready_connection(self) -> Redis:
        try:
            url = self.app.extensions["engines"].redis_url
        except BusyError as error:
            _refuse(error.detail)
        context = click.get_current_context(silent=True)
        if context and context.params.get("url") not in (None, url):
            _refuse("--url (RQ_REDIS_URL) is not the Redis of the shop, where the bell is rung: set REDIS_URL instead.")
        connection = connect(url, request_path=False)
        while True:
            self.liveness.beat()
            try:
                connection.ping()
                return connection
            except RedisError as error:
                log.warning("Redis is away, trying again in %g s: %s", self.redis_wait_seconds, error)
                time.sleep(self.redis_wait_seconds)

    def _load_job(self, queue: str) -> None:
        """Import the job's function once, here, and not in every fork."""
        module, _, function = self.jobs[queue].rpartition(".")
        getattr(import_module(module), function)

    def work(self, *args: Any, with_scheduler: bool = False, **options: Any) -> bool:
        if with_scheduler:
            _refuse("there is nothing to schedule through RQ: `flask relay` does what is due.")
        return super().work(*args, **options)

    def bootstrap(self, *args: Any, **options: Any) -> None:
        ending.listen_in_forks()
        super().bootstrap(*args, **options)
        log.info("worker ready for queue %s", self.queues[0].name)

    def subscribe(self) -> None:
        """No thread that listens for RQ's remote commands: signals do the same, and a fork should find one thread."""

    def perform_job(self, job: RqJob, queue: Queue, execution: Execution) -> bool:
        """Run the job. In the fork, where nothing outside RQ's own handling of errors may raise."""
        about = {"messaging.destination.name": queue.name, "messaging.message.id": job.id}
        try:
            with logs.bound(None, job=job.id), tracing.root(f"job {queue.name}", about, kind="consumer"):
                return self._perform(job, queue, execution)
        finally:  # what is not sent now goes with the fork
            tracing.flush()
            faults.flush()

    def _perform(self, job: RqJob, queue: Queue, execution: Execution) -> bool:
        started = time.monotonic()
        try:
            release_after_fork(self.app)
            with self.app.app_context():
                is_done = super().perform_job(job, queue, execution)
        except RedisError as error:  # RQ ends the fork without a word
            log.warning("Redis is away, job %s of queue %s could not be noted: %s", job.id, queue.name, error)
            raise
        except Exception:
            log.exception("job %s of queue %s broke off", job.id, queue.name)
            raise
        milliseconds = (time.monotonic() - started) * 1000
        log.debug("job of queue %s %s in %.0f ms", queue.name, "done" if is_done else "failed", milliseconds)
        return is_done

    def prepare_job_execution(self, job: RqJob, remove_from_intermediate_queue: bool = False) -> None:
        super().prepare_job_execution(job, remove_from_intermediate_queue)
        if job.func_name != self.jobs[self.queues[0].name]:
            raise JobRefusedError(f"{job.func_name} is not the job of queue {self.queues[0].name}")

    def handle_exception(self, job: RqJob, *exc_info: Any) -> None:
        error = exc_info[1]
        if isinstance(error, JobRefusedError | DeserializationError):
            log.error("refused job %s: %s", job.id, str(error) or "it is not JSON")
        else:
            # Not RQ's own line, whose stack is a part of its words.
            log.error("job %s of queue %s failed", job.id, self.queues[0].name, exc_info=error)

    def execute_job(self, job: RqJob, queue: Queue) -> None:
        try:
            super().execute_job(job, queue)
        except RedisError as error:
            log.warning("Redis is away, the end of job %s was not noted: %s", job.id, error)
        finally:
            # RQ hands the first entry to the next job, and leaves a stale one when Redis fails between two steps.
            self.executions.clear()

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
        while True:
            try:
                return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
            except RedisError as error:  # RQ itself rides out a lost connection, but not, say, a read-only replica
                log.warning("Redis refuses, trying again in %g s: %s", self.redis_wait_seconds, error)
                time.sleep(self.redis_wait_seconds)

    def heartbeat(self, *args: Any, **options: Any) -> None:
        """In each round, every few seconds during a job, and while Redis is away."""
        self.liveness.beat()
        self._heartbeat(*args, **options)

    def handle_warm_shutdown_request(self) -> None:
        """SIGTERM: the job that runs ends at its next step."""
        super().handle_warm_shutdown_request()
        self._tell_job_to_end()

    def fork_work_horse(self, job: RqJob, queue: Queue) -> None:
        super().fork_work_horse(job, queue)
        # SIGTERM may have come when the worker was busy already, and had no fork yet that it could tell.
        if self._stop_requested:
            self._tell_job_to_end()

    def _tell_job_to_end(self) -> None:
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, ending.SIGNAL)

    _heartbeat = _survive(RqWorker.heartbeat)
    maintain_heartbeats = _survive(RqWorker.maintain_heartbeats)
    set_state = _survive(RqWorker.set_state)
    check_for_suspension = _survive(RqWorker.check_for_suspension)
    run_maintenance_tasks = _survive(RqWorker.run_maintenance_tasks)
    set_shutdown_requested_date = _survive(RqWorker.set_shutdown_requested_date)
    teardown = _survive(RqWorker.teardown)


def _refuse(reason: str) -> NoReturn:
    click.echo(f"Error: {reason}", err=True)
    raise SystemExit(2)


def _never_suspended(_connection: Redis, _worker: RqWorker | None = None) -> bool:
    return False


def _our_connection(given: Mapping[str, Any], connection_class: type[Redis] = Redis) -> Redis:
    """RQ's own way to Redis, but for an address that redis-py does not read."""
    url = given.get("REDIS_URL")
    if isinstance(url, str) and is_sentinel_url(url):
        return connect(url, request_path=False)
    return get_redis_from_config(given, connection_class)


# Also for `rq info`, which finds its way here by RQ_WORKER_CLASS.
vars(rq_helpers)["get_redis_from_config"] = _our_connection

# Before it makes our worker, the `rq` command asks the Redis that it believes in (REDIS_URL, else localhost) whether
# work is suspended, and ends when that one is away. Our worker asks its own, after waiting for it, before every job.
vars(rq_command)["is_suspended"] = _never_suspended
