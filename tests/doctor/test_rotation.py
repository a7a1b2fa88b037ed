"""Changing secrets, as the runbook says."""

import signal
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from flask import Flask
from redis import Redis
from redis.exceptions import AuthenticationError

from grocery.app import create_app
from grocery.config import Settings
from tests.auth.factories import make_customer, sign_in
from tests.data.postgres import PASSWORD, clusters
from tests.doctor.runbook import section
from tests.e2e.shop import running_shop
from tests.valkey_process import ValkeyProcess


def test_a_new_secret_key_signs_nobody_out(app: Flask, settings: Settings, context: None, client: Any) -> None:
    person = sign_in(make_customer(email="amina@example.com"))
    cart = client.get("/cart").headers["X-Cart-Token"]
    renewed = create_app(replace(settings, secret_key="another-secret-key-of-the-tests-0123456789")).test_client()
    assert renewed.get("/auth/me", headers=person).status_code == 200
    assert client.get("/cart", headers={"X-Cart-Token": cart}).status_code == 200
    assert renewed.get("/cart", headers={"X-Cart-Token": cart}).status_code == 404


def test_a_signing_key_is_replaced_without_signing_anybody_out(app: Flask, settings: Settings, context: None) -> None:
    """New first, the old one behind it; when the old one goes, its tokens die."""
    old = settings.jwt_secret_keys
    new = {"next": "another-signing-key-of-the-tests-0123456789"}
    person = sign_in(make_customer())
    both = create_app(replace(settings, jwt_secret_keys={**new, **old})).test_client()
    only_new = create_app(replace(settings, jwt_secret_keys=new)).test_client()
    assert both.get("/auth/me", headers=person).status_code == 200
    assert only_new.get("/auth/me", headers=person).status_code == 401


def test_redis_takes_two_passwords_at_once(valkey: ValkeyProcess) -> None:
    """The commands of the runbook, with the old password still good until it is taken away."""
    valkey.client.execute_command("ACL", "SETUSER", "default", ">old-password")
    commands = [line for line in section("Secrets").splitlines() if line.startswith("ACL SETUSER")]
    assert len(commands) == 2
    add, remove = (line.replace("NEW", "new-password").replace("OLD", "old-password").split() for line in commands)
    valkey.client.execute_command(*add)
    for password in ("old-password", "new-password"):
        assert valkey.client.execute_command("AUTH", password)
    valkey.client.execute_command(*remove)
    assert valkey.client.execute_command("AUTH", "new-password")
    with closing(Redis.from_url(valkey.url, password="old-password")) as late, pytest.raises(AuthenticationError):
        late.ping()


@pytest.mark.prove
@pytest.mark.e2e
def test_the_password_of_the_database_is_changed_by_a_second_role(tmp_path: Path) -> None:
    """The statements of the runbook, and a shop that works as either role, migrations included."""
    with clusters() as making:
        cluster = making.new("rotated")
        cluster.create()
        begin, change, end = (block for block in section("Secrets").split("```")[1::2] if block.startswith("sql"))
        admin = cluster.url
        _run(admin, begin)
        cluster.execute("ALTER DATABASE grocery OWNER TO shop")
        with running_shop(tmp_path, DATABASE_URL=_as_role(admin, "shop_a", "A")) as shop:
            shop.start("api")
            assert shop.get("/readyz").status_code == 200
            _run(admin, change)
            shop.environ["DATABASE_URL"] = _as_role(admin, "shop_b", "B")
            shop.end("api", signal.SIGKILL)
            shop.start("api")
            admin_token = shop.sign_in("owner@shop.example")
            assert shop.post("/categories/", json={"name": "Flour"}, headers=admin_token).status_code == 201
            _run(admin, end)
            assert shop.post("/categories/", json={"name": "Tea"}, headers=admin_token).status_code == 201
            owners = cluster.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
            assert owners == [("shop",)]


def _as_role(url: str, role: str, password: str) -> str:
    return url.replace(f"//grocery:{PASSWORD.replace(' ', '%20')}@", f"//{role}:{password}@")


def _run(url: str, block: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in block.removeprefix("sql").strip().splitlines():
                if statement.strip():
                    cursor.execute(statement)
