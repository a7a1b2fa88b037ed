"""Counting how often something was done, with and without Redis."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from grocery import limits
from grocery.errors import TooManyRequestsError
from grocery.limits import Limiter, network_of
from tests.valkey_process import ValkeyProcess
from tests.waiting import stopwatch

SECRET = "a secret of the shop"


@pytest.fixture
def limiter(valkey: ValkeyProcess) -> Limiter:
    return Limiter(lambda: valkey.url, SECRET, pause_seconds=0.1)


def is_allowed(limiter: Limiter, rates: str, *key: str) -> bool:
    try:
        limiter.hit(rates, "test", *key)
    except TooManyRequestsError:
        return False
    return True


def test_so_many_are_allowed_and_the_next_is_told_how_long_to_wait(limiter: Limiter) -> None:
    assert [is_allowed(limiter, "3/minute", "a") for _ in range(3)] == [True] * 3
    with pytest.raises(TooManyRequestsError) as refused:
        limiter.hit("3/minute", "test", "a")
    assert refused.value.retry_after_seconds in (60, 61)
    assert is_allowed(limiter, "3/minute", "b")


def test_each_of_several_rates_holds(limiter: Limiter) -> None:
    assert [is_allowed(limiter, "2/second;3/hour", "a") for _ in range(3)] == [True, True, False]
    time.sleep(1.1)
    assert [is_allowed(limiter, "2/second;3/hour", "a") for _ in range(2)] == [True, False]


def test_who_waits_as_long_as_told_has_waited_enough(limiter: Limiter) -> None:
    limiter.hit("1/second", "test", "a")
    with pytest.raises(TooManyRequestsError) as refused:
        limiter.hit("1/second", "test", "a")
    time.sleep(refused.value.retry_after_seconds)
    assert is_allowed(limiter, "1/second", "a")


def test_checking_counts_nothing(limiter: Limiter) -> None:
    limiter.hit("2/minute", "test", "a")
    for _ in range(5):
        limiter.check("2/minute", "test", "a")
    limiter.hit("2/minute", "test", "a")
    with pytest.raises(TooManyRequestsError):
        limiter.check("2/minute", "test", "a")


def test_a_turn_is_one_for_so_many_seconds(limiter: Limiter) -> None:
    limiter.take_turn(1, "turn", "a")
    limiter.take_turn(1, "turn", "b")
    with pytest.raises(TooManyRequestsError):
        limiter.take_turn(30, "turn", "a")
    time.sleep(1.1)
    limiter.take_turn(1, "turn", "a")


def test_limiters_share_their_counts(valkey: ValkeyProcess) -> None:
    first, second = (Limiter(lambda: valkey.url, SECRET) for _ in range(2))
    assert [is_allowed(one, "3/minute", "a") for one in (first, second, first, second)] == [True, True, True, False]


COUNTING = """
import sys
from grocery.errors import TooManyRequestsError
from grocery.limits import Limiter
limiter, allowed = Limiter(lambda: sys.argv[1], sys.argv[2]), 0
for _ in range(100):
    try:
        limiter.hit("120/hour", "test", "a")
        allowed += 1
    except TooManyRequestsError:
        pass
print(allowed)
"""


def test_two_processes_at_once_allow_no_more_than_one(valkey: ValkeyProcess) -> None:
    command = [sys.executable, "-c", COUNTING, valkey.url, SECRET]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sum(int(process.communicate(timeout=60)[0]) for process in running) == 120


def test_of_many_at_once_no_more_are_allowed(limiter: Limiter) -> None:
    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda _: is_allowed(limiter, "10/minute", "a"), range(40)))
    assert allowed.count(True) == 10


def test_redis_learns_no_address_of_anyone(limiter: Limiter, valkey: ValkeyProcess) -> None:
    limiter.hit("3/minute", "test", "amina@example.com", "203.0.113.7")
    [key] = valkey.client.keys("*")
    assert key.startswith(b"grocery:limit:")
    assert b"amina" not in key
    assert b"203.0" not in key
    assert 0 < valkey.client.ttl(key) <= 60


def test_counts_go_on_in_memory_while_redis_is_away(
    limiter: Limiter, valkey: ValkeyProcess, caplog: pytest.LogCaptureFixture
) -> None:
    assert is_allowed(limiter, "3/minute", "a")
    valkey.stop()
    assert [is_allowed(limiter, "3/minute", "a") for _ in range(4)] == [True, True, True, False]
    valkey.start()
    time.sleep(0.15)
    assert [is_allowed(limiter, "3/minute", "a") for _ in range(4)] == [True, True, True, False]
    lines = [record.getMessage().partition(": ")[0] for record in caplog.records]
    assert lines == ["Redis is away, each process counts its limits alone", "Redis is back"]


def test_a_redis_that_hangs_costs_a_moment_once(limiter: Limiter, valkey: ValkeyProcess) -> None:
    limiter.hit("100/minute", "test", "a")
    valkey.freeze()
    waits = []
    for _ in range(20):
        with stopwatch() as watch:
            limiter.hit("100/minute;1000/hour", "test", "a")
        waits.append(watch.seconds)
    valkey.unfreeze()
    assert max(waits) < 0.5
    assert [wait > 0.05 for wait in waits] == [True] + [False] * 19


def test_many_threads_count_rightly_in_memory() -> None:
    away = Limiter(lambda: "redis://127.0.0.1:1/0", SECRET)
    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda _: is_allowed(away, "10/minute", "a"), range(80)))
    assert allowed.count(True) == 10


def test_a_flood_of_addresses_does_not_eat_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MAX_KEPT", 100)
    away = Limiter(lambda: "redis://127.0.0.1:1/0", SECRET)
    for number in range(250):
        away.hit("10/minute", "test", str(number))
    assert away._memory is not None
    assert len(away._memory.storage) <= 100


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:5123", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network
