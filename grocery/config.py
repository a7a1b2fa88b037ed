"""Settings: read from the environment (and `.env` in development), checked once, at start.

Nothing else reads settings from the environment. Everything else receives a `Settings`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dotenv import dotenv_values

from grocery.environ.secrets import Secrets
from grocery.environ.values import Values
from grocery.local import local_address, next_port

#: The languages that the shop speaks.
LANGUAGES = ("en", "sw")

# Optional texts about the shop, for its documents.
_ON_DOCUMENTS = ("SHOP_ADDRESS", "SHOP_PHONE", "SHOP_EMAIL", "SHOP_TAX_PIN")


class ConfigError(Exception):
    """One or more settings are missing or wrong. `problems` has one clear line for each."""

    def __init__(self, problems: list[str]):
        self.problems = problems
        super().__init__("\n".join(["The settings are not usable:", *(f"  - {problem}" for problem in problems)]))


@dataclass(frozen=True)
class Settings:
    """Checked settings. The URLs are None when the embedded stack of `data_dir` is to be used."""

    environment: str = "development"
    host: str = "127.0.0.1"
    port: int = 8000
    data_dir: Path = Path(".data")
    database_url: str | None = None
    database_direct_url: str | None = None
    database_replica_url: str | None = None
    redis_url: str | None = None
    stream_url: str = ""
    secret_key: str = field(default="", repr=False)
    secret_key_fallbacks: tuple[str, ...] = field(default=(), repr=False)
    jwt_secret_keys: dict[str, str] = field(default_factory=dict, repr=False)
    shop_name: str = "Grocery"
    shop_url: str = ""
    shop_address: str = ""
    shop_phone: str = ""
    shop_email: str = ""
    shop_tax_pin: str = ""
    currency: str = "KES"
    default_country: str = "KE"
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Africa/Nairobi"))
    admin_emails: tuple[str, ...] = ()
    sms_backend: str = "console"
    at_username: str = ""
    at_api_key: str = field(default="", repr=False)
    at_sender_id: str | None = None
    at_base_url: str | None = None
    at_callback_secret: str = field(default="", repr=False)
    sms_unknown_wait: int = 90
    sms_rate: int = 500
    sms_daily_budget: Decimal | None = None
    sms_fallback_minutes: int = 10
    mail_backend: str = "console"
    mail_server: str = ""
    mail_port: int = 587
    mail_username: str | None = None
    mail_password: str | None = field(default=None, repr=False)
    mail_use_tls: bool = True
    mail_from: str = ""
    mail_rate: int = 100
    mail_callback_secret: str = field(default="", repr=False)
    shop_language: str = "en"
    quiet_hours: tuple[time, time] | None = (time(21), time(8))
    media_backend: str = "directory"
    media_dir: Path = Path(".data/media")
    media_url: str = "/media"
    s3_endpoint: str | None = None
    s3_bucket: str = ""
    s3_region: str = "us-east-1"
    s3_access_key: str = ""
    s3_secret_key: str = field(default="", repr=False)
    trusted_hosts: tuple[str, ...] = ()
    trusted_proxies: int = 0
    cors_origins: tuple[str, ...] = ()
    kept_answers_mb: int = 16
    max_open_unpaid_orders: int = 10
    require_picking: bool = False
    rate_limit_login: str = ""
    rate_limit_register: str = ""
    rate_limit_otp: str = ""
    rate_limit_otp_login: str = ""
    rate_limit_orders: str = ""
    rate_limit_costly: str = ""
    codes_per_number: int = 10
    codes_per_day: int = 2000
    require_totp: bool = False
    passwords_waiting: int = 64
    requests_at_once: int = 4
    server_processes: int = 2
    drain_seconds: int = 5
    drain_file: Path | None = None
    liveness_file: Path | None = None
    prometheus_multiproc_dir: Path | None = None
    log_level: str = "INFO"
    log_format: str = "text"
    sentry_dsn: str = field(default="", repr=False)
    otel_exporter_otlp_endpoint: str | None = None
    otel_traces_sampler_arg: Decimal = Decimal("0.1")

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def stream_port(self) -> int:
        """Where the stream process listens unless told otherwise: next door to the shop."""
        return next_port(self.port)

    @property
    def server_threads(self) -> int:
        """Threads of one server process: for those who wait in the sign-in line, and for those who are served."""
        return self.passwords_waiting + 16

    @property
    def demo_sign_ins(self) -> Path:
        """The file with the demo shop's people and passwords."""
        return self.data_dir / "demo-signins.json"

    @property
    def jwt_signing_key_id(self) -> str:
        """The `kid` of the key that signs new tokens: the first one."""
        return next(iter(self.jwt_secret_keys))


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings; raises ConfigError with every problem found, not only the first.

    Without `environ`, the process environment is read, over a `.env` file in the working directory.
    """
    if environ is None:
        environ = {**_read_file(Path.cwd() / ".env"), **os.environ}
    values = Values(environ)
    settings = _read(values)
    if values.problems:
        raise ConfigError(values.problems)
    return settings


def setting_names() -> list[str]:
    """The environment variables that are read, for the documentation tests."""
    return sorted(name.upper() for name in Settings.__dataclass_fields__)


def _read_file(path: Path) -> dict[str, str]:
    try:
        return {name: value for name, value in dotenv_values(path).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"The file {path} cannot be read: {error}."]) from error


def _read(values: Values) -> Settings:
    environment = values.choice("ENVIRONMENT", "development", ("development", "production"))
    production = environment == "production"
    data_dir = _directory(values, "DATA_DIR", ".data")
    secrets = Secrets(values, data_dir, is_production=production)
    return Settings(
        environment=environment,
        data_dir=data_dir,
        **_engines(values, required=production),
        **_addresses(values, production),
        **_shop(values),
        **_sms(values, secrets),
        **_mail(values, secrets),
        **_media(values, data_dir),
        **_visitors(values),
        **_limits(values),
        **_running(values),
        **_observed(values),
        secret_key=secrets.secret("SECRET_KEY"),
        secret_key_fallbacks=secrets.fallbacks("SECRET_KEY_FALLBACKS"),
        jwt_secret_keys=secrets.jwt_keys("JWT_SECRET_KEYS"),
    )


def _directory(values: Values, name: str, default: str) -> Path:
    return Path(values.text(name, default)).expanduser().absolute()


def _file(values: Values, name: str) -> Path | None:
    value = values.text(name)
    return Path(value).absolute() if value else None


def _engines(values: Values, *, required: bool) -> dict[str, Any]:
    database_url = values.database_url("DATABASE_URL", required=required)
    return {
        "database_url": database_url,
        "database_direct_url": values.database_url("DATABASE_DIRECT_URL", required=False) or database_url,
        "database_replica_url": values.database_url("DATABASE_REPLICA_URL", required=False),
        "redis_url": values.redis_url("REDIS_URL", required=required),
    }


def _addresses(values: Values, production: bool) -> dict[str, Any]:
    host, port = values.text("HOST", "127.0.0.1"), values.integer("PORT", 8000, 1, 65535)
    # In production streams are below the shop's own address, unless told otherwise.
    next_door = "" if production else f"http://{local_address(host, next_port(port))}"
    return {
        "host": host,
        "port": port,
        "stream_url": values.origin("STREAM_URL") or next_door,
        "shop_url": values.text("SHOP_URL", "" if production else f"http://{host}:{port}").rstrip("/"),
    }


def _shop(values: Values) -> dict[str, Any]:
    return {
        "shop_name": values.text("SHOP_NAME", "Grocery"),
        **{name.lower(): values.text(name) for name in _ON_DOCUMENTS},
        "shop_language": values.choice("SHOP_LANGUAGE", LANGUAGES[0], LANGUAGES),
        "currency": values.matching("CURRENCY", "KES", r"[A-Z]{3}", "a currency code of three letters, such as KES"),
        "default_country": values.country("DEFAULT_COUNTRY", "KE"),
        "timezone": values.timezone("TIMEZONE", "Africa/Nairobi"),
        "admin_emails": values.emails("ADMIN_EMAILS"),
        "quiet_hours": values.hours("QUIET_HOURS", "21:00-08:00"),
        "require_picking": values.boolean("REQUIRE_PICKING", False),
    }


def _sms(values: Values, secrets: Secrets) -> dict[str, Any]:
    backend = values.choice("SMS_BACKEND", "console", ("console", "africastalking"))
    is_real, because = backend == "africastalking", "SMS_BACKEND=africastalking"
    return {
        "sms_backend": backend,
        "at_username": values.needed("AT_USERNAME", is_real, because),
        "at_api_key": values.needed("AT_API_KEY", is_real, because),
        "at_sender_id": values.text("AT_SENDER_ID") or None,
        "at_base_url": values.origin("AT_BASE_URL"),
        "at_callback_secret": secrets.callback_secret("AT_CALLBACK_SECRET"),
        "sms_rate": values.integer("SMS_RATE", 500, 1, 100_000),
        "sms_daily_budget": values.amount("SMS_DAILY_BUDGET"),
        "sms_fallback_minutes": values.integer("SMS_FALLBACK_MINUTES", 10, 1, 1440),
        "sms_unknown_wait": values.integer("SMS_UNKNOWN_WAIT", 90, 1, 86_400),
    }


def _mail(values: Values, secrets: Secrets) -> dict[str, Any]:
    backend = values.choice("MAIL_BACKEND", "console", ("console", "smtp"))
    is_real, because = backend == "smtp", "MAIL_BACKEND=smtp"
    return {
        "mail_backend": backend,
        "mail_server": values.needed("MAIL_SERVER", is_real, because),
        "mail_port": values.integer("MAIL_PORT", 587, 1, 65535),
        "mail_username": values.text("MAIL_USERNAME") or None,
        "mail_password": values.text("MAIL_PASSWORD") or None,
        "mail_use_tls": values.boolean("MAIL_USE_TLS", True),
        "mail_from": values.needed("MAIL_FROM", is_real, because) or "shop@localhost",
        "mail_rate": values.integer("MAIL_RATE", 100, 1, 100_000),
        "mail_callback_secret": secrets.callback_secret("MAIL_CALLBACK_SECRET"),
    }


def _media(values: Values, data_dir: Path) -> dict[str, Any]:
    backend = values.choice("MEDIA_BACKEND", "directory", ("directory", "s3"))
    is_s3, because = backend == "s3", "MEDIA_BACKEND=s3"
    values.needed("S3_ENDPOINT", is_s3, because)
    return {
        "media_backend": backend,
        "media_dir": _directory(values, "MEDIA_DIR", str(data_dir / "media")),
        "media_url": values.matching(
            "MEDIA_URL",
            "/media",
            r"(https?://[^\s/?#]+(/[^\s/?#]+)*|(/[^\s/?#]+)+)/?",
            "an address such as https://cdn.example.com/media, or a path such as /media",
        ).rstrip("/"),
        "s3_endpoint": values.origin("S3_ENDPOINT"),
        "s3_bucket": values.needed("S3_BUCKET", is_s3, because),
        "s3_region": values.text("S3_REGION", "us-east-1"),
        "s3_access_key": values.needed("S3_ACCESS_KEY", is_s3, because),
        "s3_secret_key": values.needed("S3_SECRET_KEY", is_s3, because),
    }


def _visitors(values: Values) -> dict[str, Any]:
    return {
        "trusted_hosts": values.items("TRUSTED_HOSTS"),
        "trusted_proxies": values.integer("TRUSTED_PROXIES", 0, 0, 10),
        "cors_origins": values.origins("CORS_ORIGINS"),
        "kept_answers_mb": values.integer("KEPT_ANSWERS_MB", 16, 0, 1024),
    }


def _running(values: Values) -> dict[str, Any]:
    return {
        "server_processes": values.integer("SERVER_PROCESSES", 2, 1, 64),
        "drain_seconds": values.integer("DRAIN_SECONDS", 5, 0, 300),
        "drain_file": _file(values, "DRAIN_FILE"),
        "liveness_file": _file(values, "LIVENESS_FILE"),
        "prometheus_multiproc_dir": _file(values, "PROMETHEUS_MULTIPROC_DIR"),
    }


def _sentry_dsn(values: Values) -> str:
    """Checked by its form, and not shown when it is wrong: who has it can send the shop's Sentry what they like."""
    value = values.text("SENTRY_DSN")
    if value and not re.fullmatch(r"https?://[^@/\s:]+(:[^@/\s]*)?@[^@/\s]+(/[^\s?#]*)?/[0-9]+", value):
        values.note("SENTRY_DSN is no DSN as Sentry shows it, such as https://key@sentry.example.com/1.")
    return value


