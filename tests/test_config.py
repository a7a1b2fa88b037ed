from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest

from grocery.config import ConfigError, load_settings

LONG = "x" * 32


def problems(**environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ)
    return caught.value.problems


def test_development_needs_no_setting_and_keeps_random_secrets(tmp_path: Path) -> None:
    first = load_settings({"DATA_DIR": str(tmp_path / "data")})
    second = load_settings({"DATA_DIR": str(tmp_path / "data")})
    assert first.database_url is None
    assert first.redis_url is None
    assert len(first.secret_key) >= 32
    assert first.secret_key == second.secret_key
    assert first.jwt_secret_keys == second.jwt_secret_keys
    assert first.secret_key not in repr(first)
    files = sorted((tmp_path / "data" / "secrets").iterdir())
    assert [(file.name, oct(file.stat().st_mode & 0o777)) for file in files] == [
        ("at_callback_secret", "0o600"),
        ("jwt_secret_keys", "0o600"),
        ("mail_callback_secret", "0o600"),
        ("secret_key", "0o600"),
    ]


def test_production_names_every_missing_setting_in_one_go() -> None:
    assert problems(ENVIRONMENT="production") == [
        "DATABASE_URL is missing; production needs it.",
        "REDIS_URL is missing; production needs it.",
        "SECRET_KEY is missing; production needs it (32 characters or more).",
        "JWT_SECRET_KEYS is missing; production needs it (secrets of 32 characters).",
    ]


def test_production_refuses_short_secrets() -> None:
    environ = {"ENVIRONMENT": "production", "DATABASE_URL": "postgresql://db/shop", "REDIS_URL": "redis://redis"}
    assert problems(**environ, SECRET_KEY="short", JWT_SECRET_KEYS=f"a:{LONG},b:short") == [
        "SECRET_KEY is too short; it must have 32 characters or more.",
        "JWT_SECRET_KEYS (b) is too short; it must have 32 characters or more.",
    ]
    settings = load_settings({**environ, "SECRET_KEY": LONG, "JWT_SECRET_KEYS": f"b:{LONG},a:{LONG}"})
    assert settings.jwt_signing_key_id == "b"
    assert settings.shop_url == ""  # rather no address in texts than one that leads nowhere


