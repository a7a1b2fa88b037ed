"""Two tabs at the checkout, and a sign-out while one is open: never two orders, never one unseen."""

from concurrent.futures import ThreadPoolExecutor

from flask import Flask

from tests.conftest import IsolatedClient
from tests.storefront.checkout.conftest import PLACE, Shopper
from tests.storefront.conftest import Browser, Sql


def same_browser(app: Flask, shopper: Shopper) -> Browser:
    other = Browser(IsolatedClient(app, app.response_class))
    for kind in ("access", "refresh", "csrf"):
        cookie = shopper.browser.client.get_cookie(kind)
        assert cookie
        other.client.set_cookie(kind, cookie.value)
    other.csrf_token = shopper.browser.csrf_token
    return other


def test_two_tabs_that_order_the_same_basket_place_one_order(
    app: Flask, amina: Shopper, bread: int, slot: int, run_sql: Sql
) -> None:
    amina.put(bread)
    forms = [amina.form(), amina.form()]
    assert forms[0].fields["key"] != forms[1].fields["key"]
    tabs = [same_browser(app, amina) for _ in forms]
    with ThreadPoolExecutor(2) as pool:
        sent = [
            pool.submit(tab.post, form.action, {**form.fields, **PLACE}) for tab, form in zip(tabs, forms, strict=True)
        ]
        answers = [one.result() for one in sent]
    [(order_id,)] = run_sql("SELECT id FROM orders")
    assert {answer.status_code for answer in answers} == {303}
    assert sorted(str(answer.location) for answer in answers) == ["/basket", f"/checkout/done/{order_id}"]
    assert run_sql("SELECT booked FROM delivery_slots") == [(1,)]


def test_a_basket_that_another_tab_has_changed_is_shown_before_it_is_ordered(
    amina: Shopper, bread: int, slot: int, run_sql: Sql
) -> None:
    amina.put(bread)
    form = amina.form()
    amina.put(bread, 7)
    answer = amina.send(form, **PLACE)
    assert (answer.status_code, "The total has changed" in answer.text) == (409, True)
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]


def test_an_order_after_a_sign_out_in_another_tab_is_not_placed(
    amina: Shopper, bread: int, slot: int, run_sql: Sql
) -> None:
    amina.put(bread)
    form = amina.form()
    amina.browser.post("/sign-out")
    answer = amina.send(form, csrf_token=form.fields["csrf_token"], **PLACE)
    assert (answer.status_code, answer.location) == (303, "/sign-in?return_to=/checkout")
    assert run_sql("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM cart_items)") == [(0, 1)]
