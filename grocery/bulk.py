"""The job of the queue `bulk`: long work that packages register, done in turns of a few seconds."""

import logging
import time
from collections import deque

from flask import Flask

from grocery.db import db
from grocery.ending import is_told_to_end
from grocery.queues import BULK, BulkTask, PeriodicTask, bulk_task, doorbell, periodic_task
from grocery.running import running_app

log = logging.getLogger(__name__)

# With the longest step (5 s, on a slow machine twice that) well below the job's timeout; the rest is rung for again.
_WORK_SECONDS = 25
_LOOK_SECONDS = 2.0


def run_bulk() -> None:
    """Do what waits, one step of each task in turn. Safe to run twice at once, to be killed, and to find nothing."""
    doorbell().answer(BULK)
    waiting = deque(_tasks())
    started = time.monotonic()
    while waiting:
        if time.monotonic() - started > _WORK_SECONDS or is_told_to_end():
            doorbell().ring(BULK)
            return
        task = waiting.popleft()
        if _step(task):
            waiting.append(task)


def ring_if_due() -> None:
    """Ring again for work whose ring was lost, or that has become due."""
    if any(task.is_due() for task in _tasks()):
        doorbell().ring(BULK)


def periodic_tasks(_sender: object) -> list[PeriodicTask]:
    return [PeriodicTask("bulk.ring", _LOOK_SECONDS, ring_if_due)]


def init_app(_app: Flask) -> None:
    periodic_task.connect(periodic_tasks)


def _tasks() -> list[BulkTask]:
    return [task for _receiver, tasks in bulk_task.send(running_app()) for task in tasks]


def _step(task: BulkTask) -> bool:
    """One step; a task that fails must not keep the others from their turn, and is due again anyway."""
    try:
        return task.step()
    except Exception:
        log.exception("bulk task %s failed", task.name)
        return False
    finally:
        db.session.remove()
