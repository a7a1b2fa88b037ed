"""Settings: read from the environment (and `.env` in development), checked once, at start.

This is the only module that reads the environment. Everything else receives a `Settings`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from dotenv import dotenv_values
from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn
from redis.connection import parse_url

from grocery.local import keep_secret, local_address, next_port

MIN_SECRET_LENGTH = 32
MIN_CALLBACK_SECRET_LENGTH = 16

#: The languages that the shop speaks.
LANGUAGES = ("en", "sw")

# Optional texts about the shop, for its documents.
_ON_DOCUMENTS = ("SHOP_ADDRESS", "SHOP_PHONE", "SHOP_EMAIL", "SHOP_TAX_PIN")

# As browsers send it: small letters, no path, not even a slash.
_BROWSER_ORIGIN = r"https?://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?"


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
    rate_limit_orders: str = ""
    codes_per_number: int = 10
    codes_per_day: int = 2000
    require_totp: bool = False
    passwords_waiting: int = 1
    log_level: str = "INFO"
    log_format: str = "text"

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def stream_port(self) -> int:
        """Where the stream process listens unless told otherwise: next door to the shop."""
        return next_port(self.port)

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
    return _Reader(environ).settings()


def _read_file(path: Path) -> dict[str, str]:
    try:
        return {name: value for name, value in dotenv_values(path).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"The file {path} cannot be read: {error}."]) from error


class _Reader:
    """Reads one setting after the other and gathers the problems."""

    def __init__(self, environ: Mapping[str, str]):
        self._environ = environ
        self._problems: list[str] = []

    def settings(self) -> Settings:
        environment = self._choice("ENVIRONMENT", "development", ("development", "production"))
        production = environment == "production"
        database_url = self._database_url("DATABASE_URL", required=production)
        data_dir = Path(self._text("DATA_DIR", ".data")).expanduser().absolute()
        host, port = self._text("HOST", "127.0.0.1"), self._integer("PORT", 8000, 1, 65535)
        sms_backend = self._choice("SMS_BACKEND", "console", ("console", "africastalking"))
        mail_backend = self._choice("MAIL_BACKEND", "console", ("console", "smtp"))
        values: dict[str, Any] = {
            "environment": environment,
            "host": host,
            "port": port,
            "data_dir": data_dir,
            "database_url": database_url,
            "database_direct_url": self._database_url("DATABASE_DIRECT_URL", required=False) or database_url,
            "database_replica_url": self._database_url("DATABASE_REPLICA_URL", required=False),
            "redis_url": self._redis_url(required=production),
            # In production streams are below the shop's own address, unless told otherwise.
            "stream_url": self._origin("STREAM_URL")
            or ("" if production else f"http://{local_address(host, next_port(port))}"),
            "shop_name": self._text("SHOP_NAME", "Grocery"),
            "shop_url": self._text("SHOP_URL", "" if production else f"http://{host}:{port}").rstrip("/"),
            **{name.lower(): self._text(name) for name in _ON_DOCUMENTS},
            "currency": self._matching("CURRENCY", "KES", r"[A-Z]{3}", "a currency code of three letters, such as KES"),
            "default_country": self._country("DEFAULT_COUNTRY", "KE"),
            "timezone": self._timezone("TIMEZONE", "Africa/Nairobi"),
            "admin_emails": self._emails("ADMIN_EMAILS"),
            "sms_backend": sms_backend,
            "at_username": self._needed("AT_USERNAME", sms_backend == "africastalking", "SMS_BACKEND=africastalking"),
            "at_api_key": self._needed("AT_API_KEY", sms_backend == "africastalking", "SMS_BACKEND=africastalking"),
            "at_sender_id": self._text("AT_SENDER_ID") or None,
            "at_base_url": self._origin("AT_BASE_URL"),
            "at_callback_secret": self._callback_secret("AT_CALLBACK_SECRET", data_dir, production),
            "sms_rate": self._integer("SMS_RATE", 500, 1, 100_000),
            "sms_daily_budget": self._amount("SMS_DAILY_BUDGET"),
            "sms_fallback_minutes": self._integer("SMS_FALLBACK_MINUTES", 10, 1, 1440),
            "sms_unknown_wait": self._integer("SMS_UNKNOWN_WAIT", 90, 1, 86_400),
            "mail_backend": mail_backend,
            "mail_server": self._needed("MAIL_SERVER", mail_backend == "smtp", "MAIL_BACKEND=smtp"),
            "mail_port": self._integer("MAIL_PORT", 587, 1, 65535),
            "mail_username": self._text("MAIL_USERNAME") or None,
            "mail_password": self._text("MAIL_PASSWORD") or None,
            "mail_use_tls": self._boolean("MAIL_USE_TLS", True),
            "mail_from": self._needed("MAIL_FROM", mail_backend == "smtp", "MAIL_BACKEND=smtp") or "shop@localhost",
            "mail_rate": self._integer("MAIL_RATE", 100, 1, 100_000),
            "mail_callback_secret": self._callback_secret("MAIL_CALLBACK_SECRET", data_dir, production),
            "shop_language": self._choice("SHOP_LANGUAGE", LANGUAGES[0], LANGUAGES),
            "quiet_hours": self._hours("QUIET_HOURS", "21:00-08:00"),
            **self._media(data_dir),
            "trusted_hosts": self._list("TRUSTED_HOSTS"),
            "trusted_proxies": self._integer("TRUSTED_PROXIES", 0, 0, 10),
            "cors_origins": self._origins("CORS_ORIGINS"),
            "kept_answers_mb": self._integer("KEPT_ANSWERS_MB", 16, 0, 1024),
            "require_picking": self._boolean("REQUIRE_PICKING", False),
            "rate_limit_login": self._rate("RATE_LIMIT_LOGIN", "10/minute;60/hour"),
            "rate_limit_register": self._rate("RATE_LIMIT_REGISTER", "10/hour;30/day"),
            "rate_limit_otp": self._rate("RATE_LIMIT_OTP", "5/hour"),
            "rate_limit_orders": self._rate("RATE_LIMIT_ORDERS", "60/minute"),
            "codes_per_number": self._integer("CODES_PER_NUMBER", 10, 1, 1000),
            "codes_per_day": self._integer("CODES_PER_DAY", 2000, 1, 10_000_000),
            "require_totp": self._boolean("REQUIRE_TOTP", False),
            "passwords_waiting": self._integer("PASSWORDS_WAITING", 1, 0, 1000),
            "max_open_unpaid_orders": self._integer("MAX_OPEN_UNPAID_ORDERS", 10, 0, 1_000_000),
            "log_level": self._choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
            "log_format": self._choice("LOG_FORMAT", "text", ("text", "json")),
            "secret_key": self._secret("SECRET_KEY", data_dir, production),
            "jwt_secret_keys": self._jwt_keys(data_dir, production),
        }
        if self._problems:
            raise ConfigError(self._problems)
        return Settings(**values)

    def _media(self, data_dir: Path) -> dict[str, Any]:
        backend = self._choice("MEDIA_BACKEND", "directory", ("directory", "s3"))
        is_s3, because = backend == "s3", "MEDIA_BACKEND=s3"
        self._needed("S3_ENDPOINT", is_s3, because)
        return {
            "media_backend": backend,
            "media_dir": Path(self._text("MEDIA_DIR", str(data_dir / "media"))).expanduser().absolute(),
            "media_url": self._matching(
                "MEDIA_URL",
                "/media",
                r"(https?://[^\s/?#]+(/[^\s/?#]+)*|(/[^\s/?#]+)+)/?",
                "an address such as https://cdn.example.com/media, or a path such as /media",
            ).rstrip("/"),
            "s3_endpoint": self._origin("S3_ENDPOINT"),
            "s3_bucket": self._needed("S3_BUCKET", is_s3, because),
            "s3_region": self._text("S3_REGION", "us-east-1"),
            "s3_access_key": self._needed("S3_ACCESS_KEY", is_s3, because),
            "s3_secret_key": self._needed("S3_SECRET_KEY", is_s3, because),
        }

    def _text(self, name: str, default: str = "") -> str:
        return self._environ.get(name, "").strip() or default

    def _problem(self, line: str) -> None:
        if line not in self._problems:
            self._problems.append(line)

    def _needed(self, name: str, is_needed: bool, because: str) -> str:
        value = self._text(name)
        if is_needed and not value:
            self._problem(f"{name} is missing; {because} needs it.")
        return value

    def _choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self._text(name, default)
        for choice in allowed:
            if value.lower() == choice.lower():
                return choice
        self._problem(f"{name} is {value!r}; it must be one of: {', '.join(allowed)}.")
        return default

    def _integer(self, name: str, default: int, low: int, high: int) -> int:
        value = self._text(name, str(default))
        if re.fullmatch(r"[0-9]{1,9}", value) and low <= int(value) <= high:
            return int(value)
        self._problem(f"{name} is {value!r}; it must be a whole number from {low} to {high}.")
        return default

    def _boolean(self, name: str, default: bool) -> bool:
        words = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        value = self._text(name, str(default)).lower()
        if value not in words:
            self._problem(f"{name} is {value!r}; it must be true or false.")
        return words.get(value, default)

    def _list(self, name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self._text(name).split(",") if part.strip())

    def _emails(self, name: str) -> tuple[str, ...]:
        addresses = self._list(name)
        for address in addresses:
            if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
                self._problem(f"{name} has {address!r}, which is not an e-mail address.")
        return addresses

    def _amount(self, name: str) -> Decimal | None:
        value = self._text(name)
        if value and not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", value):
            self._problem(f"{name} is {value!r}; it must be an amount such as 500 or 499.50.")
            return None
        return Decimal(value) if value else None

    def _rate(self, name: str, default: str) -> str:
        """Limits as Flask-Limiter writes them, "10/minute;60/hour"; "" for "none"."""
        value = self._text(name, default).lower()
        if value == "none":
            return ""
        if not re.fullmatch(
            r"[1-9][0-9]{0,6}/(second|minute|hour|day)(;[1-9][0-9]{0,6}/(second|minute|hour|day))*", value
        ):
            self._problem(f"{name} is {value!r}; it must be limits such as 10/minute;60/hour, or none.")
        return value

    def _hours(self, name: str, default: str) -> tuple[time, time] | None:
        """Two times of the day; None for "none", and for two times that are the same."""
        value = self._text(name, default)
        if value.lower() == "none":
            return None
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]", value):
            self._problem(f"{name} is {value!r}; it must be two times such as 21:00-08:00, or none.")
            return None
        begin, end = (time.fromisoformat(part) for part in value.split("-"))
        return (begin, end) if begin != end else None

    def _callback_secret(self, name: str, data_dir: Path, production: bool) -> str:
        """A part of an address, so of letters that mean nothing there. In production "" for none: no callbacks."""
        value = self._text(name)
        if not value and not production:
            return self._kept_secret(name, data_dir)
        if value and not re.fullmatch(rf"[A-Za-z0-9_-]{{{MIN_CALLBACK_SECRET_LENGTH},200}}", value):
            self._problem(
                f"{name} must have {MIN_CALLBACK_SECRET_LENGTH} characters or more, of A-Z, a-z, 0-9, - and _ only."
            )
        return value

    def _matching(self, name: str, default: str, pattern: str, what: str) -> str:
        value = self._text(name, default)
        if not re.fullmatch(pattern, value):
            self._problem(f"{name} is {value!r}; it must be {what}.")
        return value

    def _country(self, name: str, default: str) -> str:
        value = self._text(name, default).upper()
        if value not in phonenumbers.SUPPORTED_REGIONS:
            self._problem(f"{name} is {value!r}; it must be a country code of two letters, such as KE.")
        return value

    def _timezone(self, name: str, default: str) -> ZoneInfo:
        value = self._text(name, default)
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._problem(f"{name} is {value!r}; it must be a name such as Africa/Nairobi.")
            return ZoneInfo("UTC")

    def _origin(self, name: str) -> str | None:
        value = self._text(name)
        if not value:
            return None
        if not _is_origin(value):
            self._problem(f"{name} must be an origin only, such as https://api.example.com.")
        return value.rstrip("/")

    def _origins(self, name: str) -> tuple[str, ...]:
        origins = tuple(origin.lower() for origin in self._list(name))
        for origin in origins:
            if not (origin == "*" or re.fullmatch(_BROWSER_ORIGIN, origin)):
                self._problem(f"{name} has {origin!r}, which is no origin such as https://app.example.com.")
        if "*" in origins and len(origins) > 1:
            self._problem(f"{name} must be * alone, or a list of origins.")
        return origins

    def _database_url(self, name: str, *, required: bool) -> str | None:
        value = self._text(name)
        if not value:
            if required:
                self._problem(f"{name} is missing; production needs it.")
            return None
        scheme, separator, rest = value.partition("://")
        # SQLAlchemy 2.1 reads both short forms as psycopg 3; this application is built on psycopg2.
        if not separator or scheme not in ("postgresql", "postgres", "postgresql+psycopg2"):
            self._problem(f"{name} must begin with postgresql:// (driver psycopg2); it begins with {scheme!r}.")
        elif not _is_database_address(f"postgresql://{rest}"):
            self._problem(f"{name} is no address such as postgresql://user:password@host:5432/name.")
        else:
            return f"postgresql+psycopg2://{rest}"
        return None

    def _redis_url(self, *, required: bool) -> str | None:
        value = self._text("REDIS_URL")
        if not value and required:
            self._problem("REDIS_URL is missing; production needs it.")
        if value and value.partition("://")[0] not in ("redis", "rediss", "unix"):
            self._problem("REDIS_URL must begin with redis://, rediss:// or unix://.")
        elif value:
            try:
                parse_url(value)
            except ValueError:  # its text may have a part of the password
                self._problem("REDIS_URL is no address such as redis://user:password@host:6379/0.")
        return value or None

    def _secret(self, name: str, data_dir: Path, production: bool) -> str:
        value = self._text(name)
        if not value and not production:
            return self._kept_secret(name, data_dir)
        self._check_secret(name, value)
        return value

    def _check_secret(self, name: str, value: str) -> None:
        if not value:
            self._problem(f"{name} is missing; production needs it ({MIN_SECRET_LENGTH} characters or more).")
        elif len(value) < MIN_SECRET_LENGTH:
            self._problem(f"{name} is too short; it must have {MIN_SECRET_LENGTH} characters or more.")

    def _jwt_keys(self, data_dir: Path, production: bool) -> dict[str, str]:
        keys: dict[str, str] = {}
        for entry in self._list("JWT_SECRET_KEYS"):
            kid, separator, secret = entry.partition(":")
            if not separator or not kid or kid in keys:
                self._problem("JWT_SECRET_KEYS must be a list kid:secret,kid:secret with a different kid for each.")
            else:
                self._check_secret(f"JWT_SECRET_KEYS ({kid})", secret)
                keys[kid] = secret
        if not keys and not self._text("JWT_SECRET_KEYS"):
            if not production:
                return {"dev": self._kept_secret("JWT_SECRET_KEYS", data_dir)}
            self._problem(
                f"JWT_SECRET_KEYS is missing; production needs it (secrets of {MIN_SECRET_LENGTH} characters)."
            )
        return keys

    def _kept_secret(self, name: str, data_dir: Path) -> str:
        """A random secret for development, kept in `data_dir` so that tokens survive a restart."""
        path = data_dir / "secrets" / name.lower()
        try:
            return keep_secret(path)
        except OSError as error:
            self._problem(f"DATA_DIR is {data_dir}, which cannot be used ({error.strerror}): set another one.")
            return ""


def _is_database_address(url: str) -> bool:
    """Whether libpq can read it. Its own messages, which quote parts of the password, must not come into a log."""
    try:
        address = parse_dsn(url)
    except ProgrammingError:
        return False
    return re.fullmatch(r"[0-9,]*", address.get("port", "")) is not None


def _is_origin(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not (parts.path.strip("/") or parts.query)


def setting_names() -> list[str]:
    """The environment variables that are read, for the documentation tests."""
    return sorted(name.upper() for name in Settings.__dataclass_fields__)
