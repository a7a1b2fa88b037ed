"""One's own account: profile, addresses, contact, password, devices, data."""

import json

import pytest
from flask import Flask

from grocery.auth.hooks import customer_deleting
from grocery.auth.people import Person
from grocery.orders.deleting import OrderInTransitError
from tests.auth.factories import PASSWORD, find_person, make_customer, token_pair
from tests.conftest import IsolatedClient
from tests.storefront.account.conftest import OTHER_PHONE, PHONE, ReadSecret, cookie, enter_password, led_to
from tests.storefront.conftest import Browser, Sql, words_in

PAGES = [
    "/account",
    "/account/profile",
    "/account/phone",
    "/account/email",
    "/account/addresses",
    "/account/addresses/new",
    "/account/password",
    "/account/devices",
    "/account/second-factor",
    "/account/delete",
    "/sign-in/name",
]


@pytest.fixture
def person(browser: Browser) -> Person:
    found = make_customer(email="amina@example.com")
    browser.sign_in(found)
    browser.get("/account")
    return found


@pytest.fixture
def phoned(browser: Browser) -> Person:
    """Somebody who has a phone alone, and no password."""
    found = make_customer(email=None, phone=PHONE, is_phone_verified=True, password=None)
    browser.sign_in(found)
    browser.get("/account")
    return found


def now(person: Person) -> Person:
    found = find_person(person.id)
    assert found is not None
    return found


def make_stale(run_sql: Sql) -> None:
    run_sql("UPDATE token_families SET created_at = now() - interval '11 minutes'")


@pytest.mark.parametrize("page", PAGES)
def test_each_page_is_for_its_owner_alone(browser: Browser, page: str) -> None:
    assert led_to(browser.get(page)) == (303, f"/sign-in?return_to={page}")
    browser.sign_in(make_customer())
    shown = browser.get(page)
    assert shown.status_code == 200
    assert shown.text.count("<h1") == 1
    assert shown.headers["Cache-Control"] == "no-store"


def test_a_profile_is_changed(browser: Browser, person: Person) -> None:
    browser.get("/account/profile")
    form = {"name": " Amina  Otieno ", "language": "sw", "notify_by": "email", "marketing_email": "1"}
    changed = browser.post("/account/profile", form)
    assert led_to(changed) == (303, "/account/profile")
    after = now(person)
    assert (after.name, after.language, after.notify_by) == ("Amina Otieno", "sw", "email")
    assert (after.marketing_sms, after.marketing_email) == (False, True)
    assert '<html lang="sw">' in browser.get("/account/profile").text


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "Amina", "notify_by": "pigeon"}, "notify_by"),
        ({"name": "Amina", "notify_by": "sms"}, "notify_by"),
        ({"name": "Amina", "marketing_sms": "1"}, "marketing_sms"),
    ],
)
def test_what_is_wrong_with_a_profile_stands_at_its_field(
    browser: Browser, person: Person, form: dict[str, str], field: str
) -> None:
    page = browser.post("/account/profile", form)
    assert page.status_code == 422
    assert f'href="#{field}"' in page.text
    assert f'id="{field}"' in page.text
    assert now(person) == person


def test_nobody_becomes_an_admin_by_a_form(browser: Browser, person: Person) -> None:
    browser.post("/account/profile", {"name": "Amina", "role": "admin", "id": "1", "is_active": "0"})
    assert now(person).role == "customer"


def test_choices_of_this_device(browser: Browser, person: Person) -> None:
    browser.post("/account/this-device", {"if_unavailable": "call", "is_low": "1"})
    assert (cookie(browser, "wish"), cookie(browser, "lowdata")) == ("call", "1")
    browser.post("/account/this-device", {"if_unavailable": "<x>"})
    assert (cookie(browser, "wish"), cookie(browser, "lowdata")) == ("call", "0")


