"""What is answered: commands about SMS themselves, limits, failures; orders have tests of their own."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest
from flask import Flask
from redis import Redis

from grocery.db import db
from grocery.notify.hooks import InboundMessage, Reply, sms_received
from grocery.notify.inbound import service
from grocery.notify.inbound.service import answer_received
from grocery.queues import NOTIFY, doorbell
from tests.auth.factories import make_customer
from tests.fakes.africastalking import Callbacks
from tests.notify.clients import PHONE
from tests.notify.inbound.conftest import Ask, Sql
from tests.waiting import wait_until

ROWS = "SELECT status, command, error FROM inbound_sms ORDER BY id"
SUPPRESSED = "SELECT channel, address, reason FROM suppressions"
CHOICES = "SELECT marketing_sms FROM customers ORDER BY id"
OTHER_PHONE = "+254722000002"


def subscribe(run_sql: Sql, **person: Any) -> int:
    customer = make_customer(phone=PHONE, **person)
    run_sql("UPDATE customers SET marketing_sms = true WHERE id = :id", id=customer.id)
    return customer.id


def answer_and_die(app: Flask) -> NoReturn:
    """Answer what came in, in a process that is killed while it does."""

    def die(_sender: object, *, message: InboundMessage) -> None:
        db.session.execute(db.text("INSERT INTO suppressions VALUES ('sms', '+254', 'stop')"))
        os.kill(os.getpid(), signal.SIGKILL)

    try:
        with app.app_context(), answering(die):
            db.engine.dispose(close=False)  # its connections are the parent's
            answer_received()
    finally:
        os._exit(1)  # it was not killed


@contextmanager
def answering(receiver: Any) -> Iterator[None]:
    """Let a receiver answer in front of those of the app."""
    with sms_received.connected_to(receiver):
        yield


class TestCommands:
    @pytest.mark.parametrize(
        ("text", "answer"),
        [
            ("stop", "Test Grocer: you get no more SMS from us, only codes and answers that you ask for yourself."),
            ("ACHA", "Test Grocer: hutapokea SMS zetu tena, ila nambari na majibu unayoomba mwenyewe."),
        ],
    )
    def test_stop(self, ask: Ask, run_sql: Sql, text: str, answer: str) -> None:
        subscribe(run_sql)

        said = ask(text)

        assert said is not None
        assert said.startswith(answer)
        assert run_sql(SUPPRESSED) == [("sms", PHONE, "stop")]
        assert run_sql(CHOICES) == [(False,)]
        assert run_sql(ROWS) == [("answered", "stopped", None)]

    @pytest.mark.parametrize(
        ("text", "answer"),
        [
            ("START", "Test Grocer: you get SMS about your orders again. If you want our offers too,"),
            ("anza", "Test Grocer: utapokea tena SMS kuhusu oda zako. Ukitaka ofa zetu pia, tuma ANZA OFA."),
        ],
    )
    def test_start_takes_stop_back_and_wishes_for_no_offers(
        self, ask: Ask, run_sql: Sql, text: str, answer: str
    ) -> None:
        subscribe(run_sql)
        ask("STOP")

        said = ask(text)

        assert said is not None
        assert said.startswith(answer)
        assert run_sql(SUPPRESSED) == []
        assert run_sql(CHOICES) == [(False,)]

    @pytest.mark.parametrize("text", ["STOP OFFERS", "acha ofa"])
    def test_offers_alone_can_be_stopped(self, ask: Ask, run_sql: Sql, text: str) -> None:
        subscribe(run_sql)
        subscribe(run_sql)

        said = ask(text)

        assert said is not None
        assert "START OFFERS" in said or "ANZA OFA" in said
        assert run_sql(SUPPRESSED) == []
        assert run_sql(CHOICES) == [(False,), (False,)]

    @pytest.mark.parametrize("text", ["START OFFERS", "anza ofa"])
    def test_offers_can_be_wished_for_even_after_stop(self, ask: Ask, run_sql: Sql, text: str) -> None:
        make_customer(phone=PHONE)
        make_customer(phone=OTHER_PHONE)
        ask("STOP")

        said = ask(text)

        assert said is not None
        assert "STOP OFFERS" in said or "ACHA OFA" in said
        assert run_sql(SUPPRESSED) == []
        assert run_sql(CHOICES) == [(True,), (False,)]

    def test_offers_need_an_account(self, ask: Ask, run_sql: Sql) -> None:
        assert ask("START OFFERS") == (
            "Test Grocer: this number is in no account of ours. Add it to your account first, then reply START OFFERS."
        )
        assert run_sql(ROWS) == [("answered", "no_account", None)]

    @pytest.mark.parametrize(("text", "word"), [("Help!", "CANCEL"), ("msaada", "GHAIRI")])
    def test_help_names_the_commands(self, ask: Ask, run_sql: Sql, text: str, word: str) -> None:
        said = ask(text)

        assert said is not None
        assert word in said
        assert run_sql(SUPPRESSED) == []

    def test_stop_twice_and_start_without_stop_change_nothing(self, ask: Ask, run_sql: Sql) -> None:
        ask("START")
        ask("STOP")
        ask("STOP")

        assert run_sql(SUPPRESSED) == [("sms", PHONE, "stop")]


class TestLanguage:
    def test_is_that_of_the_word_then_of_the_account_then_of_the_shop(self, ask: Ask, run_sql: Sql) -> None:
        customer = make_customer(phone=PHONE)
        run_sql("UPDATE customers SET language = 'sw' WHERE id = :id", id=customer.id)

        assert "GHAIRI" in (ask("HELP") or "")
        assert "GHAIRI" in (ask("MSAADA", OTHER_PHONE) or "")
        assert "CANCEL" in (ask("HELP", OTHER_PHONE) or "")
        assert run_sql("SELECT language FROM notifications ORDER BY id") == [("sw",), ("sw",), ("en",)]


class TestHolder:
    def test_what_a_customer_wrote_goes_with_the_account(self, ask: Ask, run_sql: Sql) -> None:
        customer = make_customer(phone=PHONE)
        ask("HELP")
        ask("Asante")
        ask("HELP", OTHER_PHONE)
        assert run_sql("SELECT customer_id FROM inbound_sms ORDER BY id") == [(customer.id,), (customer.id,), (None,)]

        run_sql("DELETE FROM customers WHERE id = :id", id=customer.id)

        assert run_sql("SELECT phone FROM inbound_sms") == [(OTHER_PHONE,)]
        assert run_sql("SELECT recipient FROM notifications") == [(OTHER_PHONE,)]


class TestLimits:
    def test_what_is_not_understood_is_answered_once_an_hour(self, ask: Ask, run_sql: Sql) -> None:
        assert ask("Do you have mangoes?") == (
            "Test Grocer: sorry, we did not understand. "
            "Reply STATUS, CANCEL and the number of the order, HELP, or STOP."
        )
        assert ask("And pineapples?") is None
        assert ask("And pineapples?", OTHER_PHONE) is not None
        run_sql("UPDATE inbound_sms SET received_at = now() - interval '61 minutes'")
        assert ask("Mangoes!") is not None
        assert run_sql("SELECT status, command FROM inbound_sms ORDER BY id") == [
            ("answered", None),
            ("ignored", None),
            ("answered", None),
            ("answered", None),
        ]

    def test_ten_answers_an_hour_are_enough_but_stop_is_obeyed(self, ask: Ask, run_sql: Sql) -> None:
        for _ in range(10):
            assert ask("HELP") is not None

        assert ask("HELP") is None
        assert ask("STOP OFFERS") is None
        assert ask("STOP") is None
        assert ask("START") is None

        assert run_sql(SUPPRESSED) == [("sms", PHONE, "stop")]
        assert run_sql(ROWS)[10:] == [
            ("ignored", None, "This phone had 10 answers within an hour."),
            ("ignored", "offers_stopped", "Done without a word. This phone had 10 answers within an hour."),
            ("ignored", "stopped", "Done without a word. This phone had 10 answers within an hour."),
            ("ignored", None, "This phone had 10 answers within an hour."),
        ]
        assert ask("HELP", OTHER_PHONE) is not None

    @pytest.mark.parametrize("text", ["Thank you!", "😀", "asante sana", "?"])
    def test_what_needs_no_answer_gets_none(self, ask: Ask, run_sql: Sql, text: str) -> None:
        assert ask(text) is None
        assert run_sql(ROWS) == [("ignored", None, "There is nothing to answer.")]


class TestReceivers:
    def test_get_the_words_and_their_answer_is_sent(self, ask: Ask, run_sql: Sql) -> None:
        seen: list[InboundMessage] = []

        def receive(_sender: object, *, message: InboundMessage) -> Reply | None:
            seen.append(message)
            return Reply("reply_offers_started", language="sw", dedupe_key="told already")

        with answering(receive):
            said = ask("Mangoes, tafadhali: 3 kg!")
            again = ask("mangoes")

        assert said == "Test Grocer: sasa utapokea ofa zetu kwa SMS. Kuziacha, tuma ACHA OFA."
        assert again is None, "a message with this key was queued before"
        assert [(message.phone, list(message.words)) for message in seen] == [
            (PHONE, ["MANGOES", "3", "KG"]),
            (PHONE, ["MANGOES"]),
        ]
        assert run_sql(ROWS) == [("answered", "offers_started", None)] * 2

    def test_failure_is_rolled_back_and_tried_again_five_times(
        self, provider: Callbacks, run_sql: Sql, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(_sender: object, *, message: InboundMessage) -> Reply | None:
            db.session.execute(db.text("INSERT INTO suppressions VALUES ('sms', '+254', 'stop')"))
            raise ValueError(f"{message.phone} wrote {message.words}")

        provider.text_from(PHONE, "Mangoes")
        waits = []
        with answering(fail), caplog.at_level(logging.ERROR):
            for _ in range(5):
                assert (answer_received(), answer_received()) == (1, 0)
                waits += run_sql("SELECT round(extract(epoch FROM next_attempt_at - now())) FROM inbound_sms")
                run_sql("UPDATE inbound_sms SET next_attempt_at = now()")

        assert [int(seconds) for (seconds,) in waits] == [5, 20, 80, 320, 1280]
        assert answer_received() == 0
        assert run_sql("SELECT status, attempts, error FROM inbound_sms") == [
            ("failed", 5, "ValueError in the answer; the log has more.")
        ]
        assert run_sql(SUPPRESSED) == []
        assert run_sql("SELECT count(*) FROM notifications") == [(0,)]
        assert len([record for record in caplog.records if "is given up" in record.message]) == 1

    def test_one_that_fails_does_not_hold_back_the_others(self, provider: Callbacks, run_sql: Sql) -> None:
        def fail(_sender: object, *, message: InboundMessage) -> Reply | None:
            raise ValueError

        provider.text_from(PHONE, "Mangoes")
        provider.text_from(PHONE, "STOP")
        with answering(fail):
            assert answer_received() == 2

        assert run_sql(SUPPRESSED) == [("sms", PHONE, "stop")]
        assert run_sql("SELECT status FROM inbound_sms ORDER BY id") == [("received",), ("answered",)]


class TestWorkers:
    def test_killed_in_the_middle_loses_nothing(self, app: Flask, provider: Callbacks, run_sql: Sql) -> None:
        provider.text_from(PHONE, "Mangoes")
        child = os.fork()  # as RQ's worker does for each job
        if not child:
            answer_and_die(app)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        assert run_sql("SELECT status, attempts FROM inbound_sms") == [("received", 0)]

        # The SMS is locked until PostgreSQL has noticed that the worker is gone.
        assert wait_until(answer_received) == 1

        assert run_sql("SELECT status, attempts FROM inbound_sms") == [("answered", 0)]
        assert run_sql("SELECT event FROM notifications") == [("reply_not_understood",)]
        assert run_sql(SUPPRESSED) == []

    def test_that_run_out_of_time_write_nothing(self, provider: Callbacks, run_sql: Sql) -> None:
        """A job that has to stop is no failure of the SMS in its hands."""

        def stop(_sender: object, *, message: InboundMessage) -> Reply | None:
            raise KeyboardInterrupt

        provider.text_from(PHONE, "Mangoes")
        with answering(stop), pytest.raises(KeyboardInterrupt):
            answer_received()

        assert run_sql("SELECT status, attempts, error FROM inbound_sms") == [("received", 0, None)]

    def test_that_race_answer_each_sms_once_and_each_phone_in_order(
        self, app: Flask, provider: Callbacks, run_sql: Sql
    ) -> None:
        phones = [f"+2547110000{number}" for number in range(10, 20)]
        for text in ("STOP", "START", "STOP", "START"):
            for phone in phones:
                provider.text_from(phone, text)
        start = threading.Barrier(4)

        def work() -> None:
            with app.app_context():
                start.wait()
                answer_received()
                db.session.remove()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        answer_received()  # a worker that found only phones in other hands has gone home

        assert run_sql("SELECT status, count(*) FROM inbound_sms GROUP BY 1") == [("answered", 40)]
        assert run_sql("SELECT event, count(*) FROM notifications GROUP BY 1 ORDER BY 1") == [
            ("reply_started", 20),
            ("reply_stopped", 20),
        ]
        assert run_sql(SUPPRESSED) == []

    def test_ring_again_for_what_one_job_does_not_do(self, app: Flask, provider: Callbacks) -> None:
        for _ in range(3):
            provider.text_from(PHONE, "HELP")
        Redis.from_url(app.config["REDIS_URL"]).flushall()

        assert (answer_received(limit=2), doorbell().depth(NOTIFY)) == (2, 1)
        assert answer_received() == 1

    def test_one_job_takes_no_longer_than_it_may(
        self, provider: Callbacks, monkeypatch: pytest.MonkeyPatch, run_sql: Sql
    ) -> None:
        monkeypatch.setattr(service, "RUN_SECONDS", -1)
        for _ in range(3):
            provider.text_from(PHONE, "HELP")

        assert answer_received() == 1
        assert run_sql("SELECT status FROM inbound_sms ORDER BY id") == [("answered",), ("received",), ("received",)]
