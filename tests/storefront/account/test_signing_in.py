"""Signing in by phone, with a password, and out again."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.auth.cookies import CSRF, DEVICE
from grocery.auth.people import Person
from tests.auth.codes.conftest import wrong
from tests.auth.factories import PASSWORD, find_person, make_customer, token_pair
from tests.conftest import IsolatedClient
from tests.products.factories import make_product
from tests.storefront.account.conftest import (
    OTHER_PHONE,
    PHONE,
    ReadSecret,
    ask_code,
    cookie,
    enter_password,
    led_to,
)
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.parts import part_of


def make_owner(**values: object) -> Person:
    return make_customer(phone=PHONE, is_phone_verified=True, **values)  # type: ignore[arg-type]


def test_a_newcomer_signs_in_with_a_code_and_says_a_name(
    browser: Browser, read_secret: ReadSecret, run_sql: Sql
) -> None:
    assert led_to(ask_code(browser, "0712 345 678", return_to="/basket")) == (303, "/sign-in/code?return_to=/basket")
    page = browser.get("/sign-in/code?return_to=/basket")
    assert "Code sent to 0712 345678." in words_in(page)
    assert 'inputmode="numeric"' in page.text
    assert 'autocomplete="one-time-code"' in page.text

    code = read_secret(PHONE)
    entered = browser.post("/sign-in/code", {"code": f" {code[:3]} {code[3:]} ", "return_to": "/basket"})

    assert led_to(entered) == (303, "/sign-in/name?return_to=/basket")
    browser.get("/sign-in/name?return_to=/basket")
    named = browser.post("/sign-in/name", {"name": "Amina <script>", "return_to": "/basket"})
    assert led_to(named) == (303, "/basket")
    assert run_sql("SELECT name, phone, language FROM customers") == [("Amina <script>", PHONE, "en")]
    shown = browser.get("/account").text
    assert "Amina &lt;script&gt;" in shown
    assert "<script>alert" not in shown


def test_a_name_may_be_left_out(browser: Browser, read_secret: ReadSecret, run_sql: Sql) -> None:
    ask_code(browser)
    browser.get("/sign-in/code")
    browser.post("/sign-in/code", {"code": read_secret(PHONE)})
    browser.get("/sign-in/name")
    assert led_to(browser.post("/sign-in/name", {"name": " "})) == (303, "/account")
    assert run_sql("SELECT name FROM customers") == [("Customer",)]
    assert "<h1>Your account</h1>" in browser.get("/account").text


def test_known_and_unknown_numbers_get_the_very_same_pages(app: Flask, context: None) -> None:
    make_owner()
    seen = []
    for phone in (PHONE, OTHER_PHONE):
        browser = Browser(IsolatedClient(app, app.response_class))
        led = led_to(ask_code(browser, phone))
        page = browser.get("/sign-in/code").text
        page = re.sub(r'value="[\w.-]{30,}"', "", page).replace("0722\u00a0000111", "0712\u00a0345678")
        seen.append((led, re.sub(r"[0-9:]{8}", "", page)))
    assert seen[0] == seen[1]


def test_a_number_stays_out_of_the_address(browser: Browser) -> None:
    _, address = led_to(ask_code(browser))
    assert "712345678" not in address
    assert browser.get(address).headers["Referrer-Policy"] == "strict-origin"


@pytest.mark.parametrize("phone", ["", "12", "020 2222222", "<b>0712", "0712345678\x00", "9" * 5000])
def test_a_number_that_gets_no_sms_is_said_beside_the_field(browser: Browser, run_sql: Sql, phone: str) -> None:
    page = ask_code(browser, phone)
    assert page.status_code == 422
    assert words_in(page).count("Write the number of a mobile phone, such as 0712 345 678.") == 2
    assert "<title>Error: Sign in" in page.text
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(0,)]


def test_a_wrong_code_signs_nobody_in(browser: Browser, read_secret: ReadSecret, run_sql: Sql) -> None:
    ask_code(browser)
    browser.get("/sign-in/code")
    page = browser.post("/sign-in/code", {"code": wrong(read_secret(PHONE))})
    assert page.status_code == 422
    assert "This code is wrong or too old." in words_in(page)
    assert cookie(browser, "access") is None
    assert run_sql("SELECT count(*) FROM customers") == [(0,)]


def test_a_code_opens_no_other_number(browser: Browser, app: Flask, read_secret: ReadSecret, run_sql: Sql) -> None:
    make_owner()
    other = Browser(IsolatedClient(app, app.response_class))
    ask_code(other, OTHER_PHONE)
    ask_code(browser, PHONE)
    browser.get("/sign-in/code")
    page = browser.post("/sign-in/code", {"code": read_secret(OTHER_PHONE), "phone": OTHER_PHONE})
    assert page.status_code == 422
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]


def test_a_code_without_the_page_before_begins_anew(browser: Browser) -> None:
    browser.get("/sign-in")
    browser.client.set_cookie("signing-in", "eyJwaG9uZSI6IisyNTQ3MTIzNDU2NzgifQ.made.up")
    assert led_to(browser.get("/sign-in/code")) == (303, "/sign-in")
    assert led_to(browser.post("/sign-in/code", {"code": "123456"})) == (303, "/sign-in")


def test_another_code_is_sent_after_half_a_minute(
    browser: Browser, run_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_code(browser)
    assert re.search(r"You can ask for another one from \d\d:\d\d:\d\d\.", words_in(browser.get("/sign-in/code")))

    early = browser.post("/sign-in/resend", {})
    assert early.status_code == 429
    assert re.search(r"Try again in (29|30) seconds\.", words_in(early))
    assert 29 <= int(early.headers["Retry-After"]) <= 30

    monkeypatch.setattr("grocery.storefront.account.sign_in_views.RESEND_SECONDS", -1)
    assert led_to(browser.post("/sign-in/resend", {})) == (303, "/sign-in/code")
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(2,)]


def test_too_many_codes_are_told_in_words(browser: Browser, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "RATE_LIMIT_OTP", "1/hour")
    ask_code(browser)
    page = ask_code(browser)
    assert page.status_code == 429
    assert re.search(r"That was too often\. Try again in (60|61) minutes\.", words_in(page))


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil",
    ],
)
def test_nobody_is_led_to_another_site(browser: Browser, address: str) -> None:
    person = make_customer()
    page = browser.get("/sign-in/password", query_string={"return_to": address})
    main = part_of(page.text, "main")
    assert main
    assert "evil" not in main
    assert "alert(1)" not in main
    entered = enter_password(browser, person.email or "", PASSWORD, return_to=address)
    assert led_to(entered) == (303, "/account")


def test_signing_in_changes_all_cookies_and_ends_the_sign_in_of_before(browser: Browser, run_sql: Sql) -> None:
    attacker, owner = make_customer(), make_customer()
    browser.sign_in(attacker)
    browser.get("/sign-in/password")
    before = {name: cookie(browser, name) for name in ("access", "refresh", CSRF)}

    assert led_to(enter_password(browser, owner.email or "", PASSWORD)) == (303, "/account")

    after = {name: cookie(browser, name) for name in before}
    assert not set(before.values()) & set(after.values())
    assert run_sql(
        "SELECT family.customer_id FROM token_families AS family JOIN token_blocklist ON token_id = family.id"
    ) == [(attacker.id,)]


def test_a_form_without_the_token_of_this_browser_is_refused(client: FlaskClient, run_sql: Sql) -> None:
    person = make_customer()
    body = {"identifier": person.email, "password": PASSWORD, "csrf_token": "made.up"}
    assert client.post("/sign-in/password", data=body).status_code == 403
    client.get("/sign-in/password")
    assert client.post("/sign-in/password", data=body).status_code == 403
    assert client.post("/sign-in", data={"phone": PHONE}).status_code == 403
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(0,)]


def test_unknown_accounts_and_wrong_passwords_look_the_same(app: Flask, context: None) -> None:
    person = make_customer()
    seen = []
    for identifier in (person.email or "", "nobody@example.com"):
        browser = Browser(IsolatedClient(app, app.response_class))
        page = enter_password(browser, identifier, "a wrong password")
        seen.append((page.status_code, re.sub(r'value="[^"]+"', "", page.text)))
    assert seen[0] == seen[1]
    assert "The e-mail address or phone number, or the password, is wrong." in words_in(seen[0][1])


def test_the_basket_of_a_visitor_joins(browser: Browser, run_sql: Sql) -> None:
    bread, person = make_product("Bakery"), make_customer()
    browser.post(f"/basket/items/{bread}", {"quantity": "2"})
    assert cookie(browser, "cart")

    enter_password(browser, person.email or "", PASSWORD)

    assert cookie(browser, "cart") is None
    rows = run_sql("SELECT carts.customer_id, quantity FROM cart_items JOIN carts ON carts.id = cart_id")
    assert [(customer_id, int(quantity)) for customer_id, quantity in rows] == [(person.id, 2)]


def test_a_device_is_known_by_its_cookie(browser: Browser, run_sql: Sql) -> None:
    person = make_customer()
    entered = enter_password(browser, person.email or "", PASSWORD)
    first = cookie(browser, DEVICE)
    assert first
    assert "HttpOnly" in str(entered.headers.getlist("Set-Cookie"))
    assert "X-Device-Token" not in entered.headers
    browser.post("/sign-out")
    enter_password(browser, person.email or "", PASSWORD)
    assert cookie(browser, DEVICE) == first
    assert run_sql("SELECT count(*) FROM known_devices") == [(1,)]


def test_a_header_makes_no_device_of_a_browser(browser: Browser, run_sql: Sql) -> None:
    person = make_customer()
    enter_password(browser, person.email or "", PASSWORD)
    token = cookie(browser, DEVICE) or ""
    browser.client.delete_cookie(DEVICE)
    browser.get("/sign-in/password")
    form = {"identifier": person.email, "password": PASSWORD}
    browser.post("/sign-in/password", form, headers={"X-Device-Token": token})
    assert run_sql("SELECT count(*) FROM known_devices") == [(2,)]


def test_the_language_of_the_profile_is_spoken(browser: Browser, run_sql: Sql) -> None:
    person = make_customer()
    run_sql("UPDATE customers SET language = 'sw'")
    enter_password(browser, person.email or "", PASSWORD)
    assert cookie(browser, "lang") == "sw"
    assert '<html lang="sw">' in browser.get("/account").text


def test_an_account_is_made_with_an_email_address(browser: Browser, run_sql: Sql) -> None:
    browser.get("/register")
    form = {"name": "Brian", "email": "brian@example.com", "new_password": PASSWORD}
    assert led_to(browser.post("/register", form)) == (303, "/account")
    assert run_sql("SELECT name, email, language FROM customers") == [("Brian", "brian@example.com", "en")]
    assert run_sql("SELECT recipient FROM notifications WHERE event = 'verify_email'") == [("brian@example.com",)]


def test_what_is_wrong_with_a_new_account_stands_at_its_field(browser: Browser, run_sql: Sql) -> None:
    taken = make_customer(email="taken@example.com")
    browser.get("/register")
    easy = browser.post("/register", {"name": "Brian", "email": "brian@example.com", "new_password": "password"})
    assert (easy.status_code, 'id="new_password-wrong"' in easy.text) == (422, True)
    assert 'value="brian@example.com"' in easy.text
    assert 'value="password"' not in easy.text
    known = browser.post("/register", {"name": "Brian", "email": taken.email, "new_password": PASSWORD})
    assert (known.status_code, 'id="email-wrong"' in known.text) == (422, True)
    none = browser.post("/register", {})
    for field in ("name", "email", "new_password"):
        assert f'id="{field}-wrong"' in none.text
    assert run_sql("SELECT count(*) FROM customers") == [(1,)]


def test_signing_out_ends_the_sign_in_and_clears_the_browser(browser: Browser, run_sql: Sql) -> None:
    person = make_customer()
    browser.sign_in(person)
    browser.get("/account")
    out = browser.post("/sign-out")
    assert led_to(out) == (303, "/")
    assert out.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert [cookie(browser, name) for name in ("access", "refresh")] == [None, None]
    assert led_to(browser.get("/account")) == (303, "/sign-in?return_to=/account")
    assert run_sql("SELECT count(*) FROM token_blocklist") == [(2,)]


def test_a_second_tab_learns_that_the_first_one_has_signed_out(browser: Browser) -> None:
    person = make_customer()
    browser.sign_in(person)
    browser.get("/account/profile")
    token_of_second_tab = browser.csrf_token
    browser.post("/sign-out")
    browser.csrf_token = token_of_second_tab
    changed = browser.post("/account/profile", {"name": "Other"})
    assert led_to(changed) == (303, "/sign-in?return_to=/account/profile")
    assert "You were signed out meanwhile." in words_in(browser.get("/sign-in"))
    unchanged = find_person(person.id)
    assert unchanged is not None
    assert unchanged.name == person.name


def test_an_expired_access_cookie_is_renewed_without_a_word(browser: Browser) -> None:
    person = make_customer()
    browser.client.set_cookie("refresh", token_pair(person).refresh_token)
    assert browser.get("/account").status_code == 200
    assert cookie(browser, "access")


def test_nobody_who_is_deactivated_signs_in(browser: Browser, read_secret: ReadSecret, run_sql: Sql) -> None:
    make_owner(is_active=False)
    ask_code(browser)
    browser.get("/sign-in/code")
    assert browser.post("/sign-in/code", {"code": read_secret(PHONE)}).status_code == 422
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]
