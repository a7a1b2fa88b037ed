"""Cookies: what a browser gets, on which routes they count, and what other sites cannot do with them."""

from dataclasses import replace

import pytest
from flask import Flask

from grocery.app import create_app
from grocery.config import Settings
from tests.auth.browsing import BAD, Browser, pages, refused
from tests.auth.conftest import RunSql
from tests.auth.factories import bearer, make_customer, token_pair


def test_a_browser_gets_three_cookies_of_which_scripts_read_one(browser: Browser) -> None:
    lines = browser.enter(make_customer()).headers.getlist("Set-Cookie")
    told = {line.partition("=")[0]: {part.strip() for part in line.split(";")[1:]} for line in lines}
    attributes = {
        name: {part for part in parts if not part.startswith(("Expires", "Max-Age"))} for name, parts in told.items()
    }
    assert attributes == {
        "access": {"HttpOnly", "Path=/", "SameSite=Lax"},
        "refresh": {"HttpOnly", "Path=/", "SameSite=Lax"},
        "csrf": {"Path=/", "SameSite=Lax"},
    }
    assert "Max-Age=900" in told["access"]
    assert "Max-Age=2592000" in told["refresh"]


def test_in_production_no_other_host_and_no_plain_http_can_touch_them(app: Flask, settings: Settings) -> None:
    people: dict[str, int] = {}
    shop = create_app(replace(settings, environment="production"))
    shop.register_blueprint(pages(people))
    with shop.app_context():
        people["who"] = make_customer().id
        client = shop.test_client()
        token = client.get("/pages/door", base_url="https://localhost").json["csrf"]
        entered = client.post("/pages/enter", base_url="https://localhost", data={"csrf_token": token})
        lines = entered.headers.getlist("Set-Cookie")
        assert client.get("/pages/account", base_url="https://localhost").status_code == 200
        plain = shop.test_client()
        for line in lines:
            plain.set_cookie(line.partition("=")[0].removeprefix("__Host-"), line.partition("=")[2].partition(";")[0])
        assert plain.get("/pages/account", base_url="https://localhost").status_code == 401
    assert sorted(line.partition("=")[0] for line in lines) == ["__Host-access", "__Host-csrf", "__Host-refresh"]
    for line in lines:
        assert "; Secure;" in line
        assert "; Path=/;" in line
        assert "Domain" not in line


def test_pages_know_the_person_and_are_not_kept_by_anyone(browser: Browser) -> None:
    person = make_customer()
    assert browser.client.get("/pages/front").headers.get("Cache-Control") is None
    browser.enter(person)
    answer = browser.client.get("/pages/account")
    assert answer.json == {"id": person.id, "csrf": browser.cookie("csrf")}
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Cookie" in answer.headers["Vary"]
    assert answer.headers.getlist("Set-Cookie") == []


def test_the_api_takes_no_cookies_and_pages_take_no_headers(browser: Browser) -> None:
    person = make_customer()
    browser.enter(person)
    for method, path in (
        ("GET", "/auth/me"),
        ("POST", "/auth/logout"),
        ("GET", "/orders/"),
        ("DELETE", "/auth/sessions"),
    ):
        assert refused(browser.client.open(path, method=method)) == (401, "missing_token")
    assert browser.client.post("/auth/refresh").status_code == 401
    other = Browser(browser.app, browser.people)
    headers = bearer(token_pair(person).access_token)
    assert other.client.get("/pages/account", headers=headers).status_code == 401
    assert other.client.get("/pages/front", headers=headers).json == {"id": None}


@pytest.mark.parametrize(("role", "status"), [("customer", 403), ("staff", 200), ("admin", 200)])
def test_roles_count_on_pages_too(browser: Browser, role: str, status: int) -> None:
    browser.enter(make_customer(role=role))
    assert browser.client.get("/pages/back-office").status_code == status


def test_a_form_with_its_token_and_a_script_with_the_header_come_through(browser: Browser) -> None:
    browser.enter(make_customer())
    assert browser.client.post("/pages/account", data=browser.csrf()).status_code == 200
    header = {"X-CSRF-Token": browser.cookie("csrf") or ""}
    assert browser.client.post("/pages/account", json={}, headers=header).status_code == 200


