"""Workers for tests, started by `rq worker -w tests.worker_jobs.…`, and a job that does what a list in Redis says."""

import os
import time
from typing import ClassVar

from flask import Flask, current_app
from redis import Redis

from grocery.db import db
from grocery.ending import is_told_to_end
from grocery.queues import ORDERS, connect, doorbell
from grocery.worker import Worker

JOB = "tests.worker_jobs.follow_script"


def follow_script() -> None:
    """Do the next line of the list `script`, or nothing, and write what was done to the list `done`."""
    doorbell().answer(ORDERS)
    redis = connect(current_app.extensions["engines"].redis_url, request_path=False)
    line = redis.lpop("script")
    command, _, argument = line.decode().partition(" ") if line else ("nothing", "", "")
    redis.rpush("begun", f"{command} {os.getpid()} {time.time()}")
    _COMMANDS[command](redis, argument)


def _nothing(redis: Redis, _argument: str) -> None:
    redis.rpush("done", "nothing")


def _sleep(redis: Redis, seconds: str) -> None:
    time.sleep(float(seconds))
    redis.rpush("done", "sleep")


def _swallow(redis: Redis, seconds: str) -> None:
    try:
        time.sleep(float(seconds))
    except Exception:
        redis.rpush("done", "swallowed")
    redis.rpush("done", "woken")


def _until_told(redis: Redis, _argument: str) -> None:
    while not is_told_to_end():
        time.sleep(0.01)
    redis.rpush("done", "told")


def _fail(_redis: Redis, _argument: str) -> None:
    raise ValueError("the job's own fault")


def _backend(redis: Redis, _argument: str) -> None:
    redis.rpush("done", _backend_pid())


def _backend_pid() -> str:
    return str(db.session.execute(db.text("SELECT pg_backend_pid()")).scalar())


_COMMANDS = {
    "nothing": _nothing,
    "sleep": _sleep,
    "swallow": _swallow,
    "until-told": _until_told,
    "fail": _fail,
    "backend": _backend,
}


class ScriptWorker(Worker):
    jobs: ClassVar = {ORDERS: JOB}
    redis_wait_seconds = 0.2
    monitoring_seconds = 1
    maintenance_seconds = 1
    max_connection_wait_time = 0.5


class ConnectedWorker(ScriptWorker):
    """Connects to PostgreSQL before the fork, which a worker must not do."""

    def make_app(self) -> Flask:
        app = super().make_app()
        with app.app_context():
            connect(app.extensions["engines"].redis_url).rpush("parent", _backend_pid())
            db.session.remove()
        return app
