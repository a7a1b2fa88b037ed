"""How many passwords are hashed at once."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.auth.errors import HashingBusyError
from grocery.auth.hashing import Hashers
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, make_customer
from tests.waiting import wait_until, within


@pytest.fixture
def crowded(app: Flask) -> Iterator[threading.Event]:
    """The app with every place for hashing taken, until the event is set."""
    leave = threading.Event()
    usual, crowded = app.extensions["hashers"], Hashers(at_once=1, waiting=0)
    app.extensions["hashers"] = crowded
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(crowded.run, lambda: leave.wait(60))
        while crowded._places._value:
            time.sleep(0.001)
        yield leave
        leave.set()
        assert taken.result()
    app.extensions["hashers"] = usual


def test_no_more_than_so_many_run_at_once_and_all_get_their_result() -> None:
    hashers = Hashers(at_once=2, waiting=20)
    running: list[int] = []
    most = 0
    lock = threading.Lock()

    def work(number: int) -> int:
        nonlocal most
        with lock:
            running.append(number)
            most = max(most, len(running))
        time.sleep(0.01)
        with lock:
            running.remove(number)
        return number

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(lambda number: hashers.run(lambda: work(number)), range(20)))
    assert (results, most) == (list(range(20)), 2)


def test_who_finds_too_many_waiting_is_sent_away_at_once() -> None:
    hashers, leave = Hashers(at_once=1, waiting=1), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(hashers.run, lambda: leave.wait(60)) for _ in range(2)]
        while hashers._places._value:
            time.sleep(0.001)
        with within(0.5), pytest.raises(HashingBusyError):
            hashers.run(lambda: True)
        leave.set()
        assert [one.result() for one in waiting] == [True, True]
    assert hashers.run(lambda: True) is True


def test_who_has_waited_for_too_long_is_sent_away_and_what_has_begun_is_finished() -> None:
    hashers, leave = Hashers(at_once=1, waiting=1, max_wait_seconds=0.2), threading.Event()
    done = []
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(hashers.run, lambda: leave.wait(60))
        wait_until(lambda: hashers._places._value == 1)
        with pytest.raises(HashingBusyError):
            hashers.run(lambda: done.append("late"))
        assert not slow.done()
        leave.set()
        assert slow.result() is True
    assert hashers.run(lambda: "next") == "next"
    assert done == []


def test_what_the_work_raises_comes_through_and_frees_the_place() -> None:
    hashers = Hashers(at_once=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            hashers.run(lambda: 1 // 0)


def test_who_has_hashed_rests_for_as_long_but_answers_first() -> None:
    hashers = Hashers(at_once=1, waiting=1)

    def work() -> tuple[float, float]:
        started = time.monotonic()
        worked_from = time.thread_time()
        while time.thread_time() < worked_from + 0.2:
            pass
        return started, time.monotonic()

    runs: list[tuple[float, float, float]] = []
    for _ in range(3):
        runs.append((*hashers.run(work), time.monotonic()))
    # The best of three, since a machine that stands still is slow to answer, too.
    assert min(answered - ended for _, ended, answered in runs) < 0.15
    rests = [later[0] - earlier[1] for earlier, later in pairwise(runs)]
    assert 0.19 < min(rests) < 1


def test_the_threads_that_hash_give_way_and_the_others_do_not() -> None:
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    hashing = Hashers(1, 0).run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert hashing == 10
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own


def test_a_full_house_is_503_with_retry_after_and_writes_nothing(
    client: FlaskClient, crowded: threading.Event, run_sql: RunSql
) -> None:
    person = make_customer(password=None)
    known = {"email": person.email, "password": PASSWORD}
    newcomer = {"name": "Amina", "email": "amina@example.com", "password": PASSWORD}
    for path, body in (
        ("/auth/login", known),
        ("/auth/login", {**known, "email": "nobody@example.com"}),
        ("/auth/register", newcomer),
    ):
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json["code"]) == (503, "busy")
        assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/products/").status_code == 200
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]
    assert run_sql("SELECT count(*) FROM customers") == [(1,)]
