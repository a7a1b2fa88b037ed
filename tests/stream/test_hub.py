"""Telling listeners what is new, with a history that is made up: what is asked for, and what happens without one."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

import psycopg2
import pytest

from grocery.stream import hub as hub_module
from grocery.stream.events import Entry
from grocery.stream.hub import Hub
from tests.waiting import PATIENCE_SECONDS


@dataclass(eq=False)
class Ear:
    order_id: int
    last_id: int = 0
    is_listening: bool = True
    heard: list[Sequence[Entry]] = field(default_factory=list)
    failures: int = 0

    def wants_from(self) -> int:
        return self.last_id

    def hear(self, entries: Sequence[Entry]) -> None:
        self.heard.append(entries)

    def hear_nothing(self) -> None:
        self.failures += 1


@dataclass
class MadeUpHistory:
    """Has one entry of each order; says what was asked for. While `gate` is closed, reading takes its time."""

    asked: list[dict[int, int]] = field(default_factory=list)
    error: Exception | None = None
    gate: Event = field(default_factory=Event)

    def read(self, wanted: Mapping[int, int]) -> dict[int, list[Entry]]:
        self.asked.append(dict(wanted))
        assert self.gate.wait(60)
        if self.error:
            raise self.error
        return {order_id: [Entry(order_id, 9, "packed", None, datetime.now(UTC))] for order_id in wanted}

    def close(self) -> None: ...


@pytest.fixture
def history() -> MadeUpHistory:
    made = MadeUpHistory()
    made.gate.set()
    return made


def play(history: MadeUpHistory, scene: Callable[[Hub], object]) -> None:
    """Run a scene beside the hub."""

    async def run() -> None:
        hub = Hub(history)  # type: ignore[arg-type]  # all that the hub needs of one
        running = asyncio.create_task(hub.run())
        await scene(hub)  # type: ignore[misc]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


async def until(is_true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_true():  # noqa: ASYNC110  # what is waited for knows nothing of this
            await asyncio.sleep(0.005)


def test_all_orders_are_read_in_one_query_from_where_the_furthest_behind_is(history: MadeUpHistory) -> None:
    ears = [Ear(1, 5), Ear(1, 3), Ear(2, 7)]

    async def scene(hub: Hub) -> None:
        for ear in ears:
            hub.add(ear)
        await until(lambda: all(ear.heard for ear in ears))

    play(history, scene)
    assert history.asked == [{1: 3, 2: 7}]
    assert [len(ear.heard) for ear in ears] == [1, 1, 1]


def test_orders_that_nobody_watches_are_not_read(history: MadeUpHistory) -> None:
    ear = Ear(1)

    async def scene(hub: Hub) -> None:
        hub.add(ear)
        await until(lambda: ear.heard)
        hub.look_at(range(2, 1000))
        hub.look_at([1])
        await until(lambda: len(ear.heard) == 2)
        hub.remove(ear)
        hub.look_at([1])
        hub.look_at_all()
        await asyncio.sleep(0.02)

    play(history, scene)
    assert history.asked == [{1: 0}, {1: 0}]


def test_who_comes_or_is_named_during_a_reading_hears_of_the_next(history: MadeUpHistory) -> None:
    first, second = Ear(1, 8), Ear(1, 2)

    async def scene(hub: Hub) -> None:
        history.gate.clear()
        hub.add(first)
        await until(lambda: history.asked)
        hub.add(second)
        history.gate.set()
        await until(lambda: second.heard)

    play(history, scene)
    assert history.asked == [{1: 8}, {1: 2}]
    assert [len(ear.heard) for ear in (first, second)] == [2, 1]


def test_who_left_during_a_reading_hears_nothing(history: MadeUpHistory) -> None:
    gone, here = Ear(1), Ear(1)

    async def scene(hub: Hub) -> None:
        history.gate.clear()
        hub.add(gone)
        hub.add(here)
        await until(lambda: history.asked)
        gone.is_listening = False
        hub.remove(gone)
        hub.remove(gone)
        history.gate.set()
        await until(lambda: here.heard)

    play(history, scene)
    assert gone.heard == []


def test_listeners_wait_for_a_database_that_is_away(
    history: MadeUpHistory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hub_module, "_RETRY_SECONDS", 0.01)
    ear = Ear(1)
    history.error = psycopg2.OperationalError("no server")

    async def scene(hub: Hub) -> None:
        hub.add(ear)
        await until(lambda: ear.failures == 3)
        assert hub.is_database_away
        history.error = None
        await until(lambda: ear.heard)
        assert not hub.is_database_away

    play(history, scene)
    assert caplog.messages == ["the database is away, listeners wait: no server", "the database is back"]
