"""Settings and secrets: each that does not fit is named, and a shop that is set up well hears nothing."""

import pytest
from flask import Flask

from grocery.doctor.findings import Level
from tests.doctor.looking import bad, look, production, said


def test_a_shop_that_is_set_up_well_hears_nothing(app: Flask) -> None:
    for name in ("settings", "secrets"):
        findings = look(app, name, production())
        assert [finding.level for finding in findings] == [Level.OK], findings


def test_development_is_not_measured_by_what_customers_need(app: Flask) -> None:
    settings = app.extensions["settings"]
    assert [finding.level for finding in look(app, "settings", settings)] == [Level.OK]


@pytest.mark.parametrize(
    ("changes", "level", "what"),
    [
        ({"SHOP_URL": ""}, "warning", "SHOP_URL is not set"),
        ({"SHOP_URL": "http://shop.example"}, "warning", "SHOP_URL is not https"),
        ({"STREAM_URL": "http://live.shop.example"}, "warning", "STREAM_URL is not https"),
        ({"TRUSTED_HOSTS": ""}, "warning", "TRUSTED_HOSTS is not set"),
        ({"TRUSTED_HOSTS": "other.example"}, "warning", "TRUSTED_HOSTS does not have the host of SHOP_URL"),
        ({"TRUSTED_PROXIES": "0"}, "hint", "TRUSTED_PROXIES is 0"),
        ({"CORS_ORIGINS": "*"}, "hint", "CORS_ORIGINS is *"),
        ({"RATE_LIMIT_OTP": "none"}, "warning", "RATE_LIMIT_OTP is none"),
        ({"SMS_BACKEND": "console"}, "warning", "SMS_BACKEND is console"),
        ({"AT_USERNAME": "sandbox"}, "warning", "AT_USERNAME is sandbox"),
        ({"AT_BASE_URL": "http://10.0.0.1"}, "warning", "AT_BASE_URL is set"),
        ({"AT_CALLBACK_SECRET": ""}, "warning", "AT_CALLBACK_SECRET is not set"),
        ({"AT_SENDER_ID": ""}, "hint", "AT_SENDER_ID is not set"),
        ({"SMS_DAILY_BUDGET": ""}, "hint", "SMS_DAILY_BUDGET is not set"),
        ({"MAIL_BACKEND": "console"}, "warning", "MAIL_BACKEND is console"),
        ({"MAIL_USE_TLS": "false"}, "warning", "MAIL_USE_TLS is false"),
        ({"MAIL_CALLBACK_SECRET": ""}, "hint", "MAIL_CALLBACK_SECRET is not set"),
        ({"MEDIA_BACKEND": "directory"}, "hint", "MEDIA_BACKEND is directory"),
        ({"ADMIN_EMAILS": ""}, "hint", "ADMIN_EMAILS is not set"),
        ({"REQUIRE_TOTP": "false"}, "hint", "REQUIRE_TOTP is false"),
        ({"QUIET_HOURS": "none"}, "hint", "QUIET_HOURS is none"),
        ({"LOG_LEVEL": "DEBUG"}, "warning", "LOG_LEVEL is DEBUG"),
        ({"LOG_FORMAT": "text"}, "hint", "LOG_FORMAT is text"),
    ],
)
def test_what_does_not_fit_is_named(app: Flask, changes: dict[str, str], level: str, what: str) -> None:
    [found] = [finding for finding in look(app, "settings", production(**changes)) if finding.level is not Level.OK]
    assert (found.level, found.what.startswith(what)) == (level, True), found
    assert found.remedy


def test_a_mail_server_on_this_machine_needs_no_tls(app: Flask) -> None:
    settings = production(MAIL_USE_TLS="false", MAIL_SERVER="127.0.0.1")
    assert bad(look(app, "settings", settings)) == []


@pytest.mark.parametrize(
    ("changes", "level", "what"),
    [
        ({"SECRET_KEY": "ab" * 16}, "failure", "SECRET_KEY has only a few different characters"),
        ({"SECRET_KEY_FALLBACKS": "cd" * 16}, "failure", "SECRET_KEY_FALLBACKS (number 1) has only a few different"),
        (
            {"SECRET_KEY_FALLBACKS": "q7RZk1w9XcVb3Nm5As8Df2Gh6JkL4PoI0uYt"},
            "failure",
            "SECRET_KEY, SECRET_KEY_FALLBACKS (number 1) are the same",
        ),
        ({"MAIL_PASSWORD": "MyPassword94!x"}, "warning", "MAIL_PASSWORD has an ordinary word"),
        (
            {"AT_CALLBACK_SECRET": "mB3vC9xZ7lK1jH5gF8dS"},
            "failure",
            "AT_CALLBACK_SECRET, MAIL_CALLBACK_SECRET are the same",
        ),
        (
            {"REDIS_URL": "redis://:Zk8vQ2mX7pLw@redis.shop.example"},
            "failure",
            "DATABASE_URL, DATABASE_DIRECT_URL, REDIS_URL are the same",
        ),
    ],
)
def test_a_bad_secret_is_named_and_not_shown(app: Flask, changes: dict[str, str], level: str, what: str) -> None:
    settings = production(**changes)
    [found] = look(app, "secrets", settings)
    assert (found.level, found.what.startswith(what)) == (level, True), found
    assert not any(value in found.what + found.remedy for value in changes.values())


def test_one_password_for_all_addresses_of_the_database_is_right(app: Flask) -> None:
    settings = production(DATABASE_DIRECT_URL="postgresql://shop:Zk8vQ2mX7pLw@direct.shop.example/shop")
    assert said(look(app, "secrets", settings), Level.FAILURE) == []
