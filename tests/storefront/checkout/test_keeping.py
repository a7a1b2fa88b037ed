"""Interruptions: what was filled in is there again, for whom it belongs to and nobody else."""

from collections.abc import Callable
from typing import Any

from tests.auth.factories import make_customer
from tests.conftest import IsolatedClient
from tests.orders.delivery.factories import make_slot, make_zone
from tests.storefront.checkout.conftest import PLACE, Shopper, Sql
from tests.storefront.conftest import Browser, words_in
from tests.storefront.parts import part_of

Draft = Callable[[], dict[str, str] | None]


def test_a_choice_is_kept_and_priced(amina: Shopper, bread: int, zone: int, slot: int, draft: Draft) -> None:
    dear = make_slot(zone, hours=30, fee_cents=50_00)
    amina.put(bread)
    form = amina.form()
    answer = amina.send(form, to="/checkout/quote", slot_id=dear, note="Ring twice", **PLACE)
    assert (answer.status_code, answer.location) == (303, "/checkout")
    kept = amina.form()
    assert (kept.fields["slot_id"], kept.fields["note"]) == (str(dear), "Ring twice")
    assert kept.fields["shown"] == "100.00 0.00 200.00 300.00"
    assert set(draft() or {}) <= {*kept.fields, "coupon"}


def test_the_script_gets_what_follows_and_nothing_that_is_typed(amina: Shopper, bread: int) -> None:
    for name, fee in (("Far", 500_00), ("Near", 10_00)):
        zone_id = make_zone(name=name, fee_cents=fee)
        near_slot = make_slot(zone_id)
    amina.put(bread)
    form = amina.form()
    assert "Choose your area to see the times." in words_in(amina.browser.get("/checkout"))
    answer = amina.send(form, to="/checkout/quote", parts=True, zone_id=zone_id)
    assert (answer.status_code, answer.headers["X-Parts"]) == (200, "1")
    assert f'value="{near_slot}"' in part_of(answer.text, "checkout-slots")
    assert "Delivery KSh 10 Total KSh 110" in words_in(part_of(answer.text, "checkout-sums"))
    assert words_in(part_of(answer.text, "checkout-bar")).endswith("Place order · KSh 110")
    assert words_in(part_of(answer.text, "spoken")) == "Total: KSh 110"
    assert 'name="landmark"' not in answer.text


def test_the_script_gets_the_form_again_with_what_is_in_the_way(amina: Shopper, bread: int, slot: int) -> None:
    amina.put(bread)
    answer = amina.send(amina.form(), parts=True)
    assert (answer.status_code, answer.headers["X-Parts"]) == (422, "1")
    assert "Tell the rider what is near" in words_in(part_of(answer.text, "checkout"))
    assert part_of(answer.text, "checkout-bar")
    assert "<html" not in answer.text


def test_a_visitor_goes_on_to_the_code_and_comes_back_to_all_that_was_filled_in(
    visitor: Shopper, bread: int, slot: int, run_sql: Sql
) -> None:
    visitor.put(bread)
    form = visitor.form()
    assert form.fields["return_to"] == "/checkout"
    answer = visitor.send(form, phone="0712 345 678", note="Ring twice", **PLACE)
    assert (answer.status_code, answer.location) == (307, "/sign-in")
    code_page = visitor.send(form, to=answer.location, phone="0712 345 678", note="Ring twice", **PLACE)
    assert code_page.status_code == 303
    assert "return_to=/checkout" in code_page.location.replace("%2F", "/")
    visitor.browser.sign_in(make_customer("Amina", phone="+254712345678", is_phone_verified=True))
    again = visitor.form()
    assert (again.fields["landmark"], again.fields["note"]) == ("near Shell, blue gate", "Ring twice")
    assert visitor.send(again).status_code == 303
    assert run_sql("SELECT phone, note FROM orders") == [("+254712345678", "Ring twice")]


def test_a_visitor_mends_the_form_before_a_code_is_sent(visitor: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    visitor.put(bread)
    answer = visitor.place(phone="0712 345 678")
    assert answer.status_code == 422
    assert "Tell the rider what is near" in words_in(answer)
    assert visitor.place(phone="nonsense", **PLACE).status_code == 422
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]


