"""Offers, best sellers and delivery times: for any phone."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.fakes.africastalking import UssdPhone
from tests.notify.ussd.phones import STRANGER, phone_of
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import book, make_slot, make_zone
from tests.orders.factories import move, place
from tests.orders.ussd.walking import MAIN_EN, dial, times, window
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def stranger(app: Flask, context: None) -> UssdPhone:
    return phone_of(app, STRANGER)


def entries(phone: UssdPhone, *keys: str) -> list[str]:
    """The lines of all pages of a list, without title and ways out."""
    screens = [dial(phone, *keys)]
    while "98 More" in screens[-1]:
        screens.append(phone.press("98"))
    return [line for screen in screens for line in screen.split("\n")[1:] if line[:2] not in ("0 ", "98")]


def test_offers_by_how_much_cheaper_they_are(stranger: UssdPhone) -> None:
    make_product(name="Milk 500ml", price_cents=60_00, compare_at_price_cents=65_00)
    make_product(name="Tilapia", unit="kg", price_cents=450_50, compare_at_price_cents=901_00)
    make_product(name="Bread", price_cents=70_00)
    make_product(name="Sold out", price_cents=1_00, compare_at_price_cents=100_00, stock=0)
    make_product(name="Withdrawn", price_cents=1_00, compare_at_price_cents=100_00, is_active=False)
    assert dial(stranger, "3") == "Offers (KES):\nTilapia 450.50/kg (was 901)\nMilk 500ml 60 (was 65)\n0 Back"
    assert stranger.press("0") == MAIN_EN


def test_twenty_offers_are_enough_for_a_small_screen(stranger: UssdPhone) -> None:
    for number in range(25):
        make_product(name=f"Offer {number:02}", price_cents=50_00 + number, compare_at_price_cents=100_00)
    assert entries(stranger, "3") == [
        f"Offer {number:02} 50{f'.{number:02}' if number else ''} (was 100)" for number in range(20)
    ]


def test_a_page_has_five_and_more_leads_on_and_nowhere_after_the_last(stranger: UssdPhone) -> None:
    for number in range(7):
        make_product(name=f"Offer {number}", price_cents=50_00, compare_at_price_cents=100_00)
    assert dial(stranger, "3") == (
        "Offers (KES):\nOffer 0 50 (was 100)\nOffer 1 50 (was 100)\nOffer 2 50 (was 100)\nOffer 3 50 (was 100)\n"
        "Offer 4 50 (was 100)\n98 More\n0 Back"
    )
    last = "Offers (KES):\nOffer 5 50 (was 100)\nOffer 6 50 (was 100)\n0 Back"
    assert stranger.press("98") == last
    assert stranger.press("98") == f"That is not on the list.\n{last}"
    assert stranger.press("0") == MAIN_EN


def test_long_names_leave_room_for_the_price(stranger: UssdPhone) -> None:
    name = "Ngũgĩ’s “best” tomatoes from the farm of his cousin"
    make_product(name=name, price_cents=9_00, compare_at_price_cents=10_00)
    assert dial(stranger, "3") == 'Offers (KES):\nNgugi\'s "best" tomatoes from t.. 9 (was 10)\n0 Back'


def test_nothing_on_offer_is_said(stranger: UssdPhone) -> None:
    assert dial(stranger, "3") == "There are no offers today.\n0 Back"


def test_best_sellers_are_in_most_orders(
    stranger: UssdPhone, customer: Caller, staff: Caller, flour: int, soap: int, beef: int, run_sql: Sql
) -> None:
    bread = make_product(name="Bread", price_cents=70_00)
    gone = make_product(name="Gone", stock=2)
    place(customer, {flour: 1, beef: 0.25})
    place(customer, {flour: 1, beef: 0.25, gone: 1})
    place(customer, {flour: 1, gone: 1})
    place(customer, {soap: 9})
    move(staff, place(customer, {bread: 1}), "cancelled")
    assert dial(stranger, "4") == "Best sellers (KES):\nMaize Flour 189\nBeef 119.90/kg\nSoap 116\n0 Back"


def test_a_new_shop_has_no_best_sellers(stranger: UssdPhone, flour: int) -> None:
    assert dial(stranger, "4") == "There are no best sellers yet.\n0 Back"


def test_times_of_the_only_zone_with_what_is_left(stranger: UssdPhone) -> None:
    zone = make_zone()
    first, full, closed, dear = (make_slot(zone, **times(days, 10)) for days in (3, 4, 5, 6))
    make_slot(zone, **{**times(7, 10), "cutoff_at": times(-1, 10)["cutoff_at"]})
    book(first, 2)
    book(full, 5)
    assert closed
    assert dial(stranger, "5") == (
        f"Next delivery times:\n{window(first)}, 3 left\n{window(closed)}, 5 left\n{window(dear)}, 5 left\n0 Back"
    )


def test_today_and_tomorrow_are_called_so(stranger: UssdPhone) -> None:
    zone = make_zone()
    today, tomorrow = times(0, 0), times(1, 8)
    make_slot(zone, **{**today, "ends_at": times(1, 0)["starts_at"], "cutoff_at": times(1, 0)["starts_at"]})
    make_slot(zone, **tomorrow, fee_cents=50_00)
    assert dial(stranger, "5") == (
        "Next delivery times:\nToday 00:00-00:00, 5 left\nTomorrow 08:00-10:00, KES 50, 5 left\n0 Back"
    )


def test_of_several_zones_one_is_chosen_first(stranger: UssdPhone) -> None:
    kilimani, westlands = make_zone(name="Kilimani"), make_zone(name="Westlands")
    slot = make_slot(westlands, **times(3, 10))
    make_slot(kilimani, **times(2, 10))
    assert dial(stranger, "5") == "Delivered where?\n1 Kilimani\n2 Westlands\n0 Back"
    assert stranger.press("2") == f"Next delivery times:\n{window(slot)}, 5 left\n0 Back 00 Main menu"
    assert stranger.press("0") == "Delivered where?\n1 Kilimani\n2 Westlands\n0 Back"


def test_many_zones_are_paged_and_chosen_by_their_number(stranger: UssdPhone) -> None:
    zones = [make_zone(name=f"Zone {letter}") for letter in "abcdefg"]
    slot = make_slot(zones[6], **times(3, 10))
    dial(stranger, "5")
    assert stranger.press("7").startswith("That is not on the list.")
    assert stranger.press("98") == "Delivered where?\n6 Zone f\n7 Zone g\n0 Back"
    assert window(slot) in stranger.press("7")


def test_no_zone_and_no_time_are_said(stranger: UssdPhone) -> None:
    assert dial(stranger, "5") == "No delivery time is free now.\n0 Back"
    make_zone()
    assert dial(stranger, "5") == "No delivery time is free now.\n0 Back"
