"""What no page of the desk sends, by whom no page lets do it: every form and address of it."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from flask import Flask

from grocery import storefront
from tests.auth.factories import make_customer
from tests.orders.conftest import Caller
from tests.storefront.app.test_nonsense import KINDS, NONSENSE
from tests.storefront.conftest import Browser, Sql
from tests.storefront.desk.one_of_each import WORDS, address_of, desk_rules, is_for_staff, one_of_each

_TEMPLATES = Path(storefront.__file__).parent / "templates/desk"
_NAMED = re.compile(r"""\bname="([a-z_]+)"|\b(?:field|tick|select|area|options|choose)\("([a-z_]+)\"""")


_FORGED: tuple[tuple[dict[str, str], dict[str, str]], ...] = (
    ({"csrf_token": ""}, {}),
    ({"csrf_token": "a.b"}, {}),
    ({}, {"Sec-Fetch-Site": "cross-site"}),
)

_ENDS_OF_TIME = (
    *("0001-01-01T00:00", "9999-12-31T23:59", "0001-01-01", "9999-12-31", "24:00", "2026-03-08T02:30+23:59"),
)

#: Good in all fields but the times.
_GOOD = {
    "name": "A",
    "kind": "percent",
    "scope": "basket",
    "value_percent": "5",
    "price": "20",
    "capacity": "5",
    "fee": "5",
    "reason": "received",
    "quantity": "1",
    "code": "ABC",
}


@pytest.fixture
def parts(customer: Caller, soap: int, run_sql: Sql) -> dict[str, str]:
    return one_of_each(customer, soap, run_sql)


def contents(run_sql: Sql) -> dict[str, list[Any]]:
    """All that the desk may change."""
    tables = [
        name
        for (name,) in run_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        if name not in ("alembic_version", "refresh_tokens", "token_families", "sessions")
    ]
    return {name: run_sql(f'SELECT * FROM "{name}" ORDER BY 1') for name in tables}


def field_names() -> list[str]:
    found = {m[1] or m[2] for path in _TEMPLATES.rglob("*.html") for m in _NAMED.finditer(path.read_text())}
    texts = {f"{part}_{language}" for part in ("subject", "body") for language in ("en", "sw")}
    return sorted(found | texts | {"value_percent", "value_fixed"} - {"csrf_token", "viewport", "description"})


def failures(browser: Browser, app: Flask, parts: dict[str, str], data: dict[str, Any]) -> dict[str, int]:
    """The forms that the shop itself fails at."""
    failed = {}
    for _, rule in desk_rules(app, "POST"):
        for headers in ({}, {"X-Parts": "1"}):
            answer = browser.post(address_of(rule, parts), data, headers=headers)
            if answer.status_code >= 500:
                failed[rule.rule] = answer.status_code
    return failed


def test_staff_may_do_what_is_theirs(app: Flask, desk: Browser, parts: dict[str, str], run_sql: Sql) -> None:
    desk.get("/search")
    before = contents(run_sql)
    for method, rule in desk_rules(app, "GET", "POST"):
        if not is_for_staff(rule):
            answer = getattr(desk, method.lower())(address_of(rule, parts))
            assert answer.status_code == 403, (method, rule)
            assert answer.mimetype == "text/html"
    assert contents(run_sql) == before
    for _, rule in desk_rules(app, "GET"):
        if is_for_staff(rule):
            assert desk.get(address_of(rule, parts)).status_code in (200, 404), rule


def test_admins_find_every_page(app: Flask, boss: Browser, parts: dict[str, str]) -> None:
    answers = {rule.rule: boss.get(address_of(rule, parts)).status_code for _, rule in desk_rules(app, "GET")}
    # Nobody is named for printing, and reports lead to the first of them.
    expected = {"/admin/orders/print": 404, "/admin/reports/": 303}
    assert {rule: status for rule, status in answers.items() if status != 200} == expected


@pytest.mark.parametrize(
    "role", ["admin", None, *(pytest.param(role, marks=pytest.mark.prove) for role in ("customer", "staff"))]
)
def test_forged_forms_change_nothing(
    app: Flask, browser: Browser, parts: dict[str, str], role: str | None, run_sql: Sql
) -> None:
    if role:
        browser.sign_in(make_customer(role=role))
    before = contents(run_sql)
    for _, rule in desk_rules(app, "POST"):
        path = address_of(rule, parts)
        for form, headers in _FORGED:
            answer = browser.post(path, {"is_active": "false", "role": "admin", **form}, headers=headers)
            assert answer.status_code in ((403,) if role else (303, 403)), (path, answer.status_code)
    assert contents(run_sql) == before


@pytest.mark.parametrize("kind", KINDS)
def test_no_form_fails_for_nonsense(app: Flask, boss: Browser, parts: dict[str, str], kind: str) -> None:
    assert failures(boss, app, parts, dict.fromkeys(field_names(), NONSENSE[kind])) == {}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {name: ["1", "2"] for name in field_names()},
        pytest.param({name: ["0"] * 300 for name in field_names()}, marks=pytest.mark.prove),
    ],
    ids=["none", "twice", "often"],
)
def test_no_form_fails_for_fields_that_are_not_there_or_often(
    app: Flask, boss: Browser, parts: dict[str, str], data: dict[str, Any]
) -> None:
    assert failures(boss, app, parts, data) == {}


