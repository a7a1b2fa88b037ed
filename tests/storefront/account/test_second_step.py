"""Signing in with a second factor, and turning it on and off on pages."""

import re

import pyotp
import pytest
from flask import Flask

from grocery.auth.people import Person
from tests.auth.factories import PASSWORD, make_customer
from tests.auth.second_factor.factories import turn_on_totp
from tests.storefront.account.conftest import PHONE, ReadSecret, ask_code, cookie, enter_password, led_to
from tests.storefront.conftest import Browser, Sql, words_in

WRONG = "This code is wrong, or was used before."


def sign_ins(run_sql: Sql) -> int:
    [(number,)] = run_sql("SELECT count(*) FROM token_families")
    return int(number)


def secret_in(html: str) -> str:
    found = re.search(r'name="secret" value="([A-Z2-7]+)"', html)
    assert found
    return found[1]


@pytest.fixture
def staff(context: None) -> Person:
    return make_customer(is_email_verified=True, role="staff")


def test_the_password_is_asked_once_and_kept_nowhere(browser: Browser, staff: Person, run_sql: Sql) -> None:
    factor = turn_on_totp(staff)
    entered = enter_password(browser, staff.email or "", PASSWORD, return_to="/basket")
    assert led_to(entered) == (303, "/sign-in/second-step?return_to=/basket")
    assert PASSWORD not in (cookie(browser, "second-factor") or "")
    assert cookie(browser, "access") is None

    page = browser.get("/sign-in/second-step?return_to=/basket")
    assert 'type="password"' not in page.text
    wrong = browser.post("/sign-in/second-step", {"totp": factor.wrong_code(), "return_to": "/basket"})
    assert (wrong.status_code, WRONG in words_in(wrong)) == (422, True)
    assert sign_ins(run_sql) == 0
    code = factor.code()
    done = browser.post("/sign-in/second-step", {"totp": f"{code[:3]} {code[3:]}", "return_to": "/basket"})
    assert led_to(done) == (303, "/basket")
    assert sign_ins(run_sql) == 1
    assert cookie(browser, "second-factor") is None


def test_a_code_of_the_app_is_good_once_with_the_same_first_step(browser: Browser, staff: Person, run_sql: Sql) -> None:
    factor = turn_on_totp(staff)
    enter_password(browser, staff.email or "", PASSWORD)
    first_step, code = cookie(browser, "second-factor") or "", factor.code()
    browser.get("/sign-in/second-step")
    assert led_to(browser.post("/sign-in/second-step", {"totp": code})) == (303, "/account")
    browser.get("/account")
    browser.post("/sign-out")

    browser.client.set_cookie("second-factor", first_step)
    browser.get("/sign-in/second-step")
    again = browser.post("/sign-in/second-step", {"totp": code})

    assert (again.status_code, WRONG in words_in(again)) == (422, True)
    assert sign_ins(run_sql) == 1


def test_a_first_step_ends_with_the_password_that_it_stands_for(browser: Browser, staff: Person, run_sql: Sql) -> None:
    factor = turn_on_totp(staff)
    enter_password(browser, staff.email or "", PASSWORD)
    run_sql("UPDATE customers SET password_hash = password_hash || 'x'")
    browser.get("/sign-in/second-step")
    assert led_to(browser.post("/sign-in/second-step", {"totp": factor.code()})) == (303, "/sign-in")
    assert sign_ins(run_sql) == 0


def test_no_first_step_can_be_made_up_or_taken_from_elsewhere(browser: Browser, staff: Person, run_sql: Sql) -> None:
    factor = turn_on_totp(staff)
    ask_code(browser)
    of_another_kind = cookie(browser, "signing-in") or ""
    browser.get("/sign-in")
    for forged in ("made.up", of_another_kind, ""):
        browser.client.set_cookie("second-factor", forged)
        assert led_to(browser.get("/sign-in/second-step")) == (303, "/sign-in")
        assert led_to(browser.post("/sign-in/second-step", {"totp": factor.code()})) == (303, "/sign-in")
    assert sign_ins(run_sql) == 0


