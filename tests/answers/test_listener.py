"""What is told to the store, and when."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from grocery.answers.listener import CHANNEL, Listener
from grocery.answers.store import AnswerStore
from grocery.config import Settings
from grocery.embedded import Stack
from grocery.engines import Engines
from tests.answers.proxy import JoiningProxy, Pooler, Proxy
from tests.waiting import wait_until

Sql = Callable[..., list[tuple[Any, ...]]]


class Told(AnswerStore):
    """A store that remembers what it was told."""

    def __init__(self) -> None:
        super().__init__(100_000)
        self.calls: list[str] = []

    def forget(self) -> None:
        super().forget()
        self.calls.append("forget")

    def confirm(self, valid_until: float) -> None:
        super().confirm(valid_until)
        self.calls.append("confirm")


@pytest.fixture
def socket_path(stack: Stack) -> str:
    return parse_qs(urlsplit(stack.database_url).query)["host"][0] + "/.s.PGSQL.5432"


@pytest.fixture
def listening(stack: Stack, settings: Settings) -> Callable[..., Any]:
    @contextmanager
    def listen(proxy: Proxy, store: AnswerStore, forget_words: Callable[[], object] = bool) -> Iterator[Listener]:
        url = urlsplit(stack.database_url)
        address = f"postgresql://{url.username}@127.0.0.1:{proxy.port}{url.path}?sslmode=disable&gssencmode=disable"
        engines = Engines(replace(settings, database_direct_url=address))
        listener = Listener(engines.connect_to_listen, store, forget_words)
        listener.start()
        with proxy:
            try:
                yield listener
            finally:
                listener.stop()

    return listen


def test_a_notification_in_one_packet_with_a_sign_of_life_counts_before_it(
    socket_path: str, listening: Callable[..., Any], app: Flask, run_sql: Sql
) -> None:
    """Behind the end of an answer, libpq takes it in with the answer, and the socket has nothing more to tell."""
    proxy, store = JoiningProxy(socket_path), Told()
    with listening(proxy, store):
        wait_until(lambda: store.is_valid)
        proxy.is_holding = True
        wait_until(lambda: bool(proxy.held))
        answered = len(proxy.held)
        run_sql(f"NOTIFY {CHANNEL}")
        wait_until(lambda: len(proxy.held) > answered)
        store.calls.clear()
        proxy.release()
        wait_until(lambda: bool(store.calls))
        assert store.calls[0] == "forget"


def test_behind_a_pooler_nothing_is_ever_kept(
    socket_path: str, listening: Callable[..., Any], app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    """It takes `LISTEN`, answers signs of life, and would never tell of a change."""
    store, read_again = Told(), list[bool]()
    with listening(Pooler(socket_path), store, lambda: read_again.append(True)):
        wait_until(lambda: len(store.calls) == 2)  # it has tried twice
    assert store.calls == ["forget"] * len(store.calls)
    assert (store.is_valid, read_again) == (False, [])
    (line,) = [record.getMessage() for record in caplog.records if record.name == "grocery.answers.listener"]
    assert line.endswith("a pooler is in between; set DATABASE_DIRECT_URL to PostgreSQL itself")