def test_addresses_come_and_go(browser: Browser, person: Person, run_sql: Sql) -> None:
    home = {"label": "Home", "landmark": "near <b>Shell</b>", "phone": "0722 000111", "is_default": "1"}
    assert led_to(browser.post("/account/addresses/new", home)) == (303, "/account/addresses")
    browser.post("/account/addresses/new", {"address": "Moi Avenue 5", "is_default": "1", "return_to": "/basket"})
    [(home_id, _), (work_id, is_default)] = run_sql("SELECT id, is_default FROM addresses ORDER BY id")
    assert is_default
    listed = browser.get("/account/addresses")
    assert "near &lt;b&gt;Shell&lt;/b&gt;" in listed.text
    assert "0722 000111" in words_in(listed)
    assert 'value="0722\u00a0000111"' in browser.get(f"/account/addresses/{home_id}").text

    browser.post(f"/account/addresses/{home_id}", {**home, "phone": "0722\u00a0000112"})
    rows = run_sql("SELECT id, phone, is_default FROM addresses ORDER BY id")
    assert rows == [(home_id, "+254722000112", True), (work_id, None, False)]
    assert led_to(browser.post(f"/account/addresses/{work_id}/delete")) == (303, "/account/addresses")
    assert run_sql("SELECT count(*) FROM addresses") == [(1,)]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "landmark"),
        ({"landmark": " ", "address": ""}, "landmark"),
        ({"landmark": "x", "phone": "12"}, "phone"),
        ({"landmark": "x", "zone_id": "999999"}, "zone_id"),
        ({"landmark": "x", "zone_id": "-1"}, "zone_id"),
        ({"landmark": "x", "zone_id": "9" * 40}, "zone_id"),
        ({"landmark": "x", "label": "x" * 61}, "label"),
        ({"landmark": "x" * 301}, "landmark"),
    ],
)
def test_an_address_that_makes_no_sense_is_not_saved(
    browser: Browser, person: Person, run_sql: Sql, form: dict[str, str], field: str
) -> None:
    page = browser.post("/account/addresses/new", form)
    assert page.status_code == 422
    assert f'href="#{field}"' in page.text
    assert run_sql("SELECT count(*) FROM addresses") == [(0,)]


def test_other_peoples_addresses_are_not_there(browser: Browser, person: Person, run_sql: Sql) -> None:
    other = make_customer()
    run_sql("INSERT INTO addresses (customer_id, landmark) VALUES (:id, 'theirs')", id=other.id)
    [(address_id,)] = run_sql("SELECT id FROM addresses")
    path = f"/account/addresses/{address_id}"
    assert browser.get(path).status_code == 404
    assert browser.post(path, {"landmark": "mine"}).status_code == 404
    assert browser.post(f"{path}/delete").status_code == 404
    assert run_sql("SELECT landmark, customer_id FROM addresses") == [("theirs", other.id)]


def test_a_phone_is_proved_with_a_code(browser: Browser, person: Person, read_secret: ReadSecret, run_sql: Sql) -> None:
    missing = browser.post("/account/phone", {"phone": "0712 345 678"})
    assert (missing.status_code, 'href="#password"' in missing.text) == (422, True)
    assert 'value="0712 345 678"' in missing.text
    assert browser.post("/account/phone", {"phone": "0712345678", "password": "guess"}).status_code == 422
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(0,)]

    sent = browser.post("/account/phone", {"phone": "0712 345 678", "password": PASSWORD})
    assert led_to(sent) == (303, "/account/phone/code")
    assert "Code sent to 0712 345678." in words_in(browser.get("/account/phone/code"))
    assert browser.post("/account/phone/code", {"code": "12"}).status_code == 422
    assert led_to(browser.post("/account/phone/code", {"code": read_secret(PHONE)})) == (303, "/account")
    assert (now(person).phone, now(person).is_phone_verified) == (PHONE, True)
    assert run_sql("SELECT action, actor_id FROM audit_log WHERE action LIKE '%phone%'") == [
        ("account.confirm_phone", person.id)
    ]

    browser.get("/account/phone")
    assert browser.post("/account/phone/remove", {"password": "guess"}).status_code == 422
    assert led_to(browser.post("/account/phone/remove", {"password": PASSWORD})) == (303, "/account")
    assert now(person).phone is None


def test_the_only_way_in_stays(browser: Browser, phoned: Person) -> None:
    page = browser.post("/account/phone/remove")
    assert page.status_code == 422
    assert now(phoned).phone == PHONE


def test_another_phone_needs_a_fresh_sign_in_without_a_password(browser: Browser, phoned: Person, run_sql: Sql) -> None:
    make_stale(run_sql)
    assert led_to(browser.post("/account/phone", {"phone": OTHER_PHONE})) == (303, "/sign-in?return_to=/account/phone")
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(0,)]


def test_another_email_address_is_had_once_it_is_proved(
    browser: Browser, person: Person, read_secret: ReadSecret
) -> None:
    browser.get("/account/email")
    assert browser.post("/account/email", {"email": "new@example.com"}).status_code == 422
    sent = browser.post("/account/email", {"email": "new@example.com", "password": PASSWORD})
    assert led_to(sent) == (303, "/account/email")
    assert now(person).email == "amina@example.com"
    browser.get("/verify?token=x")
    browser.post("/verify", {"token": read_secret("new@example.com")})
    assert now(person).email == "new@example.com"
    assert browser.post("/account/email/remove", {"password": PASSWORD}).status_code == 422


def test_another_password_signs_out_all_other_devices(browser: Browser, person: Person, app: Flask) -> None:
    other = Browser(IsolatedClient(app, app.response_class))
    other.sign_in(person)
    before = cookie(browser, "access")
    form = {"current_password": "guess", "new_password": "seven green mangoes"}
    wrong = browser.post("/account/password", form)
    assert (wrong.status_code, 'id="current_password-wrong"' in wrong.text) == (422, True)
    easy = browser.post("/account/password", {"current_password": PASSWORD, "new_password": "password"})
    assert (easy.status_code, 'id="new_password-wrong"' in easy.text) == (422, True)
    assert other.get("/account").status_code == 200

    done = browser.post("/account/password", {**form, "current_password": PASSWORD})

    assert led_to(done) == (303, "/account")
    assert cookie(browser, "access") not in (None, before)
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303


