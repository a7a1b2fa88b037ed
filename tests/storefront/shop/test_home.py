"""The home page: delivery, buying again, categories, offers, what is new."""

import re
from decimal import Decimal

import pytest

from tests.auth.factories import make_customer, sign_in
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import in_hours, make_slot, make_zone
from tests.orders.factories import place
from tests.products.factories import make_category, make_product
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.shop.cards import names_on

SCRIPT = "<script>alert(1)</script>"


def test_an_empty_shop_says_so_and_has_no_empty_sections(browser: Browser) -> None:
    page = browser.get("/")
    assert page.status_code == 200
    words = words_in(page)
    assert "The shelves are being filled" in words
    assert "Order here, collect in the shop" in words
    for heading in ("Categories", "On offer", "New in the shop", "Buy again"):
        assert f">{heading}</h2>" not in page.text


def test_the_one_area_is_told_with_fee_minimum_and_next_free_slot(browser: Browser) -> None:
    zone = make_zone(name="Kilimani", fee_cents=150_00, min_basket_cents=500_00, free_from_cents=3000_00)
    make_slot(zone, hours=2, capacity=1, booked=1)
    make_slot(zone, hours=3, cutoff_at=in_hours(-1))
    make_slot(zone, hours=26, fee_cents=50_00)
    words = words_in(browser.get("/"))
    assert "Next delivery: " in words
    assert "Kilimani · Delivery KSh 200 · free from KSh 3,000 · orders from KSh 500" in words
    assert "Where we deliver" not in words


@pytest.mark.parametrize(
    ("is_slot_required", "said"),
    [(True, "All delivery times are taken at the moment"), (False, "We agree the time by phone")],
)
def test_no_free_slot_is_said_in_words(browser: Browser, is_slot_required: bool, said: str) -> None:
    zone = make_zone(name="Kilimani", fee_cents=0, is_slot_required=is_slot_required)
    make_slot(zone, hours=2, capacity=0)
    words = words_in(browser.get("/"))
    assert said in words
    assert "Kilimani · Free delivery" in words
    assert "Next delivery:" not in words


def test_of_several_areas_the_soonest_slot_is_told_and_each_area_with_its_costs(browser: Browser) -> None:
    later, sooner = make_zone(name="Karen"), make_zone(name="Westlands", fee_cents=100_00)
    make_slot(later, hours=72)
    make_slot(sooner, hours=25)
    page = browser.get("/")
    words = words_in(page)
    assert "Karen : Delivery KSh 150" in words
    assert "Westlands : Delivery KSh 100" in words
    told = re.findall(r"Next delivery: ((?:\w+ )+\d\d:\d\d–\d\d:\d\d)", words)
    assert len(told) == 3
    assert told[0] == told[2] != told[1]


def test_the_area_of_the_usual_address_comes_first(browser: Browser, run_sql: Sql) -> None:
    make_zone(name="Karen")
    own = make_zone(name="Westlands", fee_cents=120_00)
    amina, other = make_customer(name="Amina"), make_customer(name="Brian")
    for person in (amina, other):
        run_sql(
            "INSERT INTO addresses (customer_id, zone_id, is_default) VALUES (:id, :zone, :is_default)",
            id=person.id,
            zone=own,
            is_default=person is amina,
        )
    browser.sign_in(amina)
    assert "Westlands · Delivery KSh 120" in words_in(browser.get("/"))
    browser.sign_in(other)
    assert "Westlands · Delivery KSh 120" not in words_in(browser.get("/"))


def test_what_was_bought_most_comes_again_in_stock_first(browser: Browser, customer: Caller, run_sql: Sql) -> None:
    milk, bread, soap, eggs = (make_product(name=name) for name in ("Milk", "Bread", "Soap", "Eggs"))
    place(customer, {milk: 1, bread: 1})
    place(customer, {bread: 1, eggs: 1})
    place(customer, {eggs: 1, bread: 1})
    cancelled = place(customer, {soap: 1})
    assert customer.post(f"/orders/{cancelled['id']}/cancel").status_code == 200
    run_sql("UPDATE products SET is_active = false WHERE id = :id", id=milk)
    run_sql("UPDATE products SET stock = 0 WHERE id = :id", id=bread)
    browser.sign_in(customer.person)
    page = browser.get("/")
    again = page.text.split(">Buy again</h2>")[1].split("</section>")[0]
    assert re.findall(r'<a href="/p/\d+-(\w+)">', again) == ["eggs", "bread"]
    assert len(names_on(page)) == len(set(names_on(page))), "no product stands on the page twice"


def test_a_visitor_has_nothing_to_buy_again(browser: Browser, customer: Caller) -> None:
    place(customer, {make_product(): 1})
    assert "Buy again" not in browser.get("/").text


def test_offers_are_those_that_save_most_and_are_in_stock(browser: Browser) -> None:
    make_product(name="Rice", price_cents=90_00, compare_at_price_cents=100_00)
    make_product(name="Oil", price_cents=50_00, compare_at_price_cents=100_00)
    make_product(name="Gone", price_cents=10_00, compare_at_price_cents=100_00, stock=0)
    make_product(name="Usual")
    page = browser.get("/")
    offers = page.text.split(">On offer</h2>")[1].split("</section>")[0]
    assert re.findall(r'<a href="/p/\d+-(\w+)">', offers) == ["oil", "rice"]
    newest = page.text.split(">New in the shop</h2>")[1].split("</section>")[0]
    assert re.findall(r'<a href="/p/\d+-(\w+)">', newest) == ["usual"]


def test_categories_are_tiles_with_a_drawing(browser: Browser) -> None:
    category = make_category("Dairy & Eggs")
    make_category("Dairy & Eggs/Milk")
    page = browser.get("/").text
    assert f'href="/c/{category}-dairy-eggs"' in page
    assert "drawings.svg#egg" in page
    assert "/c/" not in page.split("</section>")[1]


def test_names_are_text_and_not_markup(browser: Browser) -> None:
    make_zone(name=SCRIPT)
    make_product(SCRIPT.replace("/", "|"), name=SCRIPT, compare_at_price_cents=200_00, stock=Decimal(3))
    page = browser.get("/").text
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 2


def test_a_token_in_a_header_signs_nobody_in_on_pages(browser: Browser, customer: Caller) -> None:
    place(customer, {make_product(): 1})
    page = browser.get("/", headers=sign_in(customer.person))
    assert "Buy again" not in page.text
    assert "Sign in" in page.text
