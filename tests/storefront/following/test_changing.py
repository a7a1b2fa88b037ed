"""What a customer can still do about an order: cancel it, refuse a substitute, order it again."""

import re
from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.factories import move, place, snapshot
from tests.orders.fulfilment.factories import pick
from tests.orders.fulfilment.substitutes.factories import place_wish
from tests.products.factories import make_product
from tests.products.ledger import stock_of
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.parts import part_of

_SAID = re.compile(r'<p (?:id="said" )?class="said[^>]*>.*?</p>', re.DOTALL)


def status_of(run_sql: Sql, order: dict[str, Any]) -> str:
    return str(run_sql("SELECT status FROM orders WHERE id = :id", id=order["id"])[0][0])


def said(browser: Browser, path: str) -> str:
    """All that the next page says."""
    return " ".join(words_in(one) for one in _SAID.findall(browser.get(path).text))


def test_an_order_is_cancelled_after_a_question(
    amina: Browser, order: dict[str, Any], flour: int, run_sql: Sql
) -> None:
    path = f"/account/orders/{order['id']}"
    assert "You can cancel it until it is packed." in words_in(amina.get(path))
    assert f"Cancel order {order['number']}?" in words_in(amina.get(f"{path}/cancel"))
    assert status_of(run_sql, order) == "pending"
    answer = amina.post(f"{path}/cancel", {"note": "Ordered twice"})
    assert (answer.status_code, answer.location) == (303, path)
    page = amina.get(path).text
    assert words_in(part_of(page, "said")) == "The order is cancelled."
    assert words_in(part_of(page, "status")) == "Cancelled"
    assert "/cancel" not in page
    assert (status_of(run_sql, order), stock_of(flour)) == ("cancelled", 10)
    assert run_sql("SELECT note FROM order_history WHERE status = 'cancelled'") == [("Ordered twice",)]


def test_cancelled_twice_it_is_cancelled_once(amina: Browser, order: dict[str, Any], run_sql: Sql) -> None:
    path = f"/account/orders/{order['id']}"
    amina.post(f"{path}/cancel")
    before = snapshot(run_sql)
    assert amina.post(f"{path}/cancel").location == path
    assert "The order was cancelled before." in said(amina, path)
    assert amina.get(f"{path}/cancel").location == path
    assert snapshot(run_sql) == before


@pytest.mark.parametrize(
    ("status", "state"), [("packed", "Packed"), ("shipped", "Ready to collect"), ("delivered", "Collected")]
)
def test_too_late_to_cancel_is_said(
    amina: Browser, staff: Caller, order: dict[str, Any], run_sql: Sql, status: str, state: str
) -> None:
    path = f"/account/orders/{order['id']}"
    amina.get(f"{path}/cancel")
    move(staff, order, status)
    before = snapshot(run_sql)
    assert amina.post(f"{path}/cancel").location == path
    assert said(amina, path) == f"It is too late to cancel. State of the order: {state}."
    assert amina.get(f"{path}/cancel").location == path
    assert "You can cancel it" not in words_in(amina.get(path))
    assert snapshot(run_sql) == before


def test_a_reason_that_is_too_long_stays_in_its_field(amina: Browser, order: dict[str, Any], run_sql: Sql) -> None:
    answer = amina.post(f"/account/orders/{order['id']}/cancel", {"note": "<i>" + "x" * 500})
    assert answer.status_code == 422
    assert "Write up to 500 letters." in words_in(answer)
    assert "&lt;i&gt;xxx" in answer.text
    assert "<title>Error: Cancel the order" in answer.text
    assert status_of(run_sql, order) == "pending"


@pytest.fixture
def substituted(customer: Caller, staff: Caller, soap: int) -> dict[str, Any]:
    """Of three soaps one was there; two cheap ones came instead."""
    cheap = make_product("Home", name="Cheap <Soap>", price_cents=90_00)
    order = place_wish(customer, soap, 3)
    pick(staff, order, 1)
    answer: dict[str, Any] = pick(staff, order, 2, substitute_product_id=cheap).json
    return answer


def test_a_substitute_is_shown_with_both_prices_and_refused(
    amina: Browser, substituted: dict[str, Any], run_sql: Sql
) -> None:
    path = f"/account/orders/{substituted['id']}"
    page = amina.get(path)
    words = words_in(page)
    assert "Soap 1 × KSh 116 KSh 116 1 of 3 available" in words
    assert "Instead: Cheap <Soap> 2 × KSh 90 (you ordered at KSh 116) KSh 180" in words
    assert "To take it, you need not do anything. I do not want it" in words
    assert "Cheap <Soap>" not in page.text
    refuse = f"{path}/lines/{substituted['items'][1]['id']}/refuse"
    assert f'action="{refuse}"' in page.text
    assert amina.post(refuse).location == path
    after = amina.get(path)
    assert words_in(part_of(after.text, "said")) == "Taken out of your order. You do not pay for it."
    assert "You do not take it" in words_in(after)
    assert refuse not in after.text
    assert "Total KSh 116" in words_in(after)
    before = snapshot(run_sql)
    assert amina.post(refuse).location == path
    assert snapshot(run_sql) == before


