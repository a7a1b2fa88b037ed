"""The page of the checkout: what is asked, what is chosen already, and what it weighs."""

import re
from datetime import UTC, datetime

import brotli
import pytest

from tests.auth.factories import make_customer
from tests.orders.delivery.factories import book, make_slot, make_zone
from tests.orders.promotions.factories import make_promotion
from tests.products.factories import make_product
from tests.storefront.checkout.conftest import PLACE, Shopper, Sql
from tests.storefront.conftest import words_in
from tests.storefront.forms import read_form
from tests.storefront.parts import part_of


def test_an_empty_basket_leads_to_the_basket(visitor: Shopper, run_sql: Sql) -> None:
    answer = visitor.browser.get("/checkout")
    assert (answer.status_code, answer.location) == (303, "/basket")
    assert run_sql("SELECT count(*) FROM carts") == [(0,)]


def test_a_visitor_is_asked_for_the_phone_first_and_told_why(visitor: Shopper, bread: int, slot: int) -> None:
    visitor.put(bread)
    page = visitor.browser.get("/checkout").text
    assert "The rider calls this number. We send a code to it, to be sure that it is yours." in words_in(page)
    assert page.index('name="phone"') < page.index('name="landmark"')
    assert words_in(part_of(page, "place-order")) == "Continue · KSh 250"


def test_at_most_eight_inputs_are_in_sight(visitor: Shopper, bread: int, slot: int) -> None:
    make_zone(name="Kilimani")
    visitor.put(bread)
    page = visitor.browser.get("/checkout").text
    in_sight = re.sub(r"<details.*?</details>", "", page, flags=re.DOTALL)
    names = set(
        re.findall(r'<(?:input|select)[^>]*? name="(\w+)"', re.sub(r"<input type=\"hidden\"[^>]*>", "", in_sight))
    )
    assert names == {"phone", "method", "zone_id", "landmark", "address", "if_unavailable"}
    zone_id = read_form(page, "checkout-form").choices["zone_id"][-1]
    visitor.browser.post("/checkout/quote", {"zone_id": zone_id})
    assert len(names | {"slot_id"}) <= 8


def test_every_input_has_a_label(amina: Shopper, bread: int, slot: int) -> None:
    amina.put(bread)
    page = amina.browser.get("/checkout").text
    for tag in re.findall(r"<(?:input|select)[^>]*>", page):
        if 'type="hidden"' in tag:
            continue
        found = re.search(r' id="([^"]+)"', tag)
        is_named = f'<label for="{found[1]}"' in page if found else f'<label class="pick">{tag}' in page
        assert is_named, tag
    assert page.count("<h1>") == 1
    assert " style=" not in page


def test_times_stand_by_day_with_price_and_places_and_full_ones_cannot_be_chosen(
    amina: Shopper, bread: int, zone: int
) -> None:
    full, free, dear = (
        make_slot(zone, hours=hours, **more) for hours, more in ((24, {}), (26, {}), (28, {"fee_cents": 50_00}))
    )
    book(full, 5)
    closed = make_slot(zone, hours=30, cutoff_at=datetime.now(UTC))
    amina.put(bread)
    page = amina.browser.get("/checkout").text
    form = read_form(page, "checkout-form")
    assert form.choices["slot_id"] == [str(free), str(dear)]
    assert form.disabled["slot_id"] == [str(full)]
    assert form.fields["slot_id"] == str(free)
    assert str(closed) not in form.choices["slot_id"]
    slots = words_in(part_of(page, "checkout-slots"))
    assert "· full" in slots
    assert "· KSh 150 · 5 places left" in slots
    assert "· KSh 200 · 5 places left" in slots


def test_later_days_are_behind_a_summary(amina: Shopper, bread: int, zone: int) -> None:
    for hours in (24, 48, 72, 96):
        make_slot(zone, hours=hours)
    amina.put(bread)
    slots = part_of(amina.browser.get("/checkout").text, "checkout-slots")
    assert len(re.findall("<fieldset>", slots.split("<details>")[0])) == 2
    assert len(re.findall("<fieldset>", slots.split("<details>")[1])) == 2


def test_a_shop_with_one_area_asks_for_none(amina: Shopper, bread: int, slot: int) -> None:
    amina.put(bread)
    page = amina.browser.get("/checkout").text
    assert "We deliver in Westlands." in words_in(page)
    assert 'name="zone_id"' not in page


def test_a_shop_without_areas_delivers_anywhere(amina: Shopper, bread: int, run_sql: Sql) -> None:
    amina.put(bread)
    assert "We call you to agree on a time." in words_in(amina.browser.get("/checkout"))
    assert amina.place(**PLACE).status_code == 303
    assert run_sql("SELECT delivery_method, landmark, zone_id, slot_id, total_cents FROM orders") == [
        ("delivery", "near Shell, blue gate", None, None, 100_00)
    ]


def test_the_summary_has_every_line_of_the_quote(amina: Shopper, zone: int, slot: int) -> None:
    milk = make_product("Dairy", name="Milk", price_cents=116_00)
    make_promotion(name="Milk week", product_ids=[milk])
    amina.put(milk, 2)
    page = amina.browser.get("/checkout").text
    assert words_in(part_of(page, "checkout-sums")) == (
        "Your order 1 product 2 × Milk KSh 232 Change the basket Goods KSh 232 Milk week −KSh 23.20 "
        "Delivery KSh 150 Total KSh 358.80 VAT included KSh 49.49"
    )
    assert words_in(part_of(page, "place-order")) == "Place order · KSh 358.80"
    assert " disabled" not in part_of(page, "place-order")


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_what_people_write_is_escaped(amina: Shopper, zone: int, slot: int, name: str) -> None:
    amina.put(make_product(name=name))
    amina.browser.post("/checkout/quote", {"landmark": name, "note": name, "coupon": name[:40], "address": name})
    page = amina.browser.get("/checkout").text
    assert name not in page
    assert "&lt;" in page
    done = amina.browser.get(amina.place(coupon="", landmark=name, note=name).location).text
    assert name not in done


def test_thirty_lines_weigh_little(amina: Shopper, zone: int) -> None:
    for hours in range(8, 150, 4):
        make_slot(zone, hours=hours)
    for number in range(30):
        amina.put(make_product(name=f"Something with quite a long name, number {number}"))
    page = amina.browser.get("/checkout").text
    parts = {name: re.findall(rf'(?:href|src)="(/static/[^"]+\.{name})"', page) for name in ("css", "js", "svg")}
    files = {path: amina.browser.get(path).data for paths in parts.values() for path in paths}
    weights = {path: len(brotli.compress(data, quality=5)) for path, data in files.items()}
    html = len(brotli.compress(page.encode(), quality=5))
    assert html + sum(weights[path] for path in parts["css"]) <= 14_000
    assert sum(weights[path] for path in parts["js"]) <= 10_000
    assert html + sum(weights.values()) <= 40_000
    assert "<img" not in page
    assert len(files) + len(["html", "manifest"]) <= 6
    assert len(files[next(path for path in files if path.endswith("checkout.js"))]) <= 2_000


def test_nobody_sees_the_places_of_others(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    other = make_customer("Brian")
    run_sql("INSERT INTO addresses (customer_id, landmark) VALUES (:id, 'Secret gate')", id=other.id)
    amina.put(bread)
    assert "Secret gate" not in amina.browser.get("/checkout").text
