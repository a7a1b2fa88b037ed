"""Putting things in and taking them out, with script and without; what cannot be taken changes nothing."""

from typing import Any

import pytest

from tests.auth.factories import make_customer
from tests.conftest import IsolatedClient
from tests.products.factories import make_product
from tests.storefront.basket.conftest import Items, Sql, put
from tests.storefront.conftest import Browser
from tests.storefront.conftest import words_in as text_of
from tests.storefront.parts import part_of


def test_a_visitor_adds_and_comes_back_to_the_product_in_the_list(browser: Browser, bread: int, items: Items) -> None:
    answer = put(browser, bread, 1, return_to="/search?q=bread")
    assert (answer.status_code, answer.location) == (303, f"/search?q=bread#product-{bread}")
    assert items() == {bread: "1"}
    assert browser.client.get_cookie("cart")
    page = browser.get("/search?q=bread").text
    assert text_of(part_of(page, "said")) == "Added: Brown bread, 1 in the basket"
    assert text_of(part_of(page, f"amount-{bread}")) == "− 1 +"


def test_the_script_gets_the_control_the_bar_the_count_and_what_is_read_out(browser: Browser, bread: int) -> None:
    answer = put(browser, bread, 2, parts=True, return_to="/")
    assert (answer.status_code, answer.headers["X-Parts"]) == (200, "1")
    assert text_of(part_of(answer.text, f"amount-{bread}")) == "− 2 +"
    assert text_of(part_of(answer.text, "basket-count")) == "1 item"
    assert text_of(part_of(answer.text, "basket-bar")) == "KSh 130 · 1 item View basket"
    assert text_of(part_of(answer.text, "spoken")) == "Added: Brown bread, 2 in the basket"
    assert part_of(answer.text, f"row-{bread}") == ""
    assert "<html" not in answer.text
    later = put(browser, bread, 3, parts=True)
    assert text_of(part_of(later.text, "spoken")) == "Brown bread: 3 in the basket"


def test_on_the_basket_page_the_row_and_the_sums_come(browser: Browser, bread: int, beef: int) -> None:
    put(browser, bread, 1)
    answer = put(browser, beef, "1,5", parts=True, where="basket")
    assert "Beef KSh 800/kg KSh 1,200" in text_of(part_of(answer.text, f"row-{beef}"))
    assert "Goods KSh 1,265" in text_of(part_of(answer.text, "basket-sums"))
    assert text_of(part_of(answer.text, "basket-bar")) == "KSh 1,265 · 2 items Checkout"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1,5", "1.5"),
        ("0.5", "0.5"),
        (".5", "0.5"),
        ("2 kg", "2"),
        ("2KG", "2"),
        (" 3 ", "3"),
        ("250 g", "0.25"),
        ("007", "7"),
    ],
)
def test_any_clear_way_to_write_a_weight_is_taken(
    browser: Browser, beef: int, items: Items, written: str, kept: str
) -> None:
    assert put(browser, beef, written).status_code == 303
    assert items() == {beef: kept}


_NO_WEIGHT = "Write a weight, such as 0.5 or 2 kg."


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("", _NO_WEIGHT),
        ("two", _NO_WEIGHT),
        ("-1", _NO_WEIGHT),
        ("−1", _NO_WEIGHT),
        ("NaN", _NO_WEIGHT),
        ("Infinity", _NO_WEIGHT),
        ("1e3", _NO_WEIGHT),
        ("1.2345", _NO_WEIGHT),
        ("٣", _NO_WEIGHT),
        ("1\x00", _NO_WEIGHT),
        ("1.5 lb", _NO_WEIGHT),
        ("9" * 5000, _NO_WEIGHT),
        ("1 g", "Sold in steps of 0.25 kg."),
        ("0.3", "Sold in steps of 0.25 kg."),
        ("10000.25", "At most 10,000."),
        ("999999999", "At most 10,000."),
    ],
)
def test_nonsense_changes_nothing_and_stays_with_the_reason_beside_it(
    browser: Browser, beef: int, items: Items, written: str, problem: str
) -> None:
    put(browser, beef, "1.5")
    answer = put(browser, beef, written, where="basket")
    assert answer.status_code == 422
    assert items() == {beef: "1.5"}
    row = part_of(answer.text, f"row-{beef}")
    assert problem in text_of(row)
    assert f'name="quantity" value="{written}"' in row
    assert 'aria-invalid="true"' in row
    assert "<title>Error: Basket" in answer.text
    assert f'<a href="#quantity-{beef}">{problem}</a>' in answer.text
    parts = put(browser, beef, written, where="basket", parts=True)
    assert (parts.status_code, parts.headers["X-Parts"]) == (422, "1")
    assert problem in text_of(part_of(parts.text, f"row-{beef}"))
    assert items() == {beef: "1.5"}


