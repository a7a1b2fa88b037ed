"""Forgotten passwords, invitations, and the link that confirms an e-mail address."""

import re

import pytest
from flask import Flask

from grocery.auth.inviting import create_user
from grocery.db import transaction
from tests.auth.codes.conftest import wrong
from tests.auth.factories import PASSWORD, find_person, make_customer
from tests.conftest import IsolatedClient
from tests.storefront.account.conftest import PHONE, ReadSecret, cookie, enter_password, led_to
from tests.storefront.conftest import Browser, Sql, words_in

NEW = "seven green mangoes"
EMAIL = "amina@example.com"


def ask(browser: Browser, identifier: str) -> tuple[int, str]:
    browser.get("/reset")
    return led_to(browser.post("/reset", {"identifier": identifier}))


@pytest.mark.parametrize("address", ["/reset", "/invitation"])
def test_a_link_of_a_mail_leads_to_a_new_password(
    browser: Browser, read_secret: ReadSecret, run_sql: Sql, address: str
) -> None:
    make_customer(email=EMAIL)
    assert ask(browser, EMAIL) == (303, "/reset/choose")
    token = read_secret(EMAIL)

    page = browser.get(f"{address}?token={token}")
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "strict-origin")
    assert f'value="{token}"' in page.text
    assert run_sql("SELECT count(*) FROM one_time_codes WHERE used_at IS NULL") == [(1,)]

    easy = browser.post("/reset/choose", {"token": token, "new_password": "password"})
    assert (easy.status_code, 'id="new_password-wrong"' in easy.text) == (422, True)
    chosen = browser.post("/reset/choose", {"token": token, "new_password": NEW})
    assert led_to(chosen) == (303, "/sign-in/password")
    assert led_to(enter_password(browser, EMAIL, NEW)) == (303, "/account")
    browser.get("/reset")
    again = browser.post("/reset/choose", {"token": token, "new_password": PASSWORD})
    assert (again.status_code, "This link was used, or is too old." in words_in(again)) == (422, True)


def test_a_code_by_sms_leads_to_a_new_password(browser: Browser, read_secret: ReadSecret) -> None:
    make_customer(email=EMAIL, phone=PHONE, is_phone_verified=True)
    assert ask(browser, "0712 345 678") == (303, "/reset/choose")
    assert "If 0712 345678 has an account, a code is on its way." in words_in(browser.get("/reset/choose"))
    code = read_secret(PHONE)
    bad = browser.post("/reset/choose", {"code": wrong(code), "new_password": NEW})
    assert (bad.status_code, 'id="code-wrong"' in bad.text) == (422, True)
    done = browser.post("/reset/choose", {"code": f"{code[:3]} {code[3:]}", "new_password": NEW})
    assert led_to(done) == (303, "/sign-in/password")
    assert cookie(browser, "resetting") is None
    assert led_to(enter_password(browser, EMAIL, NEW)) == (303, "/account")


def test_known_and_unknown_addresses_get_the_very_same_pages(app: Flask, context: None, run_sql: Sql) -> None:
    make_customer(email=EMAIL, phone=PHONE, is_phone_verified=True)
    for known, unknown in ((EMAIL, "zuhra@example.com"), ("0712345678", "0722000111")):
        seen = []
        for identifier in (known, unknown):
            browser = Browser(IsolatedClient(app, app.response_class))
            led = ask(browser, identifier)
            page = re.sub(r'value="[^"]*"', "", browser.get("/reset/choose").text)
            shown = ("zuhra@example.com", "0722\u00a0000111")
            for text in shown:
                page = page.replace(text, EMAIL if "@" in text else "0712\u00a0345678")
            seen.append((led, page))
        assert seen[0] == seen[1]
    assert run_sql("SELECT count(*) FROM notifications") == [(2,)]