@pytest.mark.parametrize(
    "value", [_ENDS_OF_TIME[0], *(pytest.param(time, marks=pytest.mark.prove) for time in _ENDS_OF_TIME[1:])]
)
def test_no_form_fails_for_times_at_the_ends_of_time(
    app: Flask, boss: Browser, parts: dict[str, str], value: str
) -> None:
    good = {**_GOOD, "zone_id": parts["zone_id"]}
    times = dict.fromkeys(("starts_at", "ends_at", "cutoff_at", "starts", "ends", "expires_on", "first", "last"), value)
    assert failures(boss, app, parts, good | times) == {}
    assert failures(boss, app, parts | {"day": value}, good | times) == {}


@pytest.mark.parametrize("number", ["0", "9223372036854775807", "9223372036854775808", "9" * 5000])
def test_no_address_fails_for_any_number(app: Flask, boss: Browser, number: str, parts: dict[str, str]) -> None:
    made_up = {name: value if name in WORDS else number for name, value in parts.items()}
    answers = {}
    for method, rule in desk_rules(app, "GET", "POST"):
        if "<int:" in rule.rule:
            answer = getattr(boss, method.lower())(address_of(rule, made_up), headers={"Accept": "text/html"})
            answers[f"{method} {rule.rule}"] = answer.status_code
            assert answer.mimetype == "text/html"
    # Some forms are read first: what is wrong with them stands on a page that is not there.
    assert {rule: status for rule, status in answers.items() if status not in (303, 404)} == {}
    assert [rule for rule, status in answers.items() if status == 303 and rule.startswith("GET")] == []


@pytest.mark.parametrize(
    "word",
    [
        "%00",
        *(
            pytest.param(word, marks=pytest.mark.prove)
            for word in ("x", "..", "<script>", "😀", "%FF", "2026-13-45", "0000-00-00")
        ),
    ],
)
def test_no_address_fails_for_any_word(app: Flask, boss: Browser, parts: dict[str, str], word: str) -> None:
    made_up = parts | dict.fromkeys(WORDS, word)
    for method, rule in desk_rules(app, "GET", "POST"):
        if re.search(r"<(?!int:)", rule.rule):
            answer = getattr(boss, method.lower())(address_of(rule, made_up), headers={"Accept": "text/html"})
            assert answer.status_code in (404, 308), (method, rule, answer.status_code)


ARGUMENTS = (
    *("lang", "limit", "q", "tab", "since", "state", "category", "product", "name", "parent", "week", "zone", "day"),
    *("order", "what", "line", "from", "until", "by", "role", "is_active", "status", "channel", "event", "recipient"),
    *("action", "actor_role", "actor_id", "subject_type", "subject_id", "reason", "phone", "key", "starts_at"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_no_list_fails_for_nonsense_in_its_address(app: Flask, boss: Browser, parts: dict[str, str], kind: str) -> None:
    value, failed = quote_plus(NONSENSE[kind][:1500]), set()
    # A bad cursor ends it early, so it comes alone.
    for names in (ARGUMENTS, ["cursor"], ["format"]):
        query = "&".join(f"{name}={value}" for name in names)
        for _, rule in desk_rules(app, "GET"):
            answer = boss.get(f"{address_of(rule, parts)}?{query}", headers={"Accept": "text/html"})
            if answer.status_code >= 500:
                failed.add(rule.rule)
    assert failed == set()


NASTY = "=<script>alert(1)</script>{{7*7}}\"'><img src=x onerror=alert(1)>"

_SHOWN = {
    "products": ("name", "description", "brand"),
    "categories": ("name",),
    "promotions": ("name",),
    "campaigns": ("name",),
    "customers": ("name",),
    "delivery_zones": ("name",),
    "order_lines": ("name",),
    "orders": ("note", "delivery_landmark"),
    "product_imports": ("filename",),
    "notifications": ("body", "last_error"),
}

# A cell that a spreadsheet would calculate.
_FORMULA = re.compile(r'(^|,)"?[=+@]', re.MULTILINE)


def test_names_are_only_words(app: Flask, boss: Browser, parts: dict[str, str], run_sql: Sql) -> None:
    columns = run_sql("SELECT table_name, column_name FROM information_schema.columns")
    for table, names in _SHOWN.items():
        for name in names:
            if (table, name) in columns:
                run_sql(f"UPDATE {table} SET {name} = :nasty", nasty=NASTY)
    shown = 0
    for _, rule in desk_rules(app, "GET"):
        answer = boss.get(address_of(rule, parts))
        if answer.mimetype == "text/html":
            assert "<script>alert" not in answer.text, rule
            assert "<img src=x" not in answer.text, rule
            shown += "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in answer.text
        elif answer.mimetype == "text/csv":
            assert not _FORMULA.search(answer.text), rule
    assert shown > 25
    for report in ("sales?by=product&", "stock?", "movements?", "shortages?", "pickers?", "cash-up?"):
        answer = boss.get(f"/admin/reports/{report}format=csv")
        assert answer.mimetype == "text/csv", report
        assert not _FORMULA.search(answer.text), report
