"""What no page of the shop sends: each form with nothing, too much and the wrong things in it."""

import re
from urllib.parse import quote_plus

import pytest
from flask import Flask

from grocery.auth.people import Person
from tests.auth.factories import make_customer
from tests.products.factories import make_product
from tests.storefront.app.walking import address_of, field_names, shopper_rules
from tests.storefront.conftest import Browser, Sql

#: Each stands in all fields of a form at once.
NONSENSE = {
    "empty": "",
    "NUL": "a\0b",
    "control": "1\x1b[2J\x7f\x85",
    "long digits": "9" * 5000,
    "zeros first": "0" * 19 + "1" + "9" * 5000,
    "power": "1e30",
    "not a number": "NaN",
    "superscript": "²",
    "lines": "/\r\nSet-Cookie: a=b",
    "emoji": "😀" * 400,
    "long": "x" * 20_000,
    "template": "<script>{{7*7}}</script> %(name)s %s {0}",
}

#: The worst of them; the others are tried in the long proof.
KINDS = [
    kind if kind in ("NUL", "long digits", "template") else pytest.param(kind, marks=pytest.mark.prove)
    for kind in NONSENSE
]

ARGUMENTS = ("lang", "cursor", "pages", "sort", "q", "token", "removed", "quantity", "return_to", "if_unavailable")


@pytest.fixture
def person(context: None) -> Person:
    make_product("Bakery")
    return make_customer("Amina", phone="+254712345678", is_phone_verified=True)


def failing_forms(browser: Browser, app: Flask, data: dict[str, object]) -> list[str]:
    return [
        rule.rule
        for rule in shopper_rules(app, "POST")
        for headers in ({}, {"X-Parts": "1"})
        if browser.post(address_of(rule), data, headers=headers).status_code >= 500
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_no_form_fails_for_nonsense(app: Flask, browser: Browser, person: Person, kind: str) -> None:
    data: dict[str, object] = dict.fromkeys(field_names(), NONSENSE[kind])
    assert len(data) > 25
    assert failing_forms(browser, app, data) == []
    browser.sign_in(person)
    assert failing_forms(browser, app, data) == []


def test_no_form_fails_for_lists_or_without_fields(app: Flask, browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    assert failing_forms(browser, app, {name: ["1", "2"] for name in field_names()}) == []
    assert failing_forms(browser, app, {}) == []


@pytest.mark.parametrize("value", ["%FF%FE", "%ED%A0%80", "%"])
def test_no_form_fails_for_bytes_that_are_no_text(app: Flask, browser: Browser, person: Person, value: str) -> None:
    browser.sign_in(person)
    browser.get("/search")
    body = "&".join([f"csrf_token={browser.csrf_token}", *(f"{name}={value}" for name in field_names())])
    as_form = {"data": body.encode(), "content_type": "application/x-www-form-urlencoded"}
    answers = {rule.rule: browser.client.post(address_of(rule), **as_form) for rule in shopper_rules(app, "POST")}
    assert [rule for rule, answer in answers.items() if answer.status_code >= 500] == []


@pytest.mark.parametrize("field", ["product_id", "list_id", "order_id", "zone_id", "slot_id", "place"])
@pytest.mark.parametrize("kind", ["zeros first", "long digits", "NUL"])
def test_an_id_that_is_none_fails_nothing(
    app: Flask, browser: Browser, person: Person, run_sql: Sql, field: str, kind: str
) -> None:
    browser.sign_in(person)
    [(product_id,)] = run_sql("SELECT id FROM products")
    form = {"quantity": "1", "if_unavailable": "call", "name": "Weekly", "method": "delivery", "place": "new"}
    for path in ("/basket/wish", f"/account/lists/products/{product_id}", "/account/lists", "/checkout"):
        assert browser.post(path, {**form, field: NONSENSE[kind]}).status_code < 500, path


@pytest.mark.parametrize("number", ["0", str(2**63 - 1), str(2**63), "9" * 5000])
def test_no_address_fails_for_any_number(app: Flask, browser: Browser, person: Person, number: str) -> None:
    browser.sign_in(person)
    answers = {
        f"{method} {rule.rule}": browser.client.open(
            address_of(rule, number),
            method=method,
            headers={"Accept": "text/html"},
            data={"csrf_token": browser.csrf_token, "quantity": "1"} if method == "POST" else None,
        ).status_code
        for method in ("GET", "POST")
        for rule in shopper_rules(app, method)
        if "<int:" in rule.rule
    }
    assert {rule: status for rule, status in answers.items() if status >= 500} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_no_address_fails_for_nonsense_in_it(app: Flask, browser: Browser, person: Person, kind: str) -> None:
    browser.sign_in(person)
    query = "&".join(f"{name}={quote_plus(NONSENSE[kind][:3000])}" for name in ARGUMENTS)
    answers = {
        rule.rule: browser.get(f"{address_of(rule)}?{query}", headers={"Accept": "text/html"})
        for rule in shopper_rules(app, "GET")
    }
    assert [rule for rule, answer in answers.items() if answer.status_code >= 500] == []
    assert [rule for rule, answer in answers.items() if "a=b" in answer.headers.get("Set-Cookie", "")] == []
    assert [rule for rule, answer in answers.items() if b"<script>{{7" in answer.data] == []


def test_each_form_that_is_refused_says_so_in_its_title_and_where_to_mend_it(
    app: Flask, browser: Browser, person: Person
) -> None:
    browser.sign_in(person)
    wrong = {"quantity": "x", "where": "basket", "note": "x" * 600}
    refused = []
    for rule in shopper_rules(app, "POST"):
        answer = browser.post(address_of(rule), wrong)
        # The second factor is off: no page has these forms then.
        if answer.status_code != 422 or rule.endpoint in ("account.renew_recovery_codes", "account.turn_off_totp"):
            continue
        refused.append(rule.rule)
        assert "<title>Error: " in answer.text, rule.rule
        summary = answer.text.partition('id="problems" autofocus')[2].partition("</div>")[0]
        links = re.findall(r'href="#([^"]+)"', summary)
        assert links, rule.rule
        for link in links:
            assert f'id="{link}"' in answer.text, (rule.rule, link)
    assert len(refused) > 12
