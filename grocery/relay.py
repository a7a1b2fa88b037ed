"""The relay: one process that rings the bells again while something is due, and runs what has to be done regularly.

Any number may be started; one works at a time, by a PostgreSQL advisory lock on a connection of its own. It keeps
nothing in memory that matters: killed at any moment, the next one goes on.
"""

import logging
import signal
import threading
import time
from typing import Any

import click
import psycopg2
from flask import Flask
from flask.cli import with_appcontext

from grocery.db import db
from grocery.errors import BusyError
from grocery.liveness import Liveness
from grocery.process import set_role
from grocery.queues import PeriodicTask, periodic_task
from grocery.running import running_app

log = logging.getLogger(__name__)

# Any constant will do, as long as nothing else in the database locks the same number.
LOCK_KEY = 4_711_001
_STEP_SECONDS = 0.5
# Who stands by is at work this soon after the one that worked has ended.
_STANDBY_SECONDS = 1.5


class Relay:
    """Runs the registered tasks of `app`, each at its own pace, while it holds the lock."""

    def __init__(self, app: Flask):
        self._app = app
        self._stopping = threading.Event()
        self._liveness = Liveness(app.extensions["settings"].liveness_file)
        self._due = {task.name: (0.0, task) for _, tasks in periodic_task.send(app) for task in tasks}

    def stop(self, *_: Any) -> None:
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop()`; survives restarts of PostgreSQL and Redis."""
        while not self._stopping.is_set():
            self._liveness.beat()
            try:
                self._work_while_leading()
            except (psycopg2.Error, BusyError) as error:
                log.warning("the relay waits for PostgreSQL: %s", str(error).strip())
            self._stopping.wait(_STANDBY_SECONDS)

    def _work_while_leading(self) -> None:
        connection = self._app.extensions["engines"].connect_directly()
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY,))
                if not cursor.fetchone()[0]:
                    return
                log.info("the relay is at work")
                while not self._stopping.wait(_STEP_SECONDS):
                    self._liveness.beat()
                    cursor.execute("SELECT 1")  # a lost connection has lost the lock
                    self.run_due()
        finally:
            connection.close()

    def run_due(self) -> None:
        """Run every task whose time has come. A failing task is logged and tried again at its next time."""
        for name, (due_at, task) in self._due.items():
            now = time.monotonic()
            if now >= due_at and not self._stopping.is_set():
                self._due[name] = (now + task.every_seconds, task)
                self._run_task(task)

    def _run_task(self, task: PeriodicTask) -> None:
        with self._app.app_context():
            try:
                task.run()
            except Exception:
                log.exception("periodic task %s failed", task.name)
            finally:
                db.session.remove()


@click.command("relay")
@with_appcontext
def relay_command() -> None:
    """Ring for what is due and run the periodic tasks, until SIGTERM or Ctrl-C."""
    set_role("relay")
    relay = Relay(running_app())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, relay.stop)
    relay.run()
    log.info("the relay has stopped")


def init_app(app: Flask) -> None:
    app.cli.add_command(relay_command)