def test_a_visitor_with_a_password_signs_in_and_loses_nothing(
    visitor: Shopper, bread: int, slot: int, draft: Draft
) -> None:
    visitor.put(bread)
    form = visitor.form()
    answer = visitor.browser.post("/checkout/quote", {**form.fields, "to": "sign-in", "note": "Ring twice"})
    assert answer.location.replace("%2F", "/") == "/sign-in?return_to=/checkout"
    assert (draft() or {})["note"] == "Ring twice"


def test_a_sign_in_that_has_ended_loses_nothing(
    amina: Shopper, bread: int, slot: int, draft: Draft, run_sql: Sql
) -> None:
    amina.put(bread)
    form = amina.form()
    run_sql("""
        INSERT INTO token_blocklist (token_id, customer_id, expires_at)
        SELECT id, customer_id, now() + '1 day' FROM token_families
    """)
    answer = amina.send(form, **PLACE, note="Ring twice")
    assert answer.location.replace("%2F", "/") == "/sign-in?return_to=/checkout"
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]
    assert amina.browser.client.get_cookie("access") is None
    amina.browser.sign_in(amina.person)
    again = amina.form()
    assert (again.fields["landmark"], again.fields["note"]) == ("near Shell, blue gate", "Ring twice")
    assert amina.send(again).status_code == 303
    assert run_sql("SELECT note FROM orders") == [("Ring twice",)]


def test_at_sign_in_what_was_filled_in_last_wins_where_there_is_some(
    amina: Shopper, app: Any, bread: int, slot: int, draft: Draft
) -> None:
    amina.put(bread)
    amina.browser.post("/checkout/quote", {"landmark": "Old gate", "note": "Old note"})
    other = Shopper(Browser(IsolatedClient(app, app.response_class)))
    other.put(bread)
    other.browser.post("/checkout/quote", {"landmark": "New gate", "note": "", "phone": "0722000111"})
    other.browser.sign_in(amina.person)
    form = other.form()
    assert (form.fields["landmark"], form.fields["note"]) == ("New gate", "Old note")
    assert draft() == {"landmark": "New gate", "note": "Old note", "phone": "0722000111"}


def test_others_never_see_it(amina: Shopper, app: Any, bread: int, slot: int) -> None:
    amina.put(bread)
    amina.browser.post("/checkout/quote", {"landmark": "Secret gate"})
    brian = Shopper(Browser(IsolatedClient(app, app.response_class)))
    brian.browser.sign_in(make_customer("Brian"))
    brian.put(bread)
    assert "Secret gate" not in brian.browser.get("/checkout").text


def test_a_draft_is_bounded(amina: Shopper, bread: int, slot: int, run_sql: Sql) -> None:
    amina.put(bread)
    assert amina.browser.post("/checkout/quote", {"note": "x" * 1_100_000}).status_code == 413
    many = {f"field{number}": "x" * 50 for number in range(900)}
    assert amina.browser.post("/checkout/quote", {**many, "note": "y" * 300_000}).status_code == 303
    assert run_sql("SELECT draft FROM carts") == [({"note": "y" * 500},)]


def test_what_was_typed_last_and_arrives_after_the_order_is_not_kept(
    amina: Shopper, bread: int, slot: int, draft: Draft
) -> None:
    amina.put(bread)
    form = amina.form()
    amina.send(form, **PLACE)
    amina.send(form, to="/checkout/quote", note="Too late")
    assert draft() is None


def test_looking_keeps_nothing(visitor: Shopper, bread: int, slot: int, draft: Draft) -> None:
    visitor.put(bread)
    visitor.form()
    assert draft() is None
    assert visitor.browser.get("/checkout/quote").status_code == 405


def test_nothing_in_the_basket_is_said(amina: Shopper, run_sql: Sql) -> None:
    answer = amina.browser.post("/checkout", {"shown": "1.00 0.00 0.00 1.00", "method": "pickup"})
    assert (answer.status_code, answer.location) == (303, "/basket")
    assert "Your basket is empty: there is nothing to order." in words_in(amina.browser.get("/basket"))
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]