def test_a_code_is_of_no_use_for_another_number(browser: Browser, app: Flask, read_secret: ReadSecret) -> None:
    make_customer(email=EMAIL, phone=PHONE, is_phone_verified=True)
    mallory = make_customer(phone="+254722000111", is_phone_verified=True)
    ask(browser, "0722000111")
    code = read_secret("+254722000111")
    ask(browser, "0712345678")
    browser.get("/reset/choose")
    assert browser.post("/reset/choose", {"code": code, "new_password": NEW}).status_code == 422
    assert mallory.id
    assert led_to(enter_password(browser, EMAIL, PASSWORD)) == (303, "/account")


@pytest.mark.parametrize("identifier", ["", "@", "amina@", "12", "x" * 300, '"<script>"@x.com'])
def test_what_is_no_address_is_said(browser: Browser, run_sql: Sql, identifier: str) -> None:
    browser.get("/reset")
    page = browser.post("/reset", {"identifier": identifier})
    assert page.status_code == 422
    assert words_in(page).count("Write your e-mail address or phone number.") == 2
    assert "<script>" not in page.text.replace('<script type="module"', "")
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(0,)]


def test_an_invited_person_chooses_a_password(browser: Browser, read_secret: ReadSecret, run_sql: Sql) -> None:
    with transaction():
        create_user(name="Otieno", email="otieno@example.com", role="staff")
    [(body,)] = run_sql("SELECT body FROM notifications")
    token = read_secret("otieno@example.com")
    assert f"http://shop.example/invitation?token={token}" in body.splitlines()
    page = browser.get(f"/invitation?token={token}")
    assert "Test Grocer has made an account for you." in words_in(page)
    form = {"token": token, "is_invitation": "1", "new_password": NEW}
    assert led_to(browser.post("/reset/choose", form)) == (303, "/sign-in/password")
    assert led_to(enter_password(browser, "otieno@example.com", NEW)) == (303, "/account")


def test_the_link_of_a_mail_confirms_nothing_before_the_button(
    browser: Browser, read_secret: ReadSecret, run_sql: Sql
) -> None:
    person = make_customer(email=EMAIL)
    browser.sign_in(person)
    browser.get("/account/email")
    assert led_to(browser.post("/account/email", {})) == (303, "/account/email")
    token = read_secret(EMAIL)
    page = browser.get(f"/verify?token={token}")
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "strict-origin")
    seen = find_person(person.id)
    assert seen is not None
    assert not seen.is_email_verified
    assert led_to(browser.post("/verify", {"token": token})) == (303, "/account")
    seen = find_person(person.id)
    assert seen is not None
    assert seen.is_email_verified
    assert ("account.confirm_email",) in run_sql("SELECT action FROM audit_log")
    again = browser.post("/verify", {"token": token})
    assert (again.status_code, "This link was used" in words_in(again)) == (422, True)


def test_a_link_for_another_account_confirms_nothing(browser: Browser, app: Flask, read_secret: ReadSecret) -> None:
    owner, other = make_customer(email=EMAIL), make_customer()
    browser.sign_in(owner)
    browser.get("/account/email")
    browser.post("/account/email", {})
    stranger = Browser(IsolatedClient(app, app.response_class))
    stranger.sign_in(other)
    stranger.get("/verify?token=x")
    assert stranger.post("/verify", {"token": read_secret(EMAIL)}).status_code == 422
    unchanged = find_person(other.id)
    assert unchanged == other


def test_who_is_not_signed_in_comes_back_to_the_link(browser: Browser) -> None:
    page = browser.get("/verify?token=abc")
    assert "/sign-in?return_to=/verify?token%3Dabc" in page.text or "return_to=/verify?token%3Dabc" in page.text
    assert 'name="token"' not in page.text


def test_a_browser_that_is_too_old_to_say_which_site_it_is_on_can_send_the_form(browser: Browser) -> None:
    make_customer(email=EMAIL)
    page = browser.get("/reset")
    assert page.headers["Referrer-Policy"] not in ("no-referrer", "")
    sent = browser.post("/reset", {"identifier": EMAIL}, headers={"Origin": "http://shop.example"})
    assert led_to(sent) == (303, "/reset/choose")
    assert browser.post("/reset", {"identifier": EMAIL}, headers={"Origin": "null"}).status_code == 403
