"""The audit log itself: it only grows, and admins read it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import ProgrammingError

from grocery.auth.audit.service import note
from grocery.auth.privacy.retention import forget_old
from grocery.db import transaction
from tests.auth.factories import make_customer, sign_in

Sql = Callable[..., list[tuple[Any, ...]]]


def make_entry(action: str, **values: Any) -> None:
    with transaction():
        note(action, **{"actor_id": None, "actor_role": "command", **values})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET action = 'nothing'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "SET LOCAL grocery.retention = 'on'; UPDATE audit_log SET action = 'nothing'",
        "SET LOCAL grocery.retention = 'on'; TRUNCATE audit_log",
    ],
)
def test_entries_are_neither_changed_nor_deleted(run_sql: Sql, context: None, statement: str) -> None:
    make_entry("auth set-role")
    with pytest.raises(ProgrammingError, match="append only"):
        run_sql(statement)
    assert run_sql("SELECT action FROM audit_log") == [("auth set-role",)]


def test_retention_deletes_what_is_older_than_two_years_and_nothing_else(run_sql: Sql, context: None) -> None:
    insert = (
        "INSERT INTO audit_log (at, actor_role, action) VALUES (now() - make_interval(days => :days), 'admin', :is)"
    )
    run_sql(insert, days=731, **{"is": "old"})
    run_sql(insert, days=729, **{"is": "young"})
    forget_old()
    assert run_sql("SELECT action FROM audit_log") == [("young",)]


def test_an_entry_goes_with_its_transaction(run_sql: Sql, context: None) -> None:
    def fail_after_the_entry() -> None:
        with transaction():
            note("auth set-role", actor_id=None, actor_role="command")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_the_entry()
    assert run_sql("SELECT count(*) FROM audit_log") == [(0,)]


def test_an_entry_outlives_whom_it_speaks_of(run_sql: Sql, client: FlaskClient) -> None:
    admin, person = make_customer(role="admin"), make_customer()
    assert client.delete(f"/auth/users/{person.id}", headers=sign_in(admin)).status_code == 204
    assert run_sql("SELECT id FROM customers") == [(admin.id,)]
    assert run_sql("SELECT actor_id, action, subject_type, subject_id FROM audit_log") == [
        (admin.id, "delete_user", "customer", person.id)
    ]


def read(client: FlaskClient, headers: dict[str, str], **filters: Any) -> list[str]:
    response = client.get("/audit-log/", headers=headers, query_string=filters)
    assert response.status_code == 200, response.json
    return [entry["action"] for entry in response.json]


def test_admins_read_it_with_filters(client: FlaskClient, run_sql: Sql) -> None:
    admin = sign_in(make_customer(role="admin"))
    make_entry("first", actor_id=7, actor_role="staff", subject_type="product", subject_id=1)
    make_entry("second", actor_id=7, actor_role="staff", subject_type="order", subject_id=1)
    make_entry("third", actor_id=8, actor_role="admin", subject_type="product", subject_id=2)
    assert read(client, admin) == ["third", "second", "first"]
    assert read(client, admin, actor_id=7) == ["second", "first"]
    assert read(client, admin, actor_role="admin") == ["third"]
    assert read(client, admin, action="second") == ["second"]
    assert read(client, admin, subject_type="product") == ["third", "first"]
    assert read(client, admin, subject_type="product", subject_id=2) == ["third"]
    assert read(client, admin, actor_id=9) == []
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert read(client, admin, after=tomorrow) == []
    assert read(client, admin, before=tomorrow) == ["third", "second", "first"]
    [(moment,)] = run_sql("SELECT at FROM audit_log WHERE action = 'second'")
    assert read(client, admin, after=moment.isoformat()) == ["third", "second"]
    assert read(client, admin, before=moment.isoformat()) == ["first"]


def test_its_pages_follow_each_other(client: FlaskClient) -> None:
    admin = sign_in(make_customer(role="admin"))
    for number in range(5):
        make_entry(f"action {number}", actor_id=7)
    first = client.get("/audit-log/?limit=2&actor_id=7", headers=admin)
    make_entry("meanwhile", actor_id=7)
    second = client.get(first.headers["Link"].split(";")[0].strip("<>"), headers=admin)
    third = client.get(second.headers["Link"].split(";")[0].strip("<>"), headers=admin)
    pages = [[entry["action"] for entry in page.json] for page in (first, second, third)]
    assert pages == [["action 4", "action 3"], ["action 2", "action 1"], ["action 0"]]
    assert "Link" not in third.headers


@pytest.mark.parametrize("query", ["actor_id=x", "after=yesterday", "colour=red", "cursor=AAAA", "actor_role=robot"])
def test_filters_that_make_no_sense_are_refused(client: FlaskClient, query: str) -> None:
    response = client.get(f"/audit-log/?{query}", headers=sign_in(make_customer(role="admin")))
    assert response.status_code == 422


def test_nobody_but_admins_reads_it(client: FlaskClient) -> None:
    for role in ("customer", "staff"):
        assert client.get("/audit-log/", headers=sign_in(make_customer(role=role))).status_code == 403
    assert client.get("/audit-log/").status_code == 401


def test_the_command_prints_it(app: Flask, context: None) -> None:
    make_entry("auth set-role", subject_type="customer", subject_id=42, details={"role": "admin"})
    make_entry("other")
    runner = app.test_cli_runner()
    printed = runner.invoke(args=["auth", "audit", "--action", "auth set-role"])
    assert printed.exit_code == 0
    assert "customer 42" in printed.output
    assert '{"role":"admin"}' in printed.output
    assert "other" not in printed.output
    as_json = runner.invoke(args=["auth", "audit", "--json", "--subject-type", "customer", "--after", "2026-01-01"])
    assert '"subject_id": 42' in as_json.output
    assert runner.invoke(args=["auth", "audit", "--before", "2020-01-01"]).output == "Nothing found.\n"
    assert runner.invoke(args=["auth", "audit", "--limit", "0"]).exit_code == 2
