"""The page of the basket: what has changed meanwhile, wishes, sums, and emptying it."""

from typing import Any

import pytest

from tests.auth.factories import make_customer
from tests.storefront.basket.conftest import Items, Sql, put
from tests.storefront.conftest import Browser
from tests.storefront.conftest import words_in as text_of
from tests.storefront.parts import part_of


def row_of(browser: Browser, product_id: int) -> str:
    return part_of(browser.get("/basket").text, f"row-{product_id}")


def make_zone(run_sql: Sql, name: str = "Town", **values: Any) -> None:
    row = {"fee_cents": 150_00, "min_basket_cents": None, "free_from_cents": None, **values}
    run_sql(
        "INSERT INTO delivery_zones (name, fee_cents, min_basket_cents, free_from_cents) "
        "VALUES (:name, :fee_cents, :min_basket_cents, :free_from_cents)",
        name=name,
        **row,
    )


def test_an_empty_basket_shows_the_way_on_and_nothing_to_pay(browser: Browser) -> None:
    page = browser.get("/basket")
    assert page.status_code == 200
    assert text_of(part_of(page.text, "basket-sums")) == "Your basket is empty. Look what is fresh"
    assert "Checkout" not in page.text
    assert text_of(part_of(page.text, "basket-bar")) == ""


def test_a_row_says_what_it_is_and_what_it_costs(browser: Browser, bread: int, beef: int) -> None:
    put(browser, bread, 2)
    put(browser, beef, "0.75")
    assert text_of(row_of(browser, bread)) == (
        "Brown bread KSh 65 KSh 130 − 2 + Remove If it is not there: closest product "
        "The closest product, same price or less Call me Leave it out Save"
    )
    assert text_of(row_of(browser, beef)).startswith(
        "Beef KSh 800/kg KSh 600 − How much of Beef (kg) kg Change + Remove"
    )


def test_more_than_five_pieces_are_typed(browser: Browser, bread: int) -> None:
    put(browser, bread, 5)
    assert f'id="quantity-{bread}"' not in row_of(browser, bread)
    put(browser, bread, 6)
    assert f'<input id="quantity-{bread}" name="quantity" value="6"' in row_of(browser, bread)


def test_another_price_is_told_old_and_new_until_it_is_taken(browser: Browser, bread: int, run_sql: Sql) -> None:
    put(browser, bread, 2)
    run_sql("UPDATE products SET price_cents = 7050")
    assert "Price changed: KSh 65 → KSh 70.50 All right" in text_of(row_of(browser, bread))
    put(browser, bread, 2, where="basket")
    assert "Price changed" not in row_of(browser, bread)


@pytest.mark.parametrize(
    ("stock", "notice", "offered"),
    [
        ("1.6", "Only 1.6 kg left Take 1.5 kg", "1.5"),
        ("0.25", "Only 0.25 kg left Take 0.25 kg", "0.25"),
        ("0.1", "Sold out for now See similar", None),
        ("0", "Sold out for now See similar", None),
    ],
)
def test_too_little_in_stock_offers_what_is_there(
    browser: Browser, beef: int, run_sql: Sql, stock: str, notice: str, offered: str | None
) -> None:
    put(browser, beef, 2)
    run_sql("UPDATE products SET stock = :stock", stock=stock)
    row = row_of(browser, beef)
    assert notice in text_of(row)
    assert (f'<button name="quantity" value="{offered}" aria-label="Take' in row) == (offered is not None)
    assert "1 product needs a look before you order: Beef" in text_of(browser.get("/basket").text)


def test_another_step_offers_the_next_smaller_quantity(browser: Browser, beef: int, run_sql: Sql) -> None:
    put(browser, beef, "1.25")
    run_sql("UPDATE products SET quantity_step = 0.5")
    assert "Sold in steps of 0.5 kg Take 1 kg" in text_of(row_of(browser, beef))


def test_one_zone_says_what_is_missing_to_its_minimum_and_to_free_delivery(
    browser: Browser, bread: int, run_sql: Sql
) -> None:
    make_zone(run_sql, min_basket_cents=100_00, free_from_cents=200_00)
    put(browser, bread, 1)
    assert "KSh 35 more to reach KSh 100" in text_of(browser.get("/basket").text)
    put(browser, bread, 2)
    assert "KSh 70 more to free delivery" in text_of(browser.get("/basket").text)
    put(browser, bread, 4)
    assert "Delivery is free" in text_of(browser.get("/basket").text)
    make_zone(run_sql, "Hills")
    page = text_of(browser.get("/basket").text)
    assert "more to" not in page
    assert "Delivery is free" not in page