def _observed(values: Values) -> dict[str, Any]:
    return {
        "log_level": values.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        "log_format": values.choice("LOG_FORMAT", "text", ("text", "json")),
        "sentry_dsn": _sentry_dsn(values),
        "otel_exporter_otlp_endpoint": values.origin("OTEL_EXPORTER_OTLP_ENDPOINT"),
        "otel_traces_sampler_arg": values.share("OTEL_TRACES_SAMPLER_ARG", "0.1"),
    }


def _limits(values: Values) -> dict[str, Any]:
    return {
        "rate_limit_login": values.rate("RATE_LIMIT_LOGIN", "10/minute;60/hour"),
        "rate_limit_register": values.rate("RATE_LIMIT_REGISTER", "10/hour;30/day"),
        "rate_limit_otp": values.rate("RATE_LIMIT_OTP", "5/hour"),
        "rate_limit_otp_login": values.rate("RATE_LIMIT_OTP_LOGIN", "30/minute;300/hour"),
        "rate_limit_orders": values.rate("RATE_LIMIT_ORDERS", "60/minute"),
        "rate_limit_costly": values.rate("RATE_LIMIT_COSTLY", "30/minute;300/hour"),
        "codes_per_number": values.integer("CODES_PER_NUMBER", 10, 1, 1000),
        "codes_per_day": values.integer("CODES_PER_DAY", 2000, 1, 10_000_000),
        "require_totp": values.boolean("REQUIRE_TOTP", False),
        "passwords_waiting": values.integer("PASSWORDS_WAITING", 64, 0, 1000),
        "requests_at_once": values.integer("REQUESTS_AT_ONCE", 4, 1, 1000),
        "max_open_unpaid_orders": values.integer("MAX_OPEN_UNPAID_ORDERS", 10, 0, 1_000_000),
    }
