"""Who may do what at the desk: every route of it, by every role."""

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.orders.conftest import Caller
from tests.storefront.conftest import Browser, Sql
from tests.storefront.desk.shop_floor import ordered, state_of

_AREAS = ("desk", "desk_orders", "desk_picking")


def rules(app: Flask) -> list[tuple[str, Rule]]:
    found = [rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in _AREAS]
    return [(method, rule) for rule in found for method in sorted((rule.methods or set()) & {"GET", "POST"})]


def path_of(rule: Rule) -> str:
    return str(rule).replace("<int:order_id>", "1").replace("<int:line_id>", "1")


def test_customers_are_refused_everywhere(app: Flask, browser: Browser, customer: Caller) -> None:
    browser.sign_in(customer.person)
    browser.get("/search")
    answers = {(method, str(rule)): getattr(browser, method.lower())(path_of(rule)) for method, rule in rules(app)}
    assert len(answers) > 20
    assert {key: answer.status_code for key, answer in answers.items() if answer.status_code != 403} == {}


def test_visitors_are_led_to_sign_in(app: Flask, browser: Browser) -> None:
    for method, rule in rules(app):
        browser.csrf_token = ""
        answer = getattr(browser, method.lower())(path_of(rule))
        assert answer.status_code == 303, rule
        assert answer.location.startswith("/sign-in?return_to="), rule


def test_forged_forms_are_refused(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 1})
    form = {"status": "packed", "version": str(order["version"])}
    for token in ("", "forged", "x.y"):
        answer = desk.post(f"/admin/orders/{order['id']}/move", {**form, "csrf_token": token})
        assert answer.status_code == 403
    answer = desk.post(f"/admin/orders/{order['id']}/move", form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert state_of(run_sql, order)[0] == "pending"


@pytest.mark.parametrize("return_to", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_forms_lead_to_this_shop_only(desk: Browser, customer: Caller, soap: int, return_to: str) -> None:
    order = ordered(customer, {soap: 1})
    form = {"status": "packed", "version": str(order["version"]), "return_to": return_to}
    assert desk.post(f"/admin/orders/{order['id']}/move", form).location == f"/admin/orders/{order['id']}"


def test_sales_are_for_admins(desk: Browser, admin: Caller) -> None:
    assert "Sales by day" not in desk.get("/admin/").text
    desk.sign_in(admin.person)
    assert "Sales by day" in desk.get("/admin/").text


def test_desk_is_private(desk: Browser) -> None:
    answer = desk.get("/admin/picking")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_only_pages_with_a_scanner_may_use_the_camera(boss: Browser, customer: Caller, soap: int) -> None:
    order = ordered(customer, {soap: 1})
    screen = f"/admin/picking/{order['id']}"
    scanning = [
        screen,
        f"{screen}/lines/{order['lines'][soap]}/replace",
        "/admin/products",
        "/admin/products/new",
        f"/admin/products/{soap}",
    ]
    others = ["/admin/", "/admin/picking", "/admin/orders", f"/admin/products/{soap}/prices", "/", "/basket"]
    for path in scanning + others:
        answer = boss.get(path)
        assert answer.status_code == 200, path
        assert ('id="scanner"' in answer.text) == (path in scanning), path
        policy = answer.headers["Permissions-Policy"]
        assert policy.startswith("camera=(self)," if path in scanning else "camera=(),"), path
