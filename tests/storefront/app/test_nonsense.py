"""What no page of the shop sends: each form with nothing, too much and the wrong things in it."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.routing import Rule

from grocery import storefront
from grocery.auth.people import Person
from grocery.auth.pages import Pages
from tests.auth.factories import make_customer
from tests.products.factories import make_product
from tests.storefront.conftest import Browser

_TEMPLATES = Path(storefront.__file__).parent / "templates"
_NAMED = re.compile(r'\bname="([a-z_]+)"|\bfield\("([a-z_]+)"')

#: Each stands in all fields of a form at once.
NONSENSE = {
    "empty": "",
    "spaces": " \t ",
    "NUL": "a\0b",
    "only NUL": "\0",
    "control": "1\x1b[2J\x7f\x85",
    "long digits": "9" * 5000,
    "zeros first": "0" * 19 + "1" + "9" * 30,
    "power": "1e30",
    "negative": "-1",
    "not a number": "NaN",
    "infinite": "Infinity",
    "wide digits": "１２",
    "superscript": "²",
    "script": "<script>alert(1)</script>",
    "lines": "/\r\nSet-Cookie: a=b",
    "emoji": "😀" * 400,
    "long": "x" * 20_000,
    "template": "{{7*7}} %(name)s %s {0}",
}


@pytest.fixture
def person(context: None) -> Person:
    make_product("Bakery")
    return make_customer("Amina", phone="+254712345678", is_phone_verified=True)


def shopper_rules(app: Flask, method: str) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        name = rule.endpoint.partition(".")[0]
        is_page = isinstance(app.blueprints.get(name), Pages) or name == "tracking"
        if is_page and method in (rule.methods or ()) and not name.startswith("desk"):
            yield rule


def address_of(rule: Rule, number: str = "1", word: str = "x") -> str:
    return re.sub(r"<int:\w+>", number, re.sub(r"<(?!int:)(\w+:)?\w+>", word, rule.rule))


def field_names() -> list[str]:
    found = {
        match[1] or match[2]
        for path in _TEMPLATES.rglob("*.html")
        if "desk" not in path.parts
        for match in _NAMED.finditer(path.read_text())
    }
    return sorted(found - {"csrf_token", "viewport", "description"})


def failures(browser: Browser, app: Flask, data: dict[str, object]) -> list[str]:
    failed = []
    for rule in shopper_rules(app, "POST"):
        for headers in ({}, {"X-Parts": "1"}):
            answer = browser.post(address_of(rule), data, headers=headers)
            if answer.status_code >= 500:
                failed.append(rule.rule)
    return failed


def sent_by_hand(browser: Browser, app: Flask, value: str) -> list[str]:
    browser.get("/search")
    body = "&".join([f"csrf_token={browser.csrf_token}", *(f"{name}={value}" for name in field_names())])
    failed = []
    for rule in shopper_rules(app, "POST"):
        answer = browser.client.post(
            address_of(rule), data=body.encode(), content_type="application/x-www-form-urlencoded"
        )
        if answer.status_code >= 500:
            failed.append(rule.rule)
    return failed


@pytest.mark.parametrize("kind", NONSENSE)
@pytest.mark.parametrize("is_signed_in", [False, True], ids=["visitor", "customer"])
def test_no_form_fails_for_nonsense(app: Flask, browser: Browser, person: Person, kind: str, is_signed_in: bool) -> None:
    if is_signed_in:
        browser.sign_in(person)
    assert failures(browser, app, dict.fromkeys(field_names(), NONSENSE[kind])) == []


def test_no_form_fails_for_lists(app: Flask, browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    assert failures(browser, app, {name: ["1", "2"] for name in field_names()}) == []


def test_no_form_fails_without_fields(app: Flask, browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    assert failures(browser, app, {}) == []


@pytest.mark.parametrize("value", ["%FF%FE", "%ED%A0%80", "%00", "%C0%AF", "%"])
def test_no_form_fails_for_bytes_that_are_no_text(app: Flask, browser: Browser, person: Person, value: str) -> None:
    browser.sign_in(person)
    assert sent_by_hand(browser, app, value) == []


@pytest.mark.parametrize("number", ["0", "9223372036854775807", "9223372036854775808", "9" * 5000])
def test_no_address_fails_for_any_number(app: Flask, browser: Browser, person: Person, number: str) -> None:
    browser.sign_in(person)
    answers = {}
    for rule in shopper_rules(app, "GET"):
        answers[rule.rule] = browser.get(address_of(rule, number), headers={"Accept": "text/html"}).status_code
    for rule in shopper_rules(app, "POST"):
        if "<int:" in rule.rule:
            answers[f"POST {rule.rule}"] = browser.post(address_of(rule, number), {"quantity": "1"}).status_code
    assert {rule: status for rule, status in answers.items() if status >= 500} == {}


ARGUMENTS = ("lang", "cursor", "pages", "sort", "q", "token", "removed", "quantity", "return_to", "if_unavailable")


@pytest.mark.parametrize("kind", NONSENSE)
def test_no_address_fails_for_nonsense_in_it(app: Flask, browser: Browser, person: Person, kind: str) -> None:
    browser.sign_in(person)
    query = "&".join(f"{name}={quote_plus(NONSENSE[kind][:3000])}" for name in ARGUMENTS)
    failed = [
        rule.rule
        for rule in shopper_rules(app, "GET")
        if browser.get(f"{address_of(rule)}?{query}", headers={"Accept": "text/html"}).status_code >= 500
    ]
    assert failed == []
