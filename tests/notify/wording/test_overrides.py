"""The shop's own texts in the database: what may be written, and that a message goes out whatever stands there."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.app import create_app
from grocery.config import Settings
from grocery.db import db, transaction
from grocery.notify.service import Message, queue_messages
from grocery.notify.wording import overrides
from grocery.notify.wording.catalogue import TextKey
from grocery.notify.wording.errors import BadSourceError, OwnTextNotFoundError
from grocery.notify.wording.kept import KeptTexts, read_texts
from grocery.notify.wording.samples import USUAL, Shop, make_samples
from grocery.notify.wording.texts import render
from tests.notify.clients import PHONE
from tests.notify.test_queueing import statements
from tests.notify.wording.conftest import RunSql, Write
from tests.orders.conftest import caller
from tests.orders.factories import place
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")

CODE = TextKey("sign_in_code", "customer", "sms", "en")
OFFER = TextKey("campaign", "customer", "sms", "sw")
SMS = TextKey("order_placed", "customer", "sms", "en")
EMAIL = SMS._replace(channel="email")
SOURCE = "{{ shop }}: asante, {{ order.number }}!"
BUILT_IN = "Test Grocer: order G-7K3M9Q received, KES 1,250. We text you when it is on its way. Thank you!"

CONTEXT = {**make_samples("order_placed", Shop("Test Grocer", None, "KES"))[USUAL]}


def body(key: TextKey = SMS) -> str:
    return render(key.event, key.audience, key.channel, CONTEXT, key.language).body


def set_text(source: str, key: TextKey = SMS, **kwargs: Any) -> None:
    with transaction():
        overrides.set_text(key, source, **kwargs)


def kept_rows(run_sql: RunSql) -> list[tuple[Any, ...]]:
    return run_sql("SELECT event, audience, channel, language, source FROM text_overrides")


class TestWriting:
    def test_own_text_is_used_at_once_in_its_language_and_channel_only(self, run_sql: RunSql) -> None:
        assert body() == BUILT_IN
        others = [body(EMAIL), body(SMS._replace(language="sw"))]

        set_text(SOURCE)

        assert body() == "Test Grocer: asante, G-7K3M9Q!"
        assert [body(EMAIL), body(SMS._replace(language="sw"))] == others
        assert kept_rows(run_sql) == [(*SMS, SOURCE)]

    def test_own_text_is_replaced_and_removed(self, run_sql: RunSql) -> None:
        set_text(SOURCE)
        set_text("{{ shop }} 2")
        assert body() == "Test Grocer 2"

        with transaction():
            overrides.remove_text(SMS)

        assert body() == BUILT_IN
        assert kept_rows(run_sql) == []
        with pytest.raises(OwnTextNotFoundError), transaction():
            overrides.remove_text(SMS)

    def test_text_of_a_transaction_that_is_rolled_back_is_never_used(self, run_sql: RunSql) -> None:
        def write_and_fail() -> None:
            with transaction():
                overrides.set_text(SMS, SOURCE)
                assert body() == BUILT_IN
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            write_and_fail()

        assert body() == BUILT_IN
        assert kept_rows(run_sql) == []

    @pytest.mark.parametrize(
        ("key", "source", "problem"),
        [
            (SMS, " \n ", "The text is empty."),
            (SMS, "{% if false %}{% endif %}", "The text is empty. (with the values of the variant usual)"),
            (SMS, "x" * 5001, "It has 5001 characters; 5000 at the most are allowed."),
            (SMS, "Hello\n{{ shop }", "Line 2: unexpected '}'"),
            (
                SMS,
                "{{ colour }}",
                "Line 1: there is no value colour; there are change, customer, is_tight, note, order, picking, shop, "
                "track_url, url",
            ),
            (EMAIL, "Subject: A\n\n{{ is_tight }}", "Line 3: there is no value is_tight; there are change, customer, "),
            (SMS, "a\n{{ order.colour }}", "Line 2: there is no value colour (with the values of the variant usual)"),
            (
                SMS,
                "{{ shop }}{% if order.slot %}\n\n{{ order.slot.day }}{% endif %}",
                "Line 3: there is no value day (with the values of the variant slot)",
            ),
            (SMS, "{{ order.lines - 1 }}", "Line 1: unsupported operand"),
            (SMS, "{{ shop|truncate(2) }}", "Line 1: expected length >= 3, got 2"),
            (SMS, "{{ shop|truncate('a') }}", "Line 1: '>=' not supported"),
            (SMS, "{{ order|upper }}{{ shop.title|first }}{{ 5|short(2) }}", "Line 1: "),
            (SMS, "{{ order.lines[0].name }}", "Line 1: there is no value 0 (with the values of the variant bare)"),
            (SMS, "x" * 460, "It takes 4 SMS; 3 at the most are allowed. (with the values of the variant usual)"),
            (SMS, "ĩ" * 202, "It takes 4 SMS; 3 at the most are allowed. (with the values of the variant usual)"),
            (EMAIL, "Hello", "An e-mail begins with a line"),
            (EMAIL, "Subject: Hello", "The text is empty."),
            (EMAIL, "Subject: Hello\nNo empty line", "An e-mail begins with a line"),
            (EMAIL, "Subject: Hello\nBcc: a@example.com\n\nBody", "An e-mail begins with a line"),
            (EMAIL, "Subject: {{ note }}\n\nBody", "Line 1: a value is missing at times; write {% if … %} around it"),
            (SMS, "{{ shop }}\n{{ note }}", "Line 2: a value is missing at times"),
            (CODE, "{{ shop }}: here is your code!", "The code itself is missing: {{ code }}."),
            (OFFER, "{{ shop }}: come! ACHA OFA", "The offer itself is missing: {{ text }}."),
            (OFFER, "{{ text }}", "It does not say how to get no more offers: STOP OFFERS or ACHA OFA."),
            (OFFER._replace(channel="email"), "Subject: A\n\n{{ text }}", "The offer itself is missing: {% for"),
            (EMAIL, "Hello\n\nSubject: A\n\nBody", "An e-mail begins with a line"),
        ],
    )
    def test_text_that_cannot_be_used_is_refused_and_changes_nothing(
        self, run_sql: RunSql, key: TextKey, source: str, problem: str
    ) -> None:
        set_text(SOURCE)

        with pytest.raises(BadSourceError) as caught:
            set_text(source, key)

        assert caught.value.members["errors"]["source"][0].startswith(problem)
        assert kept_rows(run_sql) == [(*SMS, SOURCE)]

    def test_text_may_take_three_sms_and_says_so(self) -> None:
        described = overrides.check_source(SMS, "{{ shop }} “" + "x" * 170)

        [usual, *_] = described["previews"]
        assert (usual["encoding"], usual["length"], usual["parts"]) == ("UCS-2", 183, 3)
        assert usual["outside_gsm7"] == ("“",)
        assert described["warnings"][:2] == ["usual: “ cannot be sent in GSM-7.", "usual: takes 3 SMS."]

    def test_line_ends_of_windows_are_read_as_any_other(self) -> None:
        [usual, *_] = overrides.check_source(EMAIL, "Subject: A\r\n\r\n{{ shop }}\r\nKaribu")["previews"]

        assert (usual["subject"], usual["body"]) == ("A", "Test Grocer\nKaribu\n")


class TestUsing:
    def test_values_are_cleaned_and_never_read_as_a_template(self, write: Write) -> None:
        write("Subject: {{ order.note }}\n\n{{ order.note }}", channel="email")
        order = {**CONTEXT["order"], "note": "{{ 7 * 7 }}\nBcc: thief@example.com"}
        text = render("order_placed", "customer", "email", {**CONTEXT, "order": order})

        assert text.subject == "{{ 7 * 7 }} Bcc: thief@example.com"

    def test_sms_of_its_own_is_cut_where_it_says_so(self, write: Write) -> None:
        write("{{ shop|short(10) }}: {{ order.number }} " + "x" * 142)

        assert body() == f"Test Gro..: G-7K3M9Q {'x' * 142}"

    @pytest.mark.parametrize(
        "source",
        [
            "{{ broken",
            "{{ colour }}",
            "{{ order.colour.shade }}",
            "{% for i in range(10**9) %}{% endfor %}",
            "{{ ''.__class__.__mro__ }}",
            "{{ 1 + shop }}",
            "",
            "x" * 1000,
            "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        ],
    )
    def test_broken_own_text_never_stops_a_message(
        self, write: Write, run_sql: RunSql, caplog: pytest.LogCaptureFixture, source: str
    ) -> None:
        write(source)
        with transaction():
            queue_messages([Message("sms", "order_placed", "customer", PHONE, CONTEXT, "1:sms")])

        assert run_sql("SELECT body FROM notifications") == [(BUILT_IN,)]
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert caplog.messages[0].startswith("the shop's own texts, en/order_placed.customer.sms: ")

    def test_own_email_without_a_subject_never_stops_a_message(self, write: Write) -> None:
        write("{{ shop }}", channel="email")

        text = render("order_placed", "customer", "email", CONTEXT)

        assert text.subject == "We have your order G-7K3M9Q - thank you!"

    def test_unusual_value_that_makes_an_sms_too_dear_brings_the_programs_text(self, write: Write) -> None:
        write("{{ shop }}: {{ order.number }} {{ note or '' }}", event="order_cancelled")

        def cancelled(note: str) -> str:
            return render("order_cancelled", "customer", "sms", {**CONTEXT, "note": note}).body

        assert cancelled("Sorry") == "Test Grocer: G-7K3M9Q Sorry"
        assert cancelled("sorry " * 100).startswith("Test Grocer: order G-7K3M9Q was cancelled. sorry")

    def test_order_is_placed_in_spite_of_a_broken_text_and_told_with_the_shops_own(
        self, write: Write, client: FlaskClient, run_sql: RunSql
    ) -> None:
        write("{{ broken")
        write("Subject: Asante {{ customer.name }}\n\n{{ order.total }}", channel="email")
        amina = caller(client, name="Amina", email="amina@example.com", phone=PHONE)

        number = place(amina, {make_product(stock=5, price_cents=60_00): 1})["number"]

        told = run_sql(
            "SELECT channel, subject, body FROM notifications WHERE customer_id IS NOT NULL ORDER BY channel"
        )
        assert told[0] == ("email", "Asante Amina", "KES 60\n")
        assert told[1][2].startswith(f"Test Grocer: order {number} received, KES 60.")

    def test_table_that_cannot_be_read_never_stops_a_message(
        self, app: Flask, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail() -> dict[TextKey, str]:
            raise OSError("the database is away")

        monkeypatch.setitem(app.extensions, "own_texts", KeptTexts(fail))
        with transaction():
            queue_messages([Message("sms", "order_placed", "customer", PHONE, CONTEXT, "1:sms")])

        assert run_sql("SELECT body FROM notifications") == [(BUILT_IN,)]
        assert len(caplog.messages) == 1

    def test_messages_cost_the_callers_connection_nothing_more(self, write: Write) -> None:
        write(SOURCE)
        with statements() as cold, transaction():
            queue_messages([Message("sms", "order_placed", "customer", PHONE, CONTEXT, "1:sms")])
        with statements() as warm, transaction():
            queue_messages([Message("sms", "order_placed", "customer", PHONE, CONTEXT, "2:sms")])

        assert [len(cold), len(warm)] == [1, 1]


class TestProcesses:
    """Two apps are two processes for what each keeps."""

    @pytest.fixture
    def other(self, migrated_app: Flask, settings: Settings) -> Any:
        other = create_app(settings)
        yield other
        with other.app_context():
            db.engine.dispose()
            other.extensions["reads"].dispose()

    def test_another_process_uses_a_new_text_when_its_own_are_no_longer_fresh(self, other: Flask) -> None:
        now = 1000.0
        with other.app_context():
            other.extensions["own_texts"] = KeptTexts(read_texts, clock=lambda: now)
            assert body() == BUILT_IN

        set_text(SOURCE)

        assert body() == "Test Grocer: asante, G-7K3M9Q!"
        with other.app_context():
            assert body() == BUILT_IN
            now += 15
            assert body() == "Test Grocer: asante, G-7K3M9Q!"

    def test_threads_that_write_and_send_at_once_see_whole_texts(self, app: Flask, other: Flask) -> None:
        texts = [f"{{{{ shop }}}} {number} {number}" for number in range(6)]
        whole = {BUILT_IN, *(f"Test Grocer {number} {number}" for number in range(6))}

        def write_all() -> None:
            with app.app_context():
                for text in texts:
                    set_text(text)
                    assert body() in whole

        def send(of: Flask) -> set[str]:
            seen = set()
            deadline = time.monotonic() + 0.5
            with of.app_context():
                while time.monotonic() < deadline:
                    seen.add(body())
            return seen

        with ThreadPoolExecutor(4) as pool:
            written: list[Any] = [pool.submit(write_all)]
            sent = [pool.submit(send, of) for of in (app, app, other)]
            seen = set().union(*(future.result(20) for future in sent))
            written[0].result(20)

        assert seen <= whole
        assert body() == "Test Grocer 5 5"
        with other.app_context():
            other.extensions["own_texts"].forget()
            assert body() == "Test Grocer 5 5"
