"""Two at once at the desk: one of them wins, the other is told, and nothing happens twice."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from grocery.auth.people import Person
from tests.auth.factories import find_person, make_customer
from tests.notify.factories import make_notification
from tests.orders.conftest import Caller
from tests.orders.factories import move
from tests.products.factories import make_product
from tests.storefront.conftest import Browser, Sql
from tests.storefront.desk.shop_floor import bag_of, ordered, state_of

Post = tuple[Person, str, dict[str, str]]
Race = Callable[..., list[TestResponse]]

_TIMES = 4


@pytest.fixture
def race(app: Flask) -> Race:
    """Forms of several people, sent at the same time; the answers in their order."""

    def run(*posts: Post) -> list[TestResponse]:
        barrier = Barrier(len(posts))

        def send(post: Post) -> TestResponse:
            person, path, form = post
            browser = Browser(app.test_client())
            browser.sign_in(person)
            browser.get("/search")
            barrier.wait(timeout=20)
            return browser.post(path, form)

        # Browsers of threads have no context of the test's; signing in needs one.
        def send_in_context(post: Post) -> TestResponse:
            with app.app_context():
                return send(post)

        with ThreadPoolExecutor(len(posts)) as pool:
            return list(pool.map(send_in_context, posts))

    return run


@pytest.fixture
def other_staff(context: None) -> Person:
    return make_customer("Otieno Staff", role="staff")


def test_one_of_two_moves_of_an_order_counts(
    race: Race, staff: Caller, other_staff: Person, customer: Caller, soap: int, run_sql: Sql
) -> None:
    for _ in range(_TIMES):
        order = ordered(customer, {soap: 1})
        path, version = f"/admin/orders/{order['id']}/move", str(order["version"])
        race(
            (staff.person, path, {"status": "packed", "version": version}),
            (other_staff, path, {"status": "cancelled", "note": "Gone", "version": version}),
        )
        status, new_version = state_of(run_sql, order)
        assert status in ("packed", "cancelled")
        assert new_version == order["version"] + 1
        ends = run_sql(
            "SELECT status FROM order_history WHERE order_id = :id AND status IN ('packed', 'cancelled')",
            id=order["id"],
        )
        assert ends == [(status,)]


def test_one_of_two_picks_of_a_line_counts(
    race: Race, staff: Caller, other_staff: Person, customer: Caller, soap: int, run_sql: Sql
) -> None:
    order = ordered(customer, {soap: 3})
    path = f"/admin/picking/{order['id']}/lines/{order['lines'][soap]}"
    race(
        (staff.person, path, {"quantity": "3", "seen": "-/-"}),
        (other_staff, path, {"quantity": "1", "reason": "not_found", "seen": "-/-"}),
    )
    [(_, picked, reason)] = bag_of(run_sql, order)
    assert (int(picked), reason) in ((3, None), (1, "not_found"))
    assert run_sql("SELECT count(*) FROM audit_log WHERE action = 'desk_picking.pick'") == [(1,)]


def test_packing_while_the_customer_cancels(
    race: Race, staff: Caller, customer: Caller, soap: int, run_sql: Sql
) -> None:
    for _ in range(_TIMES):
        [(stock,)] = run_sql("SELECT stock FROM products WHERE id = :id", id=soap)
        order = ordered(customer, {soap: 1})
        race(
            (staff.person, "/admin/orders/pack", {"order": f"{order['id']}:{order['version']}"}),
            (
                customer.person,
                f"/account/orders/{order['id']}/cancel",
                {"version": str(order["version"]), "is_sure": "1"},
            ),
        )
        status, _ = state_of(run_sql, order)
        assert status in ("packed", "cancelled")
        left = stock - 1 if status == "packed" else stock
        assert run_sql("SELECT stock FROM products WHERE id = :id", id=soap) == [(left,)]


def test_one_of_two_changes_of_a_product_counts(race: Race, admin: Caller, context: None, run_sql: Sql) -> None:
    product_id, other = make_product("Home", name="Soap", price_cents=100_00), make_customer(role="admin")
    path = f"/admin/products/{product_id}/price"
    for number in range(_TIMES):
        version = str(number + 1)
        answers = race(
            (admin.person, path, {"price": f"{120 + number}", "version": version}),
            (other, path, {"price": f"{90 - number}", "version": version}),
        )
        assert [answer.status_code for answer in answers] == [303, 303]
        assert run_sql("SELECT version FROM products WHERE id = :id", id=product_id) == [(number + 2,)]


def test_two_admins_who_demote_each_other_leave_one(race: Race, context: None, run_sql: Sql) -> None:
    for action, form in (("role", {"role": "customer"}), ("active", {"is_active": "false"})):
        one, two = (make_customer(role="admin", is_email_verified=True) for _ in range(2))
        race((one, f"/admin/customers/{two.id}/{action}", form), (two, f"/admin/customers/{one.id}/{action}", form))
        found = [find_person(person.id) for person in (one, two)]
        left = [person for person in found if person and person.role == "admin" and person.is_active]
        assert len(left) == 1, action
        race((left[0], f"/admin/customers/{left[0].id}/{action}", form))  # the last one stays
        assert find_person(left[0].id) == left[0]
        run_sql(
            "UPDATE customers SET role = 'customer' WHERE id = :id", id=left[0].id
        )  # out of the way of the next two


def test_message_is_sent_again_once(race: Race, admin: Caller, run_sql: Sql) -> None:
    message_id = make_notification(status="failed")
    post = (admin.person, f"/admin/notifications/{message_id}/resend", {})
    race(post, post, post)
    assert run_sql("SELECT status FROM notifications") == [("pending",)]
    assert run_sql("SELECT count(*) FROM notifications") == [(1,)]


def test_payment_that_is_sent_twice_is_noted_once(
    race: Race, staff: Caller, customer: Caller, soap: int, run_sql: Sql
) -> None:
    order = ordered(customer, {soap: 2})
    post = (staff.person, f"/admin/orders/{order['id']}/payments", {"amount": "100", "kind": "capture", "paid": "0.00"})
    race(post, post, post)
    assert run_sql("SELECT paid_cents FROM orders") == [(100_00,)]
    assert run_sql("SELECT count(*) FROM payments") == [(1,)]


def test_payment_without_a_kind_is_none(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 2})
    for form in ({}, {"kind": "gift"}, {"kind": "capture", "paid": ""}):
        desk.post(f"/admin/orders/{order['id']}/payments", {"amount": "100", "paid": "0.00", **form})
    assert run_sql("SELECT count(*) FROM payments") == [(0,)]


def test_goods_come_back_once(race: Race, staff: Caller, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 3})
    move(staff, order, "delivered")
    form = {f"back-{order['lines'][soap]}": "1", "reason": "damaged", "version": str(state_of(run_sql, order)[1])}
    post = (staff.person, f"/admin/orders/{order['id']}/returns", form)
    race(post, post)
    assert run_sql("SELECT count(*) FROM order_returns") == [(1,)]


def test_goods_of_a_failed_delivery_are_checked_in_once(
    race: Race, staff: Caller, customer: Caller, soap: int, run_sql: Sql
) -> None:
    order = ordered(customer, {soap: 3})
    move(staff, order, "shipped")
    move(staff, order, "cancelled", reason="delivery_failed", note="Nobody there")
    form = {f"back-{order['lines'][soap]}": "1", "version": str(state_of(run_sql, order)[1])}
    post = (staff.person, f"/admin/orders/{order['id']}/check-in", form)
    race(post, post)
    assert run_sql("SELECT checked_in_quantity FROM order_lines") == [(1,)]


def test_stock_that_two_count_at_once_is_what_they_counted(
    race: Race, staff: Caller, other_staff: Person, soap: int, run_sql: Sql
) -> None:
    [(mark,)] = run_sql("SELECT max(id) FROM stock_movements")
    path, form = f"/admin/products/{soap}/count", {"stock": "8", "was": "10", "since": str(mark)}
    race((staff.person, path, form), (other_staff, path, form))
    assert run_sql("SELECT stock FROM products") == [(8,)]
    counted = "SELECT delta FROM stock_movements WHERE reason = 'counted'"
    assert run_sql(counted) == [(-2,)]
    # Who counted something else by the same list is told, and the next list has it.
    [answer] = race((staff.person, path, {**form, "stock": "7"}))
    page = Browser(staff.client)
    page.sign_in(staff.person)
    assert answer.status_code == 303
    assert run_sql("SELECT stock FROM products") == [(8,)]
    listed = read_field(page.get("/admin/products/").text, "since")
    race((staff.person, path, {"stock": "7", "was": "8", "since": listed}))
    assert run_sql("SELECT stock FROM products") == [(7,)]


def read_field(page: str, name: str) -> str:
    return re.findall(f'name="{name}" value="([^"]*)"', page)[0]
