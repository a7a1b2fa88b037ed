"""The shop's own texts in the memory of a process: fresh enough, and never in the way."""

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from grocery.notify.wording.catalogue import TextKey
from grocery.notify.wording.grammar import SourceError
from grocery.notify.wording.kept import KeptTexts

KEY = TextKey("order_placed", "customer", "sms", "en")
OTHER = KEY._replace(language="sw")


@dataclass
class Table:
    """What the database has, how often it was read, and the time."""

    sources: dict[TextKey, str] = field(default_factory=lambda: {KEY: "one"})
    now: float = 1000.0
    reads: int = 0
    error: Exception | None = None

    def read(self) -> Mapping[TextKey, str]:
        self.reads += 1
        if self.error:
            raise self.error
        return dict(self.sources)

    def kept(self) -> KeptTexts:
        return KeptTexts(self.read, clock=lambda: self.now)


def found(kept: KeptTexts, key: TextKey = KEY) -> str | None:
    own = kept.find(key)
    return own.render({}) if own else None


def test_nothing_is_read_before_the_first_use_and_once_in_fifteen_seconds() -> None:
    table = Table()
    kept = table.kept()
    assert table.reads == 0

    assert [found(kept), found(kept), found(kept, OTHER)] == ["one", "one", None]
    table.sources = {KEY: "two"}
    table.now += 14.9
    assert (found(kept), table.reads) == ("one", 1)

    table.now += 0.2
    assert (found(kept), table.reads) == ("two", 2)


def test_removed_text_is_gone_when_it_is_read_again() -> None:
    table = Table()
    kept = table.kept()
    found(kept)

    table.sources = {}
    table.now += 16

    assert found(kept) is None


def test_text_is_compiled_once_for_as_long_as_it_stays_the_same() -> None:
    table = Table()
    kept = table.kept()
    first = kept.find(KEY)
    table.now += 16

    assert kept.find(KEY) is first
    table.sources = {KEY: "two"}
    table.now += 16
    assert kept.find(KEY) is not first


def test_own_change_is_read_at_once() -> None:
    table = Table()
    kept = table.kept()
    found(kept)
    table.sources = {KEY: "two"}

    kept.forget()

    assert (found(kept), table.reads) == ("two", 2)


def test_failing_read_leaves_what_was_known_and_is_tried_again_later(caplog: pytest.LogCaptureFixture) -> None:
    table = Table()
    kept = table.kept()
    found(kept)
    table.error = OSError("the database is away")
    table.now += 16

    assert [found(kept), found(kept)] == ["one", "one"]
    assert table.reads == 2
    assert caplog.messages == [
        "the shop's own texts, reading them: OSError: the database is away; the text that is known without it is used"
    ]

    table.error, table.sources = None, {KEY: "two"}
    table.now += 16
    assert found(kept) == "two"


def test_process_that_could_never_read_them_has_none() -> None:
    table = Table(error=OSError("away"))

    assert found(table.kept()) is None


def test_same_complaint_is_written_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    table = Table(sources={KEY: "{{ broken", OTHER: "{{ 2 ** 2 }}"})
    kept = table.kept()

    def complain(key: TextKey) -> None:
        with pytest.raises(SourceError) as caught:
            kept.find(key)
        kept.complain(key, caught.value)

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            complain(KEY)
        complain(OTHER)
        table.now += 59
        complain(KEY)
        assert len(caplog.messages) == 2
        table.now += 2
        complain(KEY)
    assert len(caplog.messages) == 3
    assert caplog.messages[1].startswith("the shop's own texts, sw/order_placed.customer.sms: SourceError: Line 1: ** ")


def test_complaint_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    Table().kept().complain(KEY, ValueError("one\ntwo"))

    assert "ValueError: one two;" in caplog.messages[0]


class SlowTable(Table):
    """A read that lasts until it is let go; what it answers is what was there when it began."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.let_go = threading.Event(), threading.Event()

    def read(self) -> Mapping[TextKey, str]:
        sources = super().read()
        self.begun.set()
        assert self.let_go.wait(60)
        return sources


def test_while_one_thread_reads_the_others_go_on_with_what_is_known() -> None:
    table = SlowTable()
    kept = table.kept()
    table.let_go.set()
    found(kept)
    table.let_go.clear()
    table.begun.clear()
    table.sources = {KEY: "two"}
    table.now += 16
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(found, kept)
        assert table.begun.wait(60)

        assert found(kept) == "one"

        table.let_go.set()
        assert reading.result(60) == "two"
    assert (found(kept), table.reads) == ("two", 2)


def test_change_during_a_read_is_not_overwritten_by_what_was_read() -> None:
    table = SlowTable()
    kept = table.kept()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(found, kept)
        assert table.begun.wait(60)
        table.sources = {KEY: "two"}
        kept.forget()
        table.let_go.set()
        assert reading.result(60) == "one"

    assert found(kept) == "two"


def test_many_threads_read_once() -> None:
    table = Table()
    kept = table.kept()
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda _: found(kept), range(200)))

    assert (set(texts), table.reads) == ({"one"}, 1)
