"""The parts of the desk that only admins have: every route of them, by every role."""

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.auth.factories import make_customer
from tests.orders.conftest import Caller
from tests.storefront.conftest import Browser, Sql

_AREAS = ("desk_people", "desk_notifications", "desk_audit", "desk_reports")
_WORDS = {"name": "sales", "event": "order_placed", "audience": "customer", "channel": "sms", "language": "en"}


def routes(app: Flask) -> list[tuple[str, str]]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in _AREAS]
    return [(method, path_of(rule)) for rule in rules for method in sorted((rule.methods or set()) & {"GET", "POST"})]


def path_of(rule: Rule) -> str:
    return re.sub(r"<(?:int:)?(\w+)>", lambda found: _WORDS.get(found[1], "1"), str(rule)).replace("/1/1", "/1/start")


def answers(app: Flask, browser: Browser) -> dict[tuple[str, str], Any]:
    return {(method, path): getattr(browser, method.lower())(path) for method, path in routes(app)}


@pytest.mark.parametrize("role", ["customer", "staff"])
def test_others_than_admins_are_refused_everywhere(app: Flask, browser: Browser, role: str) -> None:
    browser.sign_in(make_customer(role=role))
    browser.get("/search")
    found = answers(app, browser)
    assert len(found) >= 40
    assert {key: answer.status_code for key, answer in found.items() if answer.status_code != 403} == {}


def test_visitors_are_led_to_sign_in(app: Flask, browser: Browser) -> None:
    for method, path in routes(app):
        browser.csrf_token = ""
        answer = getattr(browser, method.lower())(path)
        assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/sign-in"), (method, path)


def test_forged_forms_change_nothing(app: Flask, browser: Browser, admin: Caller, run_sql: Sql) -> None:
    browser.sign_in(admin.person)
    before = run_sql("SELECT count(*) FROM audit_log")
    for method, path in routes(app):
        if method == "POST":
            assert browser.post(path, {"csrf_token": "forged"}).status_code == 403, path
            assert browser.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403, path
    assert run_sql("SELECT count(*) FROM audit_log") == before


def test_pages_of_an_empty_shop_are_there(app: Flask, browser: Browser, admin: Caller) -> None:
    browser.sign_in(admin.person)
    found = {
        path: browser.get(path).status_code for method, path in routes(app) if method == "GET" and "/1" not in path
    }
    assert len(found) > 12
    assert {path: status for path, status in found.items() if status != 200} == {"/admin/reports/": 303}


def test_staff_see_no_places_of_admins(desk: Browser, admin: Caller) -> None:
    page = desk.get("/admin/").text
    assert not [
        area for area in ("customers", "staff", "notifications", "audit", "reports") if f"/admin/{area}" in page
    ]
    desk.sign_in(admin.person)
    page = desk.get("/admin/").text
    for area in ("customers", "staff", "notifications/", "audit/", "reports/"):
        assert f'href="/admin/{area}"' in page


@pytest.mark.parametrize("area", ["customers", "notifications/", "audit/", "notifications/inbound"])
def test_filters_that_make_no_sense_are_said_and_left_out(browser: Browser, admin: Caller, area: str) -> None:
    browser.sign_in(admin.person)
    page = browser.get(f"/admin/{area}?limit=-1&limit=9&unknown=1&role=king&status=gone&actor_role=x&phone=abc")
    assert page.status_code == 200
    assert "This filter makes no sense, so it was left out." in page.text
    assert browser.get(f"/admin/{area}?cursor=nonsense").status_code == 422


def test_who_was_signed_out_meanwhile_comes_back_to_a_page(browser: Browser, admin: Caller) -> None:
    browser.sign_in(admin.person)
    page = browser.get(f"/admin/customers/{admin.person.id}").text
    assert page.count('name="return_to"') == len(re.findall('method="post"', page)) - 1  # but signing out
    text = "/admin/notifications/texts/order_delivered/customer/sms/en"
    assert f'name="return_to" value="{text}"' in browser.post(f"{text}/preview", {"source": "{{"}).text
