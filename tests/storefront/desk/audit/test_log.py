"""The audit log as a page."""

from flask import Flask
from werkzeug.routing import Rule

from grocery.storefront.desk.audit.words import ACTIONS, action_words, name_of
from tests.auth.factories import make_customer
from tests.orders.conftest import Caller
from tests.storefront.conftest import Browser, Sql, words_in

_INSERT = """
    INSERT INTO audit_log (at, actor_id, actor_role, action, subject_type, subject_id, details)
    VALUES (:at, :actor_id, :actor_role, :action, :subject_type, :subject_id, CAST(:details AS jsonb))
"""


def enter(run_sql: Sql, action: str, **values: object) -> None:
    entry = {"at": "2026-03-02T08:15Z", "actor_id": None, "actor_role": "admin", "subject_type": None}
    run_sql(_INSERT, action=action, **{**entry, "subject_id": None, "details": None, **values})


def listed(desk: Browser, query: str) -> str:
    """What the list says, without the filters above it."""
    return words_in(desk.get(f"/admin/audit/?{query}").text.partition('class="things"')[2])


def test_entries_say_who_did_what_to_whom(desk: Browser, admin: Caller, run_sql: Sql) -> None:
    person = make_customer("Amina <b>")
    enter(
        run_sql,
        "update_user",
        actor_id=admin.person.id,
        subject_type="customer",
        subject_id=person.id,
        details='{"fields": ["name", "picked_quantity", "role", "version"], "line_id": 39, "role": "staff"}',
    )
    enter(run_sql, "auth set-role", actor_role="command", subject_type="customer", subject_id=999999)
    page = desk.get("/admin/audit/")
    words = words_in(page)
    assert "Changed an account : Amina <b> Staff Line 39" in words
    assert "Changed an account</b>: <a" in page.text
    assert "Amina <b>" not in page.text
    assert f'href="/admin/customers/{person.id}"' in page.text
    assert "2 Mar 2026, 11:15" in words
    assert "fields: name, picked quantity" in words
    assert "auth set-role : deleted person 999999" in words


def test_what_is_done_by_page_is_found_with_what_is_done_by_request(desk: Browser, run_sql: Sql) -> None:
    for action in ("set_text", "desk_notifications.set_text", "remove_text"):
        enter(run_sql, action)
    page = listed(desk, "action=set_text")
    assert page.count("Changed the words of a message") == 2
    assert "Went back" not in page


# They change nothing that is kept.
_UNNOTED = (
    "desk_notifications.preview_text",
    "desk_orders.choose_prints",
    "desk_orders.take_orders",
    "desk_picking.start",
)


def test_what_forms_of_the_desk_do_has_words(app: Flask) -> None:
    forms = {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith("desk") and is_form(rule)}
    assert [form for form in sorted(forms) if form not in _UNNOTED and name_of(form) not in ACTIONS] == []
    assert action_words("desk_orders.move_order") == action_words("set_order_status") == "Moved an order"


def is_form(rule: Rule) -> bool:
    return "POST" in (rule.methods or ())


def test_days_and_roles_are_filters(desk: Browser, run_sql: Sql) -> None:
    enter(run_sql, "first", at="2026-03-01T20:59Z")  # 23:59 in Nairobi
    enter(run_sql, "second", at="2026-03-01T21:00Z")
    enter(run_sql, "third", at="2026-03-02T21:00Z", actor_role="visitor")
    page = listed(desk, "from=2026-03-02&until=2026-03-02")
    assert ("first" in page, "second" in page, "third" in page) == (False, True, False)
    page = listed(desk, "actor_role=visitor")
    assert ("second" in page, "third" in page) == (False, True)
    for days in ("from=9999-12-31&until=9999-12-31", "from=0001-01-01", "from=soon"):
        assert desk.get(f"/admin/audit/?{days}").status_code == 200


def test_log_comes_page_by_page(desk: Browser, run_sql: Sql) -> None:
    for number in range(3):
        enter(run_sql, f"action {number}")
    page = desk.get("/admin/audit/?limit=2")
    assert "action 0" not in page.text
    link = page.text.partition('aria-label="Pages"')[2].partition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "action 0" in desk.get(link).text