def test_what_has_left_the_shop_is_given_back_at_the_door(
    amina: Browser, staff: Caller, substituted: dict[str, Any], run_sql: Sql
) -> None:
    path = f"/account/orders/{substituted['id']}"
    move(staff, substituted, "shipped")
    assert "If you do not want it, give it back at the door." in words_in(amina.get(path))
    before = snapshot(run_sql)
    amina.post(f"{path}/lines/{substituted['items'][1]['id']}/refuse")
    assert said(amina, path) == "It has left the shop. You can give it back to the rider and do not pay for it."
    assert snapshot(run_sql) == before


def test_what_was_ordered_cannot_be_refused(amina: Browser, substituted: dict[str, Any], run_sql: Sql) -> None:
    path = f"/account/orders/{substituted['id']}"
    before = snapshot(run_sql)
    amina.post(f"{path}/lines/{substituted['items'][0]['id']}/refuse")
    assert said(amina, path) == "This is what you ordered. Call us to change your order."
    assert amina.post(f"{path}/lines/999999/refuse").status_code == 404
    assert snapshot(run_sql) == before


def items(run_sql: Sql) -> dict[int, str]:
    rows = run_sql("SELECT product_id, quantity FROM cart_items ORDER BY product_id")
    return {product_id: f"{quantity.normalize():f}" for product_id, quantity in rows}


def test_ordered_again_it_is_in_the_basket_and_twice_doubles_nothing(
    amina: Browser, order: dict[str, Any], flour: int, beef: int, run_sql: Sql
) -> None:
    for _ in range(2):
        answer = amina.post(f"/account/orders/{order['id']}/reorder")
        assert (answer.status_code, answer.location) == (303, "/basket")
        assert said(amina, "/basket") == "Everything is in your basket."
        assert items(run_sql) == {flour: "2", beef: "1.5"}


def test_what_is_not_as_it_was_is_said(
    amina: Browser, customer: Caller, flour: int, beef: int, soap: int, run_sql: Sql
) -> None:
    gone = make_product(name="<i>Gone</i>")
    order = place(customer, {flour: 2, beef: 1.5, soap: 4, gone: 1})
    run_sql("UPDATE products SET stock = 0 WHERE id = :id", id=beef)
    run_sql("UPDATE products SET is_active = false WHERE id = :id", id=gone)
    run_sql("UPDATE products SET stock = 3, price_cents = 12000 WHERE id = :id", id=soap)
    amina.post(f"/account/orders/{order['id']}/reorder")
    assert said(amina, "/basket") == (
        "2 items are not available: Beef, <i>Gone</i>. Of 1 item there is less: Soap. "
        "1 price has changed: Soap KSh 116 → KSh 120."
    )
    assert items(run_sql) == {flour: "2", soap: "3"}


def test_many_long_names_have_room_in_what_is_said(amina: Browser, customer: Caller, run_sql: Sql) -> None:
    products = [make_product(name=f"{n} " + "ñ" * 190) for n in range(20)]
    order = place(customer, dict.fromkeys(products, 2))
    run_sql("UPDATE products SET stock = 0 WHERE id = ANY(:ids)", ids=products[:10])
    run_sql("UPDATE products SET stock = 1, price_cents = 7 WHERE id = ANY(:ids)", ids=products[10:])
    answer = amina.post(f"/account/orders/{order['id']}/reorder")
    assert len(answer.headers["Set-Cookie"]) < 4000
    words = said(amina, "/basket")
    assert "10 items are not available: 0 ñ" in words
    assert "… and 7 more." in words


def test_a_full_basket_is_said(
    amina: Browser, customer: Caller, order: dict[str, Any], soap: int, run_sql: Sql
) -> None:
    customer.put(f"/cart/items/{soap}", json={"quantity": 1})
    run_sql("""
        INSERT INTO products (sku, name, price_cents, stock, category_id, category_path)
        SELECT 'many-' || n, 'Many', 100, 5, category_id, category_path
        FROM products, generate_series(1, 199) AS n WHERE products.name = 'Soap'
    """)
    run_sql("""
        INSERT INTO cart_items (cart_id, product_id, quantity, seen_price_cents)
        SELECT carts.id, products.id, 1, 100 FROM carts, products WHERE products.name = 'Many'
    """)
    amina.post(f"/account/orders/{order['id']}/reorder")
    assert said(amina, "/basket") == "Your basket is full: it has room for 200 products."
    assert len(items(run_sql)) == 200


def test_forms_of_other_sites_change_nothing(amina: Browser, substituted: dict[str, Any], run_sql: Sql) -> None:
    path = f"/account/orders/{substituted['id']}"
    amina.get(path)
    before = snapshot(run_sql)
    for token in ("", "made up", amina.csrf_token + "x"):
        for act in ("/cancel", "/reorder", f"/lines/{substituted['items'][1]['id']}/refuse"):
            assert amina.post(f"{path}{act}", {"csrf_token": token}).status_code == 403
    assert amina.post(f"{path}/cancel", headers={"Origin": "https://evil.example"}).status_code == 403
    assert snapshot(run_sql) == before
    assert items(run_sql) == {}


def test_who_was_signed_out_meanwhile_comes_back_to_the_order(
    amina: Browser, order: dict[str, Any], run_sql: Sql
) -> None:
    path = f"/account/orders/{order['id']}/cancel"
    amina.get(path)
    for cookie in ("access", "refresh"):
        amina.client.set_cookie(cookie, "of another time")
    answer = amina.post(path)
    assert (answer.status_code, answer.location) == (303, f"/sign-in?return_to={path}")
    assert status_of(run_sql, order) == "pending"