def test_discounts_are_listed_and_taken_off(browser: Browser, bread: int, run_sql: Sql) -> None:
    run_sql("INSERT INTO promotions (name, kind, scope, value) VALUES ('Bread <week>', 'percent', 'basket', 10)")
    put(browser, bread, 2)
    page = browser.get("/basket").text
    assert "Bread <week> −KSh 13 Total without delivery KSh 117" in text_of(part_of(page, "basket-sums"))
    assert "Checkout · KSh 117" in text_of(page)
    assert "<week>" not in page


def test_one_wish_is_for_all_that_is_in_and_all_that_comes(
    browser: Browser, bread: int, beef: int, run_sql: Sql
) -> None:
    def wishes() -> list[tuple[Any, ...]]:
        return run_sql("SELECT product_id, if_unavailable FROM cart_items ORDER BY product_id")

    put(browser, bread, 1)
    assert wishes() == [(bread, "substitute")]
    answer = browser.post("/basket/wish", {"if_unavailable": "call"})
    assert (answer.status_code, answer.location) == (303, "/basket")
    put(browser, beef, 1)
    assert wishes() == [(bread, "call"), (beef, "call")]
    browser.post("/basket/wish", {"if_unavailable": "remove", "product_id": str(beef)})
    put(browser, beef, 2)
    put(browser, bread, 2)
    assert wishes() == [(bread, "call"), (beef, "remove")]


def test_the_script_gets_the_rows_whose_wish_has_changed(browser: Browser, bread: int, beef: int) -> None:
    put(browser, bread, 1)
    put(browser, beef, 1)
    sent = {"if_unavailable": "call", "product_id": str(beef)}
    one = browser.post("/basket/wish", sent, headers={"X-Parts": "1"}).text
    assert "If it is not there: call me" in text_of(part_of(one, f"row-{beef}"))
    assert "<details open>" in one
    assert part_of(one, f"row-{bread}") == part_of(one, "basket-wish") == ""
    every = browser.post("/basket/wish", {"if_unavailable": "remove"}, headers={"X-Parts": "1"}).text
    assert text_of(every).count("If it is not there: leave it out") == 3  # two rows, and what is read out
    assert 'value="remove" data-key="usual-remove" checked' in part_of(every, "basket-wish")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"if_unavailable": "steal"},
        {"if_unavailable": ""},
        {"if_unavailable": "call", "product_id": "abc"},
        {"if_unavailable": "call", "product_id": ""},
        {"if_unavailable": "call", "product_id": "0"},
        {"if_unavailable": "call", "product_id": "-1"},
        {"if_unavailable": "call", "product_id": "9" * 25},
        {"if_unavailable": "call", "product_id": "9" * 5000},
        {"if_unavailable": "call", "product_id": "²"},
    ],
)
def test_wishes_that_there_are_not_change_nothing(
    browser: Browser, bread: int, run_sql: Sql, fields: dict[str, str]
) -> None:
    put(browser, bread, 1)
    assert browser.post("/basket/wish", fields).status_code == 400
    assert run_sql("SELECT if_unavailable FROM cart_items") == [("substitute",)]


def test_a_cookie_with_a_made_up_wish_is_none(browser: Browser, bread: int, run_sql: Sql) -> None:
    browser.client.set_cookie("wish", "steal")
    assert put(browser, bread, 1).status_code == 303
    assert run_sql("SELECT if_unavailable FROM cart_items") == [("substitute",)]


def test_another_customers_wishes_stay(browser: Browser, bread: int, run_sql: Sql) -> None:
    browser.sign_in(make_customer())
    put(browser, bread, 1)
    browser.sign_in(make_customer())
    browser.post("/basket/wish", {"if_unavailable": "call", "product_id": str(bread)})
    assert run_sql("SELECT if_unavailable FROM cart_items") == [("substitute",)]


def test_emptying_asks_first(browser: Browser, bread: int, beef: int, items: Items) -> None:
    put(browser, bread, 1)
    put(browser, beef, 1)
    page = browser.get("/basket/clear")
    assert "All 2 products are taken out." in text_of(page.text)
    assert items() == {bread: "1", beef: "1"}
    answer = browser.post("/basket/clear")
    assert (answer.status_code, answer.location) == (303, "/basket")
    assert items() == {}
    after = browser.get("/basket").text
    assert text_of(part_of(after, "said")) == "Everything is taken out."
    assert browser.get("/basket/clear").location == "/basket"
