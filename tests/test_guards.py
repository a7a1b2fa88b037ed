"""Guards of the whole app: what holds for every route, queue, migration and setting, whoever adds one."""

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from grocery.api import ACCESS_LEVELS
from grocery.config import Settings, setting_names
from grocery.db import Base, db
from grocery.queues import JOBS
from tests.auth.factories import make_customer, sign_in

ROOT = Path(__file__).parent.parent
Sql = Callable[..., list[tuple[Any, ...]]]


def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    undeclared = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "swagger.static"
        and rule.endpoint != "api-docs.openapi_json"
        and getattr(app.view_functions[rule.endpoint], "_apidoc", {}).get("access") not in ACCESS_LEVELS
    ]
    assert undeclared == []


def operations(app: Flask) -> list[tuple[str, str, dict[str, Any]]]:
    document = app.test_client().get("/openapi.json").json
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]


def a_path(path: str) -> str:
    return re.sub(r"\{\w+\}", "999999", path)


def test_routes_keep_out_who_they_do_not_name(app: Flask, context: None, client: Any) -> None:
    """Over HTTP, route by route: visitors get 401, customers 403 where staff are meant, staff where admins are."""
    people = {role: sign_in(make_customer(role=role)) for role in ("customer", "staff", "admin")}
    wrong = []
    for method, path, operation in operations(app):
        access = operation["x-access"]
        if access in ("public", "optional"):
            continue
        status = client.open(a_path(path), method=method).status_code
        if status != 401:
            wrong.append((method, path, "visitor", status))
        kept_out = {"staff": ["customer"], "admin": ["customer", "staff"]}.get(access, [])
        for role in kept_out:
            status = client.open(a_path(path), method=method, headers=people[role], data="x").status_code
            if status != 403:
                wrong.append((method, path, role, status))
    assert wrong == []


def test_every_operation_is_described_with_examples_and_errors(app: Flask) -> None:
    missing = []
    names = set()
    for method, path, operation in operations(app):
        where = f"{method} {path}"
        if not operation.get("summary"):
            missing.append(f"{where}: summary")
        names.add(operation["operationId"])
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None and not ("example" in body or "examples" in body):
            missing.append(f"{where}: example of the body")
        for status, response in operation["responses"].items():
            content = response.get("content", {})
            if status.startswith("2") and "application/json" in content and path not in ("/healthz", "/readyz"):
                answer = content["application/json"]
                if not ("example" in answer or "examples" in answer):
                    missing.append(f"{where}: example of {status}")
        expected = {"503"} | ({"401"} if operation["x-access"] not in ("public", "optional") else set())
        expected |= {"400", "413", "415", "422"} if body is not None else set()
        expected |= {"403"} if operation["x-access"] in ("staff", "admin") else set()
        missing += [f"{where}: {status}" for status in sorted(expected - operation["responses"].keys())]
    assert missing == []
    assert len(names) == len(operations(app))


def test_the_seed_list_of_endpoints_is_served(app: Flask) -> None:
    served = {(method, path) for method, path, _ in operations(app)}
    assert {
        ("POST", "/auth/register"),
        ("POST", "/auth/login"),
        ("POST", "/auth/logout"),
        ("GET", "/products/"),
        ("POST", "/products/"),
        ("PUT", "/products/{product_id}"),
        ("DELETE", "/products/{product_id}"),
        ("POST", "/orders/"),
        ("GET", "/orders/{order_id}"),
        ("PATCH", "/orders/{order_id}/status"),
    } <= served


def test_every_queue_has_a_job_that_exists() -> None:
    for name in JOBS.values():
        module, _, function = name.rpartition(".")
        assert callable(getattr(import_module(module), function)), name


def test_there_is_one_head_and_the_models_match_it(app: Flask, context: None) -> None:
    script = ScriptDirectory(str(ROOT / "migrations"))
    heads = script.get_heads()
    assert len(heads) == 1
    with db.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_heads() == tuple(heads)
    result = app.test_cli_runner().invoke(args=["db", "check"])
    assert result.exit_code == 0, result.output


def test_migrations_can_be_taken_back_and_forth_again(migrated_app: Flask, settings: Settings) -> None:
    with migrated_app.app_context():
        downgrade(revision="base")
        with db.engine.connect() as connection:
            left = (
                connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
            )
        upgrade()
        with db.engine.connect() as connection:
            tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars()
            assert set(tables) == {*Base.metadata.tables, "alembic_version"}
    assert list(left) == ["alembic_version"]


def test_processes_of_the_tests_take_nothing_from_the_developers_own_settings(environ: dict[str, str]) -> None:
    """What the environment does not set would come from the checkout's `.env`: another database, a real SMS account."""
    assert set(setting_names()) <= environ.keys()


@pytest.mark.parametrize("document", [".env.example", "docs/settings.md"])
def test_every_setting_is_documented(document: str) -> None:
    words = set(re.findall(r"[A-Z][A-Z0-9_]+", (ROOT / document).read_text()))
    assert [name for name in setting_names() if name not in words] == []


def test_no_foreign_key_is_without_an_index(run_sql: Sql) -> None:
    """A deletion looks every referencing row up: without an index, that is the whole table under a lock."""
    assert (
        run_sql("""
        SELECT conrelid::regclass::text, conname FROM pg_constraint
        WHERE contype = 'f' AND NOT EXISTS (
            SELECT FROM pg_index JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
                WHERE indrelid = conrelid AND indkey[0] = conkey[1]
                  AND (indpred IS NULL OR pg_get_expr(indpred, indrelid) = format('(%s IS NOT NULL)', attname))
        )
    """)
        == []
    )


def test_what_can_answer_304_says_how_to_ask_for_it(app: Flask) -> None:
    asking = {}
    for _, _, operation in operations(app):
        names = [sent.get("name") for sent in operation.get("parameters", [])]
        if "304" in operation["responses"] or "If-None-Match" in names:
            asking[operation["operationId"]] = names.count("If-None-Match")
    assert {"list_products", "get_product", "count_facets", "suggest_products"} <= asking.keys()
    assert set(asking.values()) == {1}


def test_what_refuses_an_old_version_says_how_to_send_it(app: Flask) -> None:
    refusing, asking = set(), set()
    for method, path, operation in operations(app):
        if "412" in operation["responses"]:
            refusing.add((method, path))
        if "If-Match" in [sent.get("name") for sent in operation.get("parameters", [])]:
            asking.add((method, path))
    assert refusing == asking != set()
