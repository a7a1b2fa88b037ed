"""The job for long work: what packages register is done in turns, and nothing that fails holds up the rest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from grocery import bulk
from grocery.queues import BULK, BulkTask, bulk_task, doorbell

pytestmark = pytest.mark.usefixtures("context")


@contextmanager
def registered(*tasks: BulkTask) -> Iterator[None]:
    def receive(_app: Flask) -> list[BulkTask]:
        return list(tasks)

    with bulk_task.connected_to(receive):
        yield


def counting(name: str, steps: int, done: list[str]) -> BulkTask:
    left = iter(range(steps, 0, -1))

    def step() -> bool:
        rest = next(left, 0)
        if rest:
            done.append(name)
        return rest > 1

    return BulkTask(name, is_due=lambda: len([one for one in done if one == name]) < steps, step=step)


def test_tasks_take_turns_until_nothing_waits() -> None:
    done: list[str] = []
    with registered(counting("long", 3, done), counting("short", 1, done)):
        bulk.run_bulk()
    assert done == ["long", "short", "long", "long"]
    assert doorbell().depth(BULK) == 0


def test_a_task_that_fails_does_not_hold_up_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> bool:
        raise ValueError("broken")

    done: list[str] = []
    with registered(BulkTask("broken", lambda: True, fail), counting("good", 2, done)):
        bulk.run_bulk()
    assert done == ["good", "good"]
    assert [record.getMessage() for record in caplog.records] == ["bulk task broken failed"]


def test_what_is_left_when_the_time_is_over_is_rung_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_WORK_SECONDS", -1)
    done: list[str] = []
    with registered(counting("late", 1, done)):
        bulk.run_bulk()
    assert done == []
    assert doorbell().depth(BULK) == 1


@pytest.mark.parametrize(("is_due", "jobs"), [(lambda: True, 1), (lambda: False, 0)])
def test_the_relay_rings_only_when_something_is_due(is_due: Callable[[], bool], jobs: int) -> None:
    with registered(BulkTask("task", is_due, lambda: False)):
        bulk.ring_if_due()
    assert doorbell().depth(BULK) == jobs