@pytest.mark.parametrize(
    ("written", "problem"),
    [("1.5", "Sold by piece: write a whole number."), ("1 kg", "Write a number, such as 2.")],
)
def test_pieces_are_whole(browser: Browser, bread: int, items: Items, written: str, problem: str) -> None:
    answer = put(browser, bread, written, parts=True)
    assert answer.status_code == 422
    assert problem in text_of(part_of(answer.text, f"amount-{bread}"))
    assert items() == {}
    assert put(browser, bread, written, return_to="/search?q=bread").location == "/search?q=bread"
    assert text_of(part_of(browser.get("/search?q=bread").text, "said")) == problem


def test_0_takes_it_out_and_undo_puts_back_the_same_without_script(
    browser: Browser, bread: int, beef: int, items: Items, run_sql: Sql
) -> None:
    put(browser, bread, 1)
    put(browser, beef, "1.75", if_unavailable="call")
    answer = put(browser, beef, 0, where="basket")
    assert (answer.status_code, answer.location) == (
        303,
        f"/basket?removed={beef}&quantity=1.75&if_unavailable=call",
    )
    assert items() == {bread: "1"}
    row = part_of(browser.get(answer.location).text, f"row-{beef}")
    assert text_of(row) == "Removed: Beef Undo"
    assert 'name="quantity" value="1.75"' in row
    assert 'name="if_unavailable" value="call"' in row
    again = put(browser, beef, "1.75", where="basket", if_unavailable="call")
    assert again.location == "/basket"
    assert run_sql("SELECT quantity::float, if_unavailable FROM cart_items WHERE product_id = :id", id=beef) == [
        (1.75, "call")
    ]


def test_the_script_finds_undo_in_the_row_and_the_way_on_when_nothing_is_left(browser: Browser, bread: int) -> None:
    put(browser, bread, 3)
    answer = put(browser, bread, 0, where="basket", parts=True)
    assert text_of(part_of(answer.text, f"row-{bread}")) == "Removed: Brown bread Undo"
    assert text_of(part_of(answer.text, "basket-sums")) == "Your basket is empty. Look what is fresh"
    assert text_of(part_of(answer.text, "basket-bar")) == ""
    assert " hidden>" in part_of(answer.text, "basket-count")
    twice = put(browser, bread, 0, where="basket", parts=True)
    assert twice.status_code == 200
    assert text_of(part_of(twice.text, f"row-{bread}")) == ""


@pytest.mark.parametrize(
    "query",
    [
        "removed=abc",
        "removed=-1",
        "removed=99999999999999999999",
        "removed=7",
        "removed={id}&quantity=NaN",
        "removed={id}&quantity=0",
        "removed={id}",
    ],
)
def test_addresses_that_others_make_up_show_no_undo(browser: Browser, bread: int, query: str) -> None:
    page = browser.get("/basket?" + query.format(id=bread))
    assert page.status_code == 200
    assert "Undo" not in page.text


def test_a_withdrawn_product_says_so_and_can_only_be_taken_out(
    browser: Browser, bread: int, items: Items, run_sql: Sql
) -> None:
    put(browser, bread, 2)
    run_sql("UPDATE products SET is_active = false")
    answer = put(browser, bread, 3, parts=True, where="basket")
    assert answer.status_code == 422
    assert items() == {bread: "2"}
    assert "Not sold any more" in text_of(part_of(answer.text, f"row-{bread}"))
    gone = put(browser, bread, 0, parts=True, where="basket")
    assert text_of(part_of(gone.text, f"row-{bread}")) == "Removed: Brown bread"
    assert items() == {}


