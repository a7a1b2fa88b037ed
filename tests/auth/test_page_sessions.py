"""How long a browser stays signed in: what is renewed without a word, and what ends it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from werkzeug.test import TestResponse

from grocery.auth.tokens import TokenPair
from tests.auth.browsing import BAD, Browser, expired, refused, signed
from tests.auth.conftest import RunSql
from tests.auth.factories import bearer, make_customer


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
