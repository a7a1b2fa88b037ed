"""The confirmation: all that one wants to know, for whom it was, and placing nothing."""

from grocery.orders.tracking.links import read_token
from tests.auth.factories import make_customer
from tests.storefront.checkout.conftest import PLACE, Shopper, Sql
from tests.storefront.conftest import words_in


def test_it_says_what_when_how_much_and_what_comes_next(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread, 2)
    address = amina.place(**PLACE).location
    page = amina.browser.get(address)
    [(order_id, number)] = run_sql("SELECT id, number FROM orders")
    said = words_in(page)
    assert f"Thank you. Your order is placed. Order number {number} Delivery" in said
    assert "near Shell, blue gate, House 4 Total KSh 350 Cash when you receive it" in said
    assert "The rider calls 0712 345678 on the way." in said
    assert "You can cancel it until it is packed." in said
    assert "2 × Brown bread KSh 200" in said
    token = page.text.split('href="/t/')[1].split('"')[0]
    assert read_token(token, "secret-for-tests-only-0123456789abcdef") == order_id


def test_loading_it_again_places_nothing(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread)
    address = amina.place(**PLACE).location
    for _ in range(3):
        assert amina.browser.get(address).status_code == 200
    assert run_sql("SELECT count(*) FROM orders") == [(1,)]


def test_nobody_else_sees_it(amina: Shopper, bread: int, slot: int) -> None:
    amina.put(bread)
    address = amina.place(**PLACE).location
    for person in (make_customer("Brian"), make_customer("Njeri", role="staff"), make_customer("Boss", role="admin")):
        amina.browser.sign_in(person)
        answer = amina.browser.get(address)
        assert answer.status_code == 404
        assert "near Shell" not in answer.text
    for kind in ("access", "refresh"):
        amina.browser.client.delete_cookie(kind)
    answer = amina.browser.get(address)
    assert (answer.status_code, answer.location.split("?")[0]) == (303, "/sign-in")
    assert amina.browser.get("/checkout/done/99999999999999999999").status_code == 404


def test_a_pickup_says_where(amina: Shopper, bread: int, run_sql: Sql) -> None:
    amina.put(bread)
    said = words_in(amina.browser.get(amina.place(method="pickup").location))
    assert "Pickup Test Grocer" in said
    assert "We tell 0712 345678 when it is ready." in said