@pytest.mark.parametrize("product_id", [999_999, 2**63 - 1, 2**63, 10**30])
@pytest.mark.parametrize("parts", [False, True])
def test_a_product_that_is_not_there_is_not_found(browser: Browser, items: Items, product_id: int, parts: bool) -> None:
    answer = put(browser, product_id, 1, parts=parts)
    assert answer.status_code == 404
    assert "X-Parts" not in answer.headers
    assert "This page is not there" in answer.text
    assert browser.client.get_cookie("cart") is None
    assert items() == {}


def test_a_basket_has_room_for_200_products(browser: Browser, bread: int, run_sql: Sql, items: Items) -> None:
    put(browser, bread, 1)
    one_more = make_product(name="One more")
    run_sql("""
        INSERT INTO products (sku, name, price_cents, stock, category_id, category_path)
        SELECT 'many-' || n, 'Many', 100, 0, category_id, category_path FROM products, generate_series(1, 199) AS n
        WHERE name = 'One more'
    """)
    run_sql("""
        INSERT INTO cart_items (cart_id, product_id, quantity, seen_price_cents)
        SELECT carts.id, products.id, 1, 100 FROM carts, products WHERE products.name = 'Many'
    """)
    answer = put(browser, one_more, 1, parts=True)
    assert "Your basket is full: it has room for 200 products." in text_of(part_of(answer.text, f"amount-{one_more}"))
    assert len(items()) == 200


def test_names_are_never_markup(browser: Browser) -> None:
    evil = make_product(name="<script>alert(1)</script>")
    for answer in (
        put(browser, evil, 1, parts=True),
        browser.get("/basket"),
        put(browser, evil, 0, parts=True, where="basket"),
    ):
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text


def test_forms_of_other_sites_change_nothing(browser: Browser, bread: int, items: Items) -> None:
    browser.get("/")
    for token in ("", "made up", browser.csrf_token + "x"):
        assert put(browser, bread, 1, csrf_token=token).status_code == 403
        assert put(browser, bread, 1, csrf_token=token, parts=True).status_code == 403
        assert browser.post("/basket/clear", {"csrf_token": token}).status_code == 403
        assert browser.post("/basket/wish", {"csrf_token": token, "if_unavailable": "call"}).status_code == 403
    assert items() == {}


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_one_comes_back_to_this_shop_only(browser: Browser, bread: int, address: str) -> None:
    assert put(browser, bread, 1, return_to=address).location == f"/basket#product-{bread}"
    assert put(browser, bread, "x", return_to=address).location == "/basket"


def test_a_customers_basket_is_their_own(browser: Browser, app: Any, bread: int, run_sql: Sql) -> None:
    amina, brian = make_customer(), make_customer()
    browser.sign_in(amina)
    put(browser, bread, 2)
    other = Browser(IsolatedClient(app, app.response_class))
    other.sign_in(brian)
    assert "Brown bread" not in other.get("/basket").text
    put(other, bread, 5)
    assert run_sql("SELECT customer_id, quantity::int FROM carts JOIN cart_items ON cart_id = id ORDER BY 2") == [
        (amina.id, 2),
        (brian.id, 5),
    ]


@pytest.mark.parametrize(("path", "left"), [("/basket/clear", 0), ("/basket/wish", 1)])
def test_a_visitors_basket_joins_ones_own_whatever_is_done_first(
    browser: Browser, bread: int, run_sql: Sql, path: str, left: int
) -> None:
    put(browser, bread, 2)
    browser.sign_in(make_customer())
    browser.get("/offline")
    assert browser.post(path, {"if_unavailable": "call"}).status_code == 303
    rows = run_sql("SELECT if_unavailable FROM cart_items JOIN carts ON carts.id = cart_id WHERE customer_id > 0")
    assert rows == [("call",)] * left


def test_looking_changes_nothing(browser: Browser, bread: int, run_sql: Sql) -> None:
    for path in ("/basket", f"/basket?removed={bread}&quantity=2", "/basket/clear", "/"):
        browser.get(path)
    assert run_sql("SELECT count(*) FROM carts") == [(0,)]
    assert browser.client.get_cookie("cart") is None
    assert browser.get(f"/basket/items/{bread}").status_code == 405