def test_older_secret_keys_are_as_long_as_the_first_and_not_shown(tmp_path: Path) -> None:
    assert load_settings({"DATA_DIR": str(tmp_path)}).secret_key_fallbacks == ()
    assert problems(DATA_DIR=str(tmp_path), SECRET_KEY_FALLBACKS=f"{LONG},short") == [
        "SECRET_KEY_FALLBACKS (number 2) is too short; it must have 32 characters or more.",
    ]
    settings = load_settings({"DATA_DIR": str(tmp_path), "SECRET_KEY_FALLBACKS": f"{LONG}, {'y' * 32}"})
    assert settings.secret_key_fallbacks == (LONG, "y" * 32)
    assert LONG not in repr(settings)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_every_form_of_the_database_url_means_psycopg2(scheme: str, tmp_path: Path) -> None:
    settings = load_settings({"DATA_DIR": str(tmp_path), "DATABASE_URL": f"{scheme}://u:p@db/shop"})
    assert settings.database_url == "postgresql+psycopg2://u:p@db/shop"
    assert settings.database_direct_url == settings.database_url


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("DATABASE_URL", "mysql://x", "DATABASE_URL must begin with postgresql:// (driver psycopg2)"),
        ("DATABASE_URL", "postgresql+asyncpg://x", "DATABASE_URL must begin with postgresql:// (driver psycopg2)"),
        ("REDIS_URL", "http://x", "REDIS_URL must begin with redis://"),
        ("REDIS_URL", "redis://:pass/word@host:6379", "REDIS_URL is no address such as redis://user:password@host"),
        ("PORT", "80a", "PORT is '80a'; it must be a whole number from 1 to 65535."),
        ("PORT", "70000", "PORT is '70000'"),
        ("PORT", "9" * 5000, "PORT is '999"),
        ("ENVIRONMENT", "prod", "ENVIRONMENT is 'prod'; it must be one of: development, production."),
        ("SMS_BACKEND", "pigeon", "SMS_BACKEND is 'pigeon'; it must be one of: console, africastalking."),
        ("MAIL_USE_TLS", "maybe", "MAIL_USE_TLS is 'maybe'; it must be true or false."),
        ("TIMEZONE", "Nairobi", "TIMEZONE is 'Nairobi'; it must be a name such as Africa/Nairobi."),
        ("DEFAULT_COUNTRY", "XX", "DEFAULT_COUNTRY is 'XX'"),
        ("CURRENCY", "shilling", "CURRENCY is 'shilling'"),
        ("ADMIN_EMAILS", "a@b.c,nobody", "ADMIN_EMAILS has 'nobody', which is not an e-mail address."),
        ("AT_BASE_URL", "https://api.example.org/v1", "AT_BASE_URL must be an origin only"),
        ("AT_BASE_URL", "http://[::1", "AT_BASE_URL must be an origin only"),
        ("JWT_SECRET_KEYS", "nokid", "JWT_SECRET_KEYS must be a list kid:secret"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT is 'xml'; it must be one of: text, json."),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(name: str, value: str, problem: str, tmp_path: Path) -> None:
    found = problems(DATA_DIR=str(tmp_path), **{name: value})
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_a_provider_that_is_chosen_needs_its_settings(tmp_path: Path) -> None:
    assert problems(DATA_DIR=str(tmp_path), SMS_BACKEND="africastalking", MAIL_BACKEND="smtp") == [
        "AT_USERNAME is missing; SMS_BACKEND=africastalking needs it.",
        "AT_API_KEY is missing; SMS_BACKEND=africastalking needs it.",
        "MAIL_SERVER is missing; MAIL_BACKEND=smtp needs it.",
        "MAIL_FROM is missing; MAIL_BACKEND=smtp needs it.",
    ]


def test_a_refused_start_says_so_in_one_line_for_each_problem() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({"ENVIRONMENT": "production", "SECRET_KEY": LONG, "JWT_SECRET_KEYS": f"a:{LONG}"})
    assert str(caught.value) == (
        "The settings are not usable:\n"
        "  - DATABASE_URL is missing; production needs it.\n"
        "  - REDIS_URL is missing; production needs it."
    )


@pytest.mark.parametrize("data_dir", ["/proc/nowhere", "/dev/null"])
def test_a_data_directory_that_cannot_be_used_is_one_problem(data_dir: str) -> None:
    found = problems(DATA_DIR=data_dir)
    assert len(found) == 1
    assert found[0].startswith(f"DATA_DIR is {data_dir}, which cannot be used (")


def test_a_settings_file_that_is_no_text_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes(b"SHOP_NAME=Caf\xe9\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert caught.value.problems[0].startswith(f"The file {tmp_path / '.env'} cannot be read: ")


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_DIRECT_URL"])
@pytest.mark.parametrize("password", ["hush%zz", "hush/hush"])
def test_a_password_that_breaks_the_database_url_is_not_quoted(name: str, password: str, tmp_path: Path) -> None:
    assert problems(DATA_DIR=str(tmp_path), **{name: f"postgresql://shop:{password}@db/shop"}) == [
        f"{name} is no address such as postgresql://user:password@host:5432/name."
    ]


@pytest.mark.parametrize(
    ("environ", "stream_url"),
    [
        ({}, "http://127.0.0.1:8001"),
        ({"HOST": "0.0.0.0", "PORT": "9000"}, "http://127.0.0.1:9001"),
        ({"HOST": "::1"}, "http://[::1]:8001"),
        ({"PORT": "65535"}, "http://127.0.0.1:65534"),
        ({"STREAM_URL": "https://stream.example.com/"}, "https://stream.example.com"),
    ],
)
def test_streams_are_next_door_unless_told_otherwise(environ: dict[str, str], stream_url: str, tmp_path: Path) -> None:
    settings = load_settings({"DATA_DIR": str(tmp_path), **environ})
    assert settings.stream_url == stream_url
    assert problems(DATA_DIR=str(tmp_path), STREAM_URL="https://x.example/stream") == [
        "STREAM_URL must be an origin only, such as https://api.example.com."
    ]


def test_streams_of_production_are_below_the_shop_unless_told_otherwise() -> None:
    secrets = {"SECRET_KEY": LONG, "JWT_SECRET_KEYS": f"a:{LONG}"}
    engines = {"DATABASE_URL": "postgresql://db/shop", "REDIS_URL": "redis://redis"}
    assert load_settings({"ENVIRONMENT": "production", **engines, **secrets}).stream_url == ""


@pytest.mark.parametrize("name", ["AT_CALLBACK_SECRET", "MAIL_CALLBACK_SECRET"])
def test_callback_secrets_are_parts_of_an_address(tmp_path: Path, name: str) -> None:
    good = load_settings({"DATA_DIR": str(tmp_path), name: "Abc-123_" * 3})
    assert getattr(good, name.lower()) == "Abc-123_" * 3
    assert "Abc-123_" not in repr(good)
    for bad in ("short", "with/slash/in/the/middle", "with space in the middle"):
        assert problems(**{name: bad}) == [f"{name} must have 16 characters or more, of A-Z, a-z, 0-9, - and _ only."]


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("", (time(21), time(8))),
        ("22:30-06:15", (time(22, 30), time(6, 15))),
        ("none", None),
        ("08:00-08:00", None),
    ],
)
def test_quiet_hours(tmp_path: Path, written: str, hours: object) -> None:
    assert load_settings({"DATA_DIR": str(tmp_path), "QUIET_HOURS": written}).quiet_hours == hours


@pytest.mark.parametrize("written", ["21-8", "24:00-08:00", "21:00", "9:00-10:00"])
def test_quiet_hours_that_cannot_be_read(written: str) -> None:
    assert problems(QUIET_HOURS=written) == [
        f"QUIET_HOURS is {written!r}; it must be two times such as 21:00-08:00, or none."
    ]


def test_daily_budget(tmp_path: Path) -> None:
    assert load_settings({"DATA_DIR": str(tmp_path)}).sms_daily_budget is None
    assert load_settings({"DATA_DIR": str(tmp_path), "SMS_DAILY_BUDGET": "2000.50"}).sms_daily_budget == Decimal(
        "2000.50"
    )
    assert problems(SMS_DAILY_BUDGET="-5") == ["SMS_DAILY_BUDGET is '-5'; it must be an amount such as 500 or 499.50."]
