"""The link in messages: in an SMS only where one part has room for it."""

from typing import Any

import pytest

from grocery.notify.wording import gsm7
from grocery.notify.wording.texts import render
from tests.notify.factories import PICKUP, SLOT, order_context
from tests.orders.conftest import Caller
from tests.orders.factories import place
from tests.products.factories import make_product

LINK = "https://shop.example.com/t/4f2a-0123456789abcdef"


@pytest.mark.parametrize("shop", ["Test Grocer", "Mama Wanjiku Fresh Foods"])
@pytest.mark.parametrize("event", ["order_placed", "order_shipped"])
@pytest.mark.parametrize("place", [{}, PICKUP, {"slot": SLOT}])
def test_sms_has_the_link_and_is_still_one_part(event: str, shop: str, place: dict[str, Any]) -> None:
    body = render(event, "customer", "sms", order_context(shop=shop, track_url=LINK, order=place)).body
    assert body.endswith(f" Track: {LINK}")
    assert gsm7.is_gsm7(body)
    assert gsm7.parts(body) == 1


@pytest.mark.parametrize("event", ["order_placed", "order_shipped"])
def test_sms_without_room_is_what_it_was_without_the_link(event: str) -> None:
    shop = {"shop": "Mama Wanjiku's Fresh Fruit, Vegetable & Household Supermarket"}
    long = render(event, "customer", "sms", order_context(**shop, track_url=f"https://{'very-' * 12}long.example")).body
    assert "Track" not in long
    assert gsm7.parts(long) == 1
    assert long.endswith((" Thank you!", "Total: KES 1,250."))


@pytest.mark.parametrize("event", ["order_placed", "order_confirmed", "order_packed", "order_shipped", "order_changed"])
def test_email_has_the_link_above_the_shop(event: str) -> None:
    body = render(event, "customer", "email", order_context(track_url=LINK)).body
    assert body.endswith(f"\n\nFollow your order:\n{LINK}\n\nTest Grocer\nhttp://shop.example\n")
    assert "\n\n\n" not in body
    assert "Follow" not in render(event, "customer", "email", order_context()).body


@pytest.mark.parametrize("event", ["order_delivered", "order_cancelled"])
def test_what_is_over_is_not_followed(event: str) -> None:
    assert LINK not in render(event, "customer", "email", order_context(track_url=LINK)).body


def test_messages_of_an_order_have_its_link_and_admins_do_not(customer: Caller, run_sql: object) -> None:
    place(customer, {make_product(): 1})
    rows = run_sql("SELECT channel, recipient, body LIKE '%http://shop.example/t/%' FROM notifications")  # type: ignore[operator]
    assert sorted(rows) == [
        ("email", "amina@example.com", True),
        ("email", "owner@shop.example", False),
        ("sms", "+254712345678", True),
    ]
