"""Whose request it is: headers that anyone may write, addresses of which one client has many."""

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.app import create_app
from grocery.config import Settings
from tests.valkey_process import ValkeyProcess

GUESS = {"phone": "+254712345678", "code": "000000"}


def shop(settings: Settings, trusted_proxies: int) -> FlaskClient:
    changed = replace(settings, trusted_proxies=trusted_proxies, rate_limit_otp_login="2/hour")
    return create_app(changed).test_client()


def guess(client: FlaskClient, number: int, forwarded: str | None = None, address: str = "203.0.113.7") -> int:
    headers = {"X-Forwarded-For": forwarded, "X-Real-IP": forwarded, "Forwarded": f"for={forwarded}"}
    phone = f"+2547120000{number:02}"
    return client.post(
        "/auth/otp/login",
        json={**GUESS, "phone": phone},
        headers=headers if forwarded else {},
        environ_overrides={"REMOTE_ADDR": address},
    ).status_code


def test_forged_header_dodges_no_limit_without_a_proxy(app: Flask, context: None, settings: Settings) -> None:
    client = shop(settings, 0)
    assert [guess(client, number, f"198.51.100.{number}") for number in range(4)] == [401, 401, 429, 429]
    assert guess(client, 9, "203.0.113.7", address="198.51.100.9") == 401


def test_forged_part_of_the_header_dodges_no_limit_behind_a_proxy(
    app: Flask, context: None, settings: Settings
) -> None:
    """The proxy adds whom it has heard at the end; what stands before that is what the client has sent."""
    client = shop(settings, 1)
    forged = [f"198.51.100.{number}, 203.0.113.7" for number in range(4)]
    statuses = [guess(client, number, header, "10.0.0.1") for number, header in enumerate(forged)]
    assert statuses == [401, 401, 429, 429]
    assert guess(client, 8, "203.0.113.7, 198.51.100.1", "10.0.0.1") == 401


def test_second_of_two_proxies_is_not_the_client(app: Flask, context: None, settings: Settings) -> None:
    client = shop(settings, 2)
    headers = [f"192.0.2.{number}, 203.0.113.7, 10.0.0.2" for number in range(3)]
    assert [guess(client, number, header, "10.0.0.1") for number, header in enumerate(headers)] == [401, 401, 429]
    assert guess(client, 9, "203.0.113.7, 198.51.100.1, 10.0.0.2", "10.0.0.1") == 401


def test_addresses_of_one_network_of_ipv6_are_one_client(app: Flask, context: None, settings: Settings) -> None:
    client = shop(settings, 0)
    addresses = [f"2001:db8:1:2:{number}::{number}" for number in range(1, 5)]
    statuses = [guess(client, number, address=address) for number, address in enumerate(addresses)]
    assert statuses == [401, 401, 429, 429]
    assert guess(client, 9, address="2001:db8:1:3::1") == 401


def test_limits_hold_and_say_so_while_redis_is_away(
    app: Flask,
    client: FlaskClient,
    context: None,
    own_redis: ValkeyProcess,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(app.config, "RATE_LIMIT_OTP_LOGIN", "2/hour")
    own_redis.stop()
    assert [guess(client, number) for number in range(4)] == [401, 401, 429, 429]
    assert "each process counts its limits alone" in caplog.text
