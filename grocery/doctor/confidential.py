"""No secret leaves the doctor, whatever an engine or a provider has put into its complaint."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from grocery.config import Settings
from grocery.doctor.findings import Finding

# Shorter ones would be found in ordinary words.
_MIN_LENGTH = 4


class Confidential:
    """Knows all secrets of the settings, as they are and as they stand in addresses."""

    def __init__(self, settings: Settings):
        words = {word for _, word in named_secrets(settings) if len(word) >= _MIN_LENGTH}
        # A secret may be a part of another one.
        self._words = sorted(words, key=len, reverse=True)

    def hide(self, finding: Finding) -> Finding:
        return replace(finding, what=self._without(finding.what), remedy=self._without(finding.remedy))

    def _without(self, text: str) -> str:
        for word in self._words:
            text = text.replace(word, "…")
        return text


def named_secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    """The secrets and the names of their settings."""
    yield "SECRET_KEY", settings.secret_key
    for number, older in enumerate(settings.secret_key_fallbacks, start=1):
        yield f"SECRET_KEY_FALLBACKS (number {number})", older
    for kid, secret in settings.jwt_secret_keys.items():
        yield f"JWT_SECRET_KEYS ({kid})", secret
    yield "AT_API_KEY", settings.at_api_key
    yield "AT_CALLBACK_SECRET", settings.at_callback_secret
    yield "MAIL_CALLBACK_SECRET", settings.mail_callback_secret
    yield "MAIL_PASSWORD", settings.mail_password or ""
    yield "S3_SECRET_KEY", settings.s3_secret_key
    yield "SENTRY_DSN", urlsplit(settings.sentry_dsn).username or ""
    for name in ("DATABASE_URL", "DATABASE_DIRECT_URL", "DATABASE_REPLICA_URL", "REDIS_URL"):
        written = password_in(getattr(settings, name.lower()))
        yield name, written
        yield name, unquote(written)


def password_in(url: str | None) -> str:
    """The password in an address, as it is written there; empty for none."""
    if not url:
        return ""
    user = url.partition("://")[2].partition("/")[0].rpartition("@")[0]
    return user.partition(":")[2]
