"""Values of the environment: each is read by its name and checked, and what is wrong with any of them is gathered."""

import re
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn
from redis.connection import parse_url

from grocery.environ.sentinel import SCHEME, is_sentinel_url, read_sentinel_url

# As browsers send it: small letters, no path, not even a slash.
_BROWSER_ORIGIN = r"https?://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?"

_WORDS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


class Values:
    """Reads one value after the other; `problems` has one clear line for each that is missing or wrong.

    A value that is wrong is answered as its default or as one of the right type: it is not to be used.
    """

    def __init__(self, environ: Mapping[str, str]):
        self._environ = environ
        self.problems: list[str] = []

    def note(self, problem: str) -> None:
        """Note what is wrong; the same line counts once."""
        if problem not in self.problems:
            self.problems.append(problem)

    def text(self, name: str, default: str = "") -> str:
        """Without the spaces around it; a value that is empty is not given."""
        return self._environ.get(name, "").strip() or default

    def needed(self, name: str, is_needed: bool, because: str) -> str:
        """A text that must be there when `is_needed`, which `because` says."""
        value = self.text(name)
        if is_needed and not value:
            self.note(f"{name} is missing; {because} needs it.")
        return value

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """One of those `allowed`, as it is written there; any letter case will do."""
        value = self.text(name, default)
        for choice in allowed:
            if value.lower() == choice.lower():
                return choice
        self.note(f"{name} is {value!r}; it must be one of: {', '.join(allowed)}.")
        return default

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if re.fullmatch(r"[0-9]{1,9}", value) and low <= int(value) <= high:
            return int(value)
        self.note(f"{name} is {value!r}; it must be a whole number from {low} to {high}.")
        return default

    def boolean(self, name: str, default: bool) -> bool:
        value = self.text(name, str(default)).lower()
        if value not in _WORDS:
            self.note(f"{name} is {value!r}; it must be true or false.")
        return _WORDS.get(value, default)

    def items(self, name: str) -> tuple[str, ...]:
        """A list with commas."""
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip())

    def emails(self, name: str) -> tuple[str, ...]:
        addresses = self.items(name)
        for address in addresses:
            if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
                self.note(f"{name} has {address!r}, which is not an e-mail address.")
        return addresses

    def amount(self, name: str) -> Decimal | None:
        """An amount of money in whole units, two decimals at the most."""
        value = self.text(name)
        if value and not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", value):
            self.note(f"{name} is {value!r}; it must be an amount such as 500 or 499.50.")
            return None
        return Decimal(value) if value else None

    def share(self, name: str, default: str) -> Decimal:
        """A part of a whole, from 0 to 1."""
        value = self.text(name, default)
        if not re.fullmatch(r"0(\.[0-9]{1,6})?|1(\.0{1,6})?", value):
            self.note(f"{name} is {value!r}; it must be a share from 0 to 1, such as 0.1.")
            return Decimal(default)
        return Decimal(value)

    def rate(self, name: str, default: str) -> str:
        """Limits as Flask-Limiter writes them, "10/minute;60/hour"; "" for "none"."""
        value = self.text(name, default).lower()
        if value == "none":
            return ""
        if not re.fullmatch(
            r"[1-9][0-9]{0,6}/(second|minute|hour|day)(;[1-9][0-9]{0,6}/(second|minute|hour|day))*", value
        ):
            self.note(f"{name} is {value!r}; it must be limits such as 10/minute;60/hour, or none.")
        return value

    def hours(self, name: str, default: str) -> tuple[time, time] | None:
        """Two times of the day; None for "none", and for two times that are the same."""
        value = self.text(name, default)
        if value.lower() == "none":
            return None
        if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]", value):
            self.note(f"{name} is {value!r}; it must be two times such as 21:00-08:00, or none.")
            return None
        begin, end = (time.fromisoformat(part) for part in value.split("-"))
        return (begin, end) if begin != end else None

    def matching(self, name: str, default: str, pattern: str, what: str) -> str:
        """A text that the whole `pattern` fits; `what` says in words what fits."""
        value = self.text(name, default)
        if not re.fullmatch(pattern, value):
            self.note(f"{name} is {value!r}; it must be {what}.")
        return value

    def country(self, name: str, default: str) -> str:
        value = self.text(name, default).upper()
        if value not in phonenumbers.SUPPORTED_REGIONS:
            self.note(f"{name} is {value!r}; it must be a country code of two letters, such as KE.")
        return value

    def timezone(self, name: str, default: str) -> ZoneInfo:
        value = self.text(name, default)
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.note(f"{name} is {value!r}; it must be a name such as Africa/Nairobi.")
            return ZoneInfo("UTC")

    def origin(self, name: str) -> str | None:
        """Scheme, host and port, without a slash at the end; None for none."""
        value = self.text(name)
        if not value:
            return None
        if not _is_origin(value):
            self.note(f"{name} must be an origin only, such as https://api.example.com.")
        return value.rstrip("/")

    def origins(self, name: str) -> tuple[str, ...]:
        """Origins as browsers send them, or `*` alone."""
        origins = tuple(origin.lower() for origin in self.items(name))
        for origin in origins:
            if not (origin == "*" or re.fullmatch(_BROWSER_ORIGIN, origin)):
                self.note(f"{name} has {origin!r}, which is no origin such as https://app.example.com.")
        if "*" in origins and len(origins) > 1:
            self.note(f"{name} must be * alone, or a list of origins.")
        return origins

    def database_url(self, name: str, *, required: bool) -> str | None:
        """An address of PostgreSQL for SQLAlchemy with psycopg2; None for none."""
        value = self.text(name)
        if not value:
            if required:
                self.note(f"{name} is missing; production needs it.")
            return None
        scheme, separator, rest = value.partition("://")
        # SQLAlchemy 2.1 reads both short forms as psycopg 3; this application is built on psycopg2.
        if not separator or scheme not in ("postgresql", "postgres", "postgresql+psycopg2"):
            self.note(f"{name} must begin with postgresql:// (driver psycopg2); it begins with {scheme!r}.")
        elif not _is_database_address(f"postgresql://{rest}"):
            self.note(f"{name} is no address such as postgresql://user:password@host:5432/name.")
        else:
            return f"postgresql+psycopg2://{rest}"
        return None

    def redis_url(self, name: str, *, required: bool) -> str | None:
        """An address of Redis or Valkey, or of the Sentinels that know it; None for none."""
        value = self.text(name)
        if not value and required:
            self.note(f"{name} is missing; production needs it.")
        if value and value.partition("://")[0] not in ("redis", "rediss", "unix", SCHEME):
            self.note(f"{name} must begin with redis://, rediss://, unix:// or {SCHEME}://.")
        elif value:
            is_sentinel = is_sentinel_url(value)
            example = (
                f"{SCHEME}://host:26379,host2:26379/mymaster" if is_sentinel else "redis://user:password@host:6379/0"
            )
            try:
                read_sentinel_url(value) if is_sentinel else parse_url(value)
            except ValueError:  # its text may have a part of the password
                self.note(f"{name} is no address such as {example}.")
        return value or None


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