def test_a_first_password_takes_a_fresh_sign_in(browser: Browser, phoned: Person, run_sql: Sql) -> None:
    make_stale(run_sql)
    stale = browser.post("/account/password", {"new_password": "seven green mangoes"})
    assert led_to(stale) == (303, "/sign-in?return_to=/account/password")
    browser.sign_in(phoned)
    browser.get("/account/password")
    assert led_to(browser.post("/account/password", {"new_password": "seven green mangoes"})) == (303, "/account")


def test_devices_are_listed_and_signed_out(browser: Browser, person: Person, app: Flask, run_sql: Sql) -> None:
    others = [Browser(IsolatedClient(app, app.response_class)) for _ in range(2)]
    for other in others:
        other.sign_in(person)
    token_pair(make_customer())
    run_sql("UPDATE token_families SET device = '<b>Opera</b>'")
    page = browser.get("/account/devices")
    assert (page.text.count("This device"), page.text.count("&lt;b&gt;Opera")) == (1, 3 + 2)
    [stranger_id] = [row[0] for row in run_sql("SELECT id FROM token_families WHERE customer_id <> :id", id=person.id)]
    assert browser.post(f"/account/devices/{stranger_id}").status_code == 404
    assert browser.post("/account/devices/nonsense").status_code == 404

    [newest] = [
        row[0]
        for row in run_sql(
            """
        SELECT id FROM token_families WHERE customer_id = :id ORDER BY created_at DESC LIMIT 1
    """,
            id=person.id,
        )
    ]
    assert led_to(browser.post(f"/account/devices/{newest}")) == (303, "/account/devices")
    assert [other.get("/account").status_code for other in others] == [200, 303]
    browser.post("/account/devices")
    assert others[0].get("/account").status_code == 303
    assert browser.get("/account").status_code == 200


def test_a_copy_of_ones_data_is_a_file(browser: Browser, person: Person) -> None:
    copy = browser.post("/account/export")
    assert copy.headers["Content-Disposition"].startswith('attachment; filename="my-data-')
    assert copy.headers["Cache-Control"] == "no-store"
    assert json.loads(copy.text)["account"]["email"] == "amina@example.com"
    assert browser.get("/account/export").status_code == 405


def test_an_account_is_deleted_with_the_password(browser: Browser, person: Person, run_sql: Sql) -> None:
    browser.get("/account/delete")
    assert browser.post("/account/delete", {"password": "guess"}).status_code == 422
    assert browser.post("/account/delete", {}).status_code == 422
    assert now(person)
    gone = browser.post("/account/delete", {"password": PASSWORD})
    assert led_to(gone) == (303, "/")
    assert gone.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert find_person(person.id) is None
    assert cookie(browser, "access") is None
    assert ("account.delete_me",) in run_sql("SELECT action FROM audit_log")


def test_an_account_is_deleted_with_a_code(browser: Browser, phoned: Person, read_secret: ReadSecret) -> None:
    page = browser.get("/account/delete")
    assert 'name="code"' not in page.text
    assert led_to(browser.post("/account/delete/code")) == (303, "/account/delete")
    browser.get("/account/delete")
    assert browser.post("/account/delete", {"code": "000"}).status_code == 422
    assert led_to(browser.post("/account/delete", {"code": read_secret(PHONE)})) == (303, "/")
    assert find_person(phoned.id) is None


def test_who_waits_for_an_order_is_told_so(browser: Browser, person: Person) -> None:
    def refuse(_sender: object, **_: object) -> None:
        raise OrderInTransitError("G-7K3M9Q")

    browser.get("/account/delete")
    with customer_deleting.connected_to(refuse):
        page = browser.post("/account/delete", {"password": PASSWORD})
    assert (page.status_code, "An order is on its way to you." in words_in(page)) == (422, True)
    assert now(person) == person


def test_the_last_admin_stays(browser: Browser) -> None:
    admin = make_customer(role="admin")
    enter_password(browser, admin.email or "", PASSWORD)
    browser.get("/account/delete")
    page = browser.post("/account/delete", {"password": PASSWORD})
    assert (page.status_code, "You are the last admin of the shop." in words_in(page)) == (422, True)
    assert find_person(admin.id)


def test_forms_without_the_token_of_the_browser_change_nothing(browser: Browser, person: Person) -> None:
    for path in ("/account/profile", "/account/delete", "/account/password", "/account/devices", "/account/export"):
        answer = browser.client.post(path, data={"csrf_token": "made.up", "name": "X", "password": PASSWORD})
        assert answer.status_code == 403
    assert now(person) == person