def test_a_recovery_code_stands_in(browser: Browser, staff: Person, run_sql: Sql) -> None:
    factor = turn_on_totp(staff)
    enter_password(browser, staff.email or "", PASSWORD)
    browser.get("/sign-in/second-step")
    form = {"totp": "", "recovery_code": factor.recovery_codes[0].upper()}
    assert led_to(browser.post("/sign-in/second-step", form)) == (303, "/account")
    assert sign_ins(run_sql) == 1


def test_a_code_by_sms_needs_the_second_step_too(browser: Browser, read_secret: ReadSecret, run_sql: Sql) -> None:
    person = make_customer(email=None, phone=PHONE, is_phone_verified=True, password=None)
    factor = turn_on_totp(person)
    ask_code(browser)
    browser.get("/sign-in/code")
    entered = browser.post("/sign-in/code", {"code": read_secret(PHONE)})
    assert led_to(entered) == (303, "/sign-in/second-step")
    assert sign_ins(run_sql) == 0
    browser.get("/sign-in/second-step")
    assert browser.post("/sign-in/second-step", {"totp": factor.wrong_code()}).status_code == 422
    assert led_to(browser.post("/sign-in/second-step", {"totp": factor.code()})) == (303, "/account")
    assert sign_ins(run_sql) == 1


def test_it_is_turned_on_with_a_qr_code_and_off_again(browser: Browser, staff: Person, run_sql: Sql) -> None:
    browser.sign_in(staff)
    browser.get("/account/second-factor")
    assert browser.post("/account/second-factor", {"password": "wrong password"}).status_code == 422
    begun = browser.post("/account/second-factor", {"password": PASSWORD})
    assert 'src="data:image/svg+xml' in begun.text
    assert (begun.headers["Cache-Control"], begun.headers["Referrer-Policy"]) == ("no-store", "strict-origin")
    secret = secret_in(begun.text)

    wrong = browser.post("/account/second-factor/confirm", {"totp": "000000", "secret": secret})
    assert (wrong.status_code, secret_in(wrong.text)) == (422, secret)
    on = browser.post("/account/second-factor/confirm", {"totp": pyotp.TOTP(secret).now(), "secret": secret})
    codes = re.findall(r"<code>([0-9a-z-]{29})</code>", on.text)
    assert (len(codes), on.headers["Cache-Control"]) == (10, "no-store")
    assert codes[0] not in browser.get("/account/second-factor").text

    renewed = browser.post("/account/second-factor/recovery-codes", {"recovery_code": codes[0]})
    new_codes = re.findall(r"<code>([0-9a-z-]{29})</code>", renewed.text)
    assert len(new_codes) == 10
    browser.get("/account/second-factor")
    assert browser.post("/account/second-factor/off", {"recovery_code": codes[1]}).status_code == 422
    off = browser.post("/account/second-factor/off", {"recovery_code": new_codes[0]})
    assert led_to(off) == (303, "/account/second-factor")
    assert run_sql("SELECT count(*) FROM second_factors") == [(0,)]


def test_a_secret_of_the_form_that_is_none_is_not_shown(browser: Browser, staff: Person) -> None:
    browser.sign_in(staff)
    browser.get("/account/second-factor")
    answer = browser.post("/account/second-factor/confirm", {"totp": "123456", "secret": "<script>alert(1)</script>"})
    assert led_to(answer) == (303, "/account/second-factor")


def test_staff_are_led_to_it_where_the_shop_wants_it(
    browser: Browser, staff: Person, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "REQUIRE_TOTP", True)
    enter_password(browser, staff.email or "", PASSWORD)
    assert led_to(browser.get("/admin/")) == (303, "/account/second-factor")
    assert led_to(browser.get("/account/profile")) == (303, "/account/second-factor")
    page = browser.get("/account/second-factor")
    assert "Staff of this shop need a second step." in words_in(page)
    assert browser.get("/account").status_code == 200
    customer = make_customer()
    browser.post("/sign-out")
    enter_password(browser, customer.email or "", PASSWORD)
    assert browser.get("/account/profile").status_code == 200