@pytest.mark.parametrize("path", ["/pages/account", "/pages/front", "/pages/leave"])
@pytest.mark.parametrize("sent", ["nothing", "empty", BAD, "é", "a stranger's", "a planted pair", "another nonce"])
def test_what_another_site_makes_a_browser_send_changes_nothing(
    browser: Browser, run_sql: RunSql, path: str, sent: str
) -> None:
    stranger = Browser(browser.app, browser.people)
    stranger.enter(make_customer())
    browser.enter(make_customer())
    own, planted = browser.cookie("csrf") or "", stranger.cookie("csrf") or ""
    fields = {
        "nothing": {},
        "empty": {"csrf_token": ""},
        "a stranger's": {"csrf_token": planted},
        "a planted pair": {"csrf_token": planted},
        "another nonce": {"csrf_token": "x" + own},
    }.get(sent, {"csrf_token": sent})
    if sent in ("a planted pair", "another nonce"):
        browser.put("csrf", fields["csrf_token"])
    assert refused(browser.client.post(path, data=fields)) == (403, "forged_request")
    assert browser.cookie("access") is not None
    assert run_sql("SELECT count(*) FROM token_blocklist") == [(0,)]


def test_without_the_cookie_a_token_is_worth_nothing(browser: Browser) -> None:
    browser.enter(make_customer())
    fields = browser.csrf()
    browser.forget("csrf")
    assert refused(browser.client.post("/pages/account", data=fields)) == (403, "forged_request")
    browser.put("csrf", "")
    assert refused(browser.client.post("/pages/account", data={"csrf_token": ""})) == (403, "forged_request")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://shop.example"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://["}, 403),
    ],
)
def test_other_sites_can_sign_nobody_in(browser: Browser, headers: dict[str, str], status: int) -> None:
    browser.people["who"] = make_customer().id
    token = browser.at_the_door()
    assert browser.client.post("/pages/enter", headers=headers, data=token).status_code == status
    assert (browser.cookie("access") is not None) == (status == 200)


def test_a_visitor_is_signed_in_by_no_form_but_the_shops_own(browser: Browser) -> None:
    browser.people["who"] = make_customer().id
    assert refused(browser.client.post("/pages/enter")) == (403, "forged_request")
    token = browser.at_the_door()["csrf_token"]
    assert browser.at_the_door() == {"csrf_token": token}
    assert refused(browser.client.post("/pages/enter")) == (403, "forged_request")
    assert refused(browser.client.post("/pages/enter", data={"csrf_token": token[:-1]})) == (403, "forged_request")
    browser.put("csrf", "planted.token")
    assert refused(browser.client.post("/pages/enter", data={"csrf_token": "planted.token"})) == (403, "forged_request")
    assert browser.cookie("access") is None


def test_a_visitors_token_is_none_of_somebody_who_is_signed_in(browser: Browser) -> None:
    visitors = browser.at_the_door()["csrf_token"]
    browser.enter(make_customer())
    assert browser.cookie("csrf") != visitors
    browser.put("csrf", visitors)
    assert refused(browser.client.post("/pages/account", data={"csrf_token": visitors})) == (403, "forged_request")
    mended = browser.client.get("/pages/account").json["csrf"]
    assert browser.client.post("/pages/account", data={"csrf_token": mended}).status_code == 200


def test_links_from_other_sites_lead_in(browser: Browser) -> None:
    browser.enter(make_customer())
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
    assert browser.client.get("/pages/account", headers=headers).status_code == 200


def test_another_sign_in_gets_another_csrf_token(browser: Browser) -> None:
    person = make_customer()
    browser.enter(person)
    fields = browser.csrf()
    browser.enter(person)
    assert browser.csrf() != fields
    assert refused(browser.client.post("/pages/account", data=fields)) == (403, "forged_request")


@pytest.mark.parametrize("origin", ["null", "", "http://["])
def test_a_shop_without_an_address_takes_no_origin_without_a_host(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    monkeypatch.setitem(browser.app.config, "SHOP_URL", "")
    browser.people["who"] = make_customer().id
    assert refused(browser.client.post("/pages/enter", headers={"Origin": origin})) == (403, "forged_request")
    assert browser.cookie("access") is None


def test_the_answer_that_signs_in_is_kept_by_nobody(browser: Browser) -> None:
    assert browser.enter(make_customer()).headers["Cache-Control"] == "no-store"
