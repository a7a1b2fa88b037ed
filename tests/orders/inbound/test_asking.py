"""STATUS, and an order's number alone."""

from typing import Any

import pytest

from grocery.orders.tracking.links import find_link
from tests.notify.inbound.conftest import Ask, Sql
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot
from tests.orders.factories import move, place

PHONE = "+254712345678"
OTHER_PHONE = "+254722000002"


@pytest.fixture
def order(customer: Caller, flour: int) -> dict[str, Any]:
    return place(customer, {flour: 2})


def number_of(order: dict[str, Any]) -> str:
    return str(order["number"])


class TestStatus:
    @pytest.mark.parametrize(
        "text",
        [
            "STATUS {number}",
            "status {number}",
            "Status: {bare}!",
            "STATUS {tail}",
            "status G {tail}",
            "status of my order {number}, please",
            "STATUS",
            "Status please",
            "status of my order",
            "{number}",
            "{bare}",
        ],
    )
    def test_is_told_however_it_is_asked(self, ask: Ask, order: dict[str, Any], text: str) -> None:
        number = number_of(order)
        # A tail without a digit could be any word.
        tail = number[2:] if any(char.isdigit() for char in number) else number

        said = ask(text.format(number=number, bare=number.replace("-", ""), tail=tail).swapcase(), PHONE)

        assert said == f"Test Grocer: order {number} (KES 378): received. Track: {find_link(order['id'])}"

    @pytest.mark.parametrize("text", ["HALI {number}", "hali", "Hali ya oda {number}"])
    def test_is_told_in_swahili(self, ask: Ask, order: dict[str, Any], text: str) -> None:
        number = number_of(order)

        said = ask(text.format(number=number), PHONE)

        assert said == f"Test Grocer: oda {number} (KES 378): imepokelewa. Fuatilia: {find_link(order['id'])}"

    def test_is_in_the_customers_language(self, ask: Ask, order: dict[str, Any], run_sql: Sql) -> None:
        run_sql("UPDATE customers SET language = 'sw' WHERE phone = :phone", phone=PHONE)

        assert "imepokelewa" in (ask("STATUS", PHONE) or "")

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            ("confirmed", "confirmed"),
            ("packed", "packed"),
            ("shipped", "ready to collect"),
            ("delivered", "collected"),
            ("cancelled", "cancelled"),
        ],
    )
    def test_has_a_word_for_each_step(
        self, ask: Ask, staff: Caller, order: dict[str, Any], status: str, words: str
    ) -> None:
        move(staff, order, status)

        assert f"order {number_of(order)} (KES 378): {words}. Track: " in (ask("STATUS", PHONE) or "")

    def test_names_the_delivery_slot_and_fits_one_sms(self, ask: Ask, customer: Caller, flour: int) -> None:
        slot_id = make_slot()
        delivery = {"method": "delivery", "slot_id": slot_id, "address": "Moi Avenue 5", "phone": PHONE}
        order = place(customer, {flour: 2}, delivery=delivery)

        said = ask("STATUS", PHONE)

        assert said is not None
        assert f"order {number_of(order)} (" in said
        assert "): received. Delivery " in said
        assert len(said) <= 160

    def test_of_the_newest_order_when_none_is_named(self, ask: Ask, customer: Caller, flour: int) -> None:
        place(customer, {flour: 1})
        newest = place(customer, {flour: 2})

        assert number_of(newest) in (ask("STATUS", PHONE) or "")

    def test_of_an_old_order_only_by_its_number(self, ask: Ask, order: dict[str, Any], run_sql: Sql) -> None:
        run_sql("UPDATE orders SET placed_at = now() - interval '31 days'")

        assert ask("STATUS", PHONE) == (
            "Test Grocer: we find no order of the last 30 days for this phone. "
            "For an older one, reply STATUS and its number."
        )
        assert ": received." in (ask(f"STATUS {number_of(order)}", PHONE) or "")

    def test_changes_nothing_and_is_kept_with_order_and_customer(
        self, ask: Ask, customer: Caller, order: dict[str, Any], run_sql: Sql
    ) -> None:
        ask("STATUS", PHONE)

        assert run_sql("SELECT status, command, customer_id FROM inbound_sms") == [
            ("answered", "status", customer.person.id)
        ]
        assert run_sql("SELECT customer_id, order_id, priority FROM notifications WHERE event = 'reply_status'") == [
            (customer.person.id, order["id"], 1)
        ]
        assert customer.get(f"/orders/{order['id']}").json == order


class TestWhoMayAsk:
    def test_other_phones_get_what_an_unknown_number_gets(self, ask: Ask, order: dict[str, Any]) -> None:
        known = ask(f"STATUS {number_of(order)}", OTHER_PHONE)
        unknown = ask("STATUS G-777777", OTHER_PHONE)

        assert known is not None
        assert unknown == known.replace(number_of(order), "G-777777")
        assert unknown == (
            "Test Grocer: we find no order G-777777 for this phone. "
            "Please check the number, or reply STATUS for your newest order."
        )
        assert "no order of the last 30 days" in (ask("STATUS", OTHER_PHONE) or "")

    def test_phone_of_the_order_goes_before_that_of_the_account(self, ask: Ask, customer: Caller, flour: int) -> None:
        delivery = {"method": "delivery", "slot_id": make_slot(), "address": "Moi Avenue 5", "phone": OTHER_PHONE}
        number = number_of(place(customer, {flour: 1}, delivery=delivery))

        assert f"we find no order {number}" in (ask(f"STATUS {number}", PHONE) or "")
        assert "no order of the last 30 days" in (ask("STATUS", PHONE) or "")
        assert ": received." in (ask(f"STATUS {number}", OTHER_PHONE) or "")
        assert ": received." in (ask("STATUS", OTHER_PHONE) or "")

    @pytest.mark.parametrize("text", ["STATUS G-7K3M9O", "STATUS 12", "CANCEL 12345"])
    def test_what_can_be_no_number_is_unknown(self, ask: Ask, order: dict[str, Any], text: str) -> None:
        assert ask(text, PHONE) == (
            "Test Grocer: we find no such order for this phone. "
            "Please check the number, or reply STATUS for your newest order."
        )


@pytest.mark.parametrize("text", ["Where is G-7K3M9Q?", "market", "My status is fine", "No problem", "Hapana shida"])
def test_other_texts_are_left_for_people(ask: Ask, order: dict[str, Any], run_sql: Sql, text: str) -> None:
    assert "we did not understand" in (ask(text, PHONE) or "")
    assert run_sql("SELECT command FROM inbound_sms") == [(None,)]
