"""Cookies: what a browser gets, on which routes they count, and what other sites cannot do with them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jwt as pyjwt
import pytest
from flask import Flask, Response, jsonify
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.api import public
from grocery.app import create_app
from grocery.auth.access import (
    current_person,
    current_person_or_none,
    current_token,
    customer_required,
    optional_person,
    staff_required,
)
from grocery.auth.cookies import clear_session_cookies, csrf_token, set_session_cookies
from grocery.auth.pages import Pages
from grocery.auth.people import Person
from grocery.auth.sessions import end_session
from grocery.auth.tokens import TokenPair
from grocery.config import Settings
from grocery.db import transaction
from tests.auth.conftest import RunSql
from tests.auth.factories import bearer, make_customer, token_pair

KEY = "secret-for-tests-only-fedcba9876543210"
BAD = "made up"


def pages(people: dict[str, int]) -> Pages:
    """A few pages as a storefront has them; `people` names who signs in."""
    blueprint = Pages("pages", __name__, url_prefix="/pages")

    @blueprint.get("/door")
    @optional_person
    def door() -> Response:
        return jsonify(csrf=csrf_token())

    @blueprint.post("/enter")
    @public
    def enter() -> Response:
        return set_session_cookies(Response("in"), token_pair(people["who"]))

    @blueprint.route("/account", methods=["GET", "POST"])
    @customer_required
    def account() -> Response:
        return jsonify(id=current_person().id, csrf=csrf_token())

    @blueprint.route("/front", methods=["GET", "POST"])
    @optional_person
    def front() -> Response:
        person = current_person_or_none()
        return jsonify(id=person.id if person else None)

    @blueprint.get("/back-office")
    @staff_required
    def back_office() -> Response:
        return jsonify(id=current_person().id)

    @blueprint.post("/leave")
    @customer_required
    def leave() -> Response:
        with transaction():
            end_session(current_token())
        return clear_session_cookies(Response("out"))

    return blueprint


class Browser:
    """Keeps cookies, as a test client does; sends what the test says beside them."""

    def __init__(self, app: Flask, people: dict[str, int]):
        self.app, self.people = app, people
        self.client: FlaskClient = app.test_client()

    def enter(self, person: Person) -> TestResponse:
        self.people["who"] = person.id
        return self.client.post("/pages/enter", data=self.at_the_door())

    def at_the_door(self) -> dict[str, str]:
        """What the form of the page has by which one enters."""
        return {"csrf_token": self.client.get("/pages/door").json["csrf"]}

    def cookie(self, name: str) -> str | None:
        kept = self.client.get_cookie(name)
        return kept.value if kept else None

    def cookies(self) -> dict[str, str | None]:
        return {name: self.cookie(name) for name in ("access", "refresh", "csrf")}

    def put(self, name: str, value: str) -> None:
        self.client.set_cookie(name, value)

    def forget(self, *names: str) -> None:
        for name in names:
            self.client.delete_cookie(name)

    def csrf(self) -> dict[str, str]:
        return {"csrf_token": self.cookie("csrf") or ""}


@pytest.fixture(scope="module")
def paged(settings: Settings) -> tuple[Flask, dict[str, int]]:
    """An application with these pages, and who enters by their door."""
    people: dict[str, int] = {}
    shop = create_app(replace(settings, jwt_secret_keys={"test": KEY}))
    shop.register_blueprint(pages(people))
    return shop, people


@pytest.fixture
def browser(app: Flask, paged: tuple[Flask, dict[str, int]]) -> Iterator[Browser]:
    shop, people = paged
    people.clear()
    with shop.app_context():
        yield Browser(shop, people)


def refused(response: TestResponse) -> tuple[int, str]:
    return response.status_code, response.json["code"]


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


@pytest.mark.parametrize("how", ["is gone", "has expired", "is not ours"])
def test_an_access_token_that_is_over_is_renewed_without_a_word(browser: Browser, how: str) -> None:
    person = make_customer()
    browser.enter(person)
    before = browser.cookies()
    if how == "is gone":  # browsers forget it after 15 minutes
        browser.forget("access")
    else:
        browser.put("access", expired(before["access"] or "") if how == "has expired" else BAD)
    answer = browser.client.get("/pages/account")
    assert (answer.status_code, answer.json["id"]) == (200, person.id)
    after = browser.cookies()
    assert after["access"] not in (None, before["access"])
    assert after["refresh"] not in (None, before["refresh"])
    assert browser.client.get("/pages/account").headers.getlist("Set-Cookie") == []


def test_a_form_that_was_open_meanwhile_still_comes_through(browser: Browser) -> None:
    browser.enter(make_customer())
    fields = browser.csrf()
    browser.forget("access")
    assert browser.client.post("/pages/account", data=fields).status_code == 200
    assert browser.csrf() == fields
    assert browser.client.post("/pages/account", data=fields).status_code == 200


def test_another_site_cannot_even_make_a_browser_renew(browser: Browser, run_sql: RunSql) -> None:
    browser.enter(make_customer())
    browser.forget("access")
    before = run_sql("SELECT refresh_jti FROM token_families")
    assert refused(browser.client.post("/pages/account")) == (403, "forged_request")
    assert run_sql("SELECT refresh_jti FROM token_families") == before


def test_several_tabs_that_renew_at_once_stay_signed_in(browser: Browser) -> None:
    browser.enter(make_customer())
    cookies = f"refresh={browser.cookie('refresh')}; csrf={browser.cookie('csrf')}"

    def load(_number: int) -> TestResponse:
        return browser.app.test_client(use_cookies=False).get("/pages/account", headers={"Cookie": cookies})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(load, range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    # Not all of the lines: when they expire is told in seconds, and a second may end meanwhile.
    given = [[line.partition(";")[0] for line in answer.headers.getlist("Set-Cookie")[:2]] for answer in answers]
    assert given == [given[0]] * 6
    kept = answers[0].headers.getlist("Set-Cookie")[0].partition(";")[0]
    later = browser.app.test_client(use_cookies=False).get("/pages/account", headers={"Cookie": kept})
    assert later.status_code == 200


def test_a_stolen_refresh_token_that_is_used_late_ends_the_sign_in(browser: Browser, run_sql: RunSql) -> None:
    browser.enter(make_customer())
    stolen = browser.cookie("refresh") or ""
    browser.forget("access")
    assert browser.client.get("/pages/account").status_code == 200
    run_sql("UPDATE token_families SET issued_at = issued_at - interval '31 seconds'")
    thief = browser.app.test_client()
    thief.set_cookie("refresh", stolen)
    assert refused(thief.get("/pages/account")) == (401, "token_revoked")
    assert refused(browser.client.get("/pages/account")) == (401, "token_revoked")


@pytest.mark.parametrize(
    "end", ["signed out", "deactivated", "deleted", "refresh expired", "forged", "swapped", "huge"]
)
def test_a_session_that_is_over_makes_a_visitor_and_takes_the_cookies_away(
    browser: Browser, run_sql: RunSql, end: str
) -> None:
    browser.enter(make_customer())
    kept = browser.cookies()
    if end == "signed out":
        pair = TokenPair(kept["access"] or "", kept["refresh"] or "")
        assert browser.client.post("/auth/logout", headers=bearer(pair.access_token)).status_code == 204
    elif end in ("deactivated", "deleted"):
        run_sql("UPDATE customers SET is_active = false" if end == "deactivated" else "DELETE FROM customers")
    else:
        access, refresh = {
            "refresh expired": (expired(kept["access"] or ""), expired(kept["refresh"] or "")),
            "forged": (BAD, signed(kept["refresh"] or "", key="another-secret-for-tests-0123456789abcdef")),
            "swapped": (kept["refresh"] or "", kept["access"] or ""),
            "huge": ("a" * 3000 + ".b.c", "a.b." + "c" * 3000),
        }[end]
        browser.put("access", access)
        browser.put("refresh", refresh)
    over = browser.cookies()
    answer = browser.client.get("/pages/account")
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert browser.cookies() == {"access": None, "refresh": None, "csrf": None}
    for name, value in over.items():
        browser.put(name, value or "")
    front = browser.client.get("/pages/front")
    assert (front.status_code, front.json) == (200, {"id": None})
    assert browser.cookies() == {"access": None, "refresh": None, "csrf": None}


def test_leaving_kills_the_tokens_and_not_only_the_cookies(browser: Browser) -> None:
    browser.enter(make_customer())
    kept = browser.cookies()
    assert browser.client.post("/pages/leave", data=browser.csrf()).status_code == 200
    assert browser.cookies() == {"access": None, "refresh": None, "csrf": None}
    for name, value in kept.items():
        browser.put(name, value or "")
    assert browser.client.get("/pages/account").status_code == 401


def test_another_sign_in_gets_another_csrf_token(browser: Browser) -> None:
    person = make_customer()
    browser.enter(person)
    fields = browser.csrf()
    browser.enter(person)
    assert browser.csrf() != fields
    assert refused(browser.client.post("/pages/account", data=fields)) == (403, "forged_request")


def expired(token: str) -> str:
    now = int(time.time())
    return signed(token, iat=now - 2000, exp=now - 1000)


def signed(token: str, key: str = KEY, **claims: Any) -> str:
    """The token with other claims, as somebody who has the key would sign it."""
    known = pyjwt.decode(token, options={"verify_signature": False})
    return pyjwt.encode({**known, **claims}, key, "HS256", headers={"kid": "test"})


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
