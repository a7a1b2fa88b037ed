"""Settings that are well-formed, and still not what a shop with customers wants."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from grocery.config import Settings
from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, hint, ok, warning

_PAGE = "docs/settings.md"
_HERE = ("localhost", "127.0.0.1", "::1")


def look(patient: Patient) -> Iterator[Finding]:
    """What `load_settings` lets pass."""
    settings = patient.settings
    if not settings.is_production:
        yield ok("ENVIRONMENT is development: what matters with customers only is not looked at.")
        return
    yield ok(f"ENVIRONMENT is production, the shop is {settings.shop_name}.")
    yield from _addresses(settings)
    yield from _visitors(settings)
    yield from _sms(settings)
    yield from _mail(settings)
    yield from _rest(settings)


def _addresses(settings: Settings) -> Iterator[Finding]:
    if not settings.shop_url:
        what = "SHOP_URL is not set: messages have no links, and mails nothing to unsubscribe with."
        yield warning(what, f"Set SHOP_URL to the shop's public address ({_PAGE}).")
    elif not settings.shop_url.startswith("https://"):
        what = "SHOP_URL is not https: browsers do not keep a sign-in, and what people send can be read on the way."
        yield warning(what, "Serve the shop by https, and set SHOP_URL to that (docs/operator.md, Pages).")
    if settings.stream_url.startswith("http://"):
        what = "STREAM_URL is not https: pages that came by https may not listen there."
        yield warning(what, "Serve the streams by https, or below the shop's own address (docs/operator.md, Streams).")


def _visitors(settings: Settings) -> Iterator[Finding]:
    if not settings.trusted_hosts:
        what = "TRUSTED_HOSTS is not set: requests with any Host are answered."
        yield warning(what, f"Set TRUSTED_HOSTS to the shop's host names ({_PAGE}).")
    elif settings.shop_url and not _is_trusted(urlsplit(settings.shop_url).hostname or "", settings.trusted_hosts):
        what = "TRUSTED_HOSTS does not have the host of SHOP_URL: customers get 400."
        yield warning(what, f"Add the host of SHOP_URL to TRUSTED_HOSTS ({_PAGE}).")
    if settings.trusted_proxies == 0:
        what = "TRUSTED_PROXIES is 0: behind a proxy, all customers are one address, which is soon refused."
        yield hint(what, "Set it to how many proxies stand in front, unless there is none.")
    if settings.cors_origins == ("*",):
        what = "CORS_ORIGINS is *: web pages of anybody may call the API with the tokens that they have."
        yield hint(what, f"Name the origins of your own web apps ({_PAGE}).")
    for name in ("login", "register", "otp", "otp_login", "orders", "costly"):
        if not getattr(settings, f"rate_limit_{name}"):
            what = f"RATE_LIMIT_{name.upper()} is none: it may be tried without end."
            yield warning(what, f"Leave it out, for the limits of {_PAGE}.")


def _sms(settings: Settings) -> Iterator[Finding]:
    if settings.sms_backend == "console":
        what = "SMS_BACKEND is console: SMS are written to the log, and nobody gets one."
        yield warning(what, f"Set SMS_BACKEND=africastalking and the account ({_PAGE}).")
        return
    if settings.at_username == "sandbox":
        what = "AT_USERNAME is sandbox: SMS go to the provider's simulator, and to no phone."
        yield warning(what, "Set AT_USERNAME and AT_API_KEY of the live account.")
    if settings.at_base_url:
        what = "AT_BASE_URL is set: SMS and the API key go to another place than the provider."
        yield warning(what, "Unset AT_BASE_URL, which is for tests.")
    if not settings.at_callback_secret:
        what = "AT_CALLBACK_SECRET is not set: delivery reports, SMS from customers, STOP and USSD do not arrive."
        yield warning(what, "Set it, and enter what `flask --app wsgi notify callbacks` prints at the provider.")
    if settings.at_sender_id is None:
        yield hint("AT_SENDER_ID is not set: SMS come from a sender that others use, too.", "Register a sender name.")
    if settings.sms_daily_budget is None:
        what = "SMS_DAILY_BUDGET is not set: a flood of messages costs what it costs."
        yield hint(what, f"Set what SMS may cost a day ({_PAGE}).")


def _mail(settings: Settings) -> Iterator[Finding]:
    if settings.mail_backend == "console":
        what = "MAIL_BACKEND is console: mails are written to the log, and nobody gets one."
        yield warning(what, f"Set MAIL_BACKEND=smtp and the server ({_PAGE}).")
        return
    is_plain = not settings.mail_use_tls and settings.mail_port != 465
    if is_plain and settings.mail_server not in _HERE:
        what = "MAIL_USE_TLS is false: mails, with the links of password resets, can be read on the way."
        yield warning(what, "Unset it; a server of today takes STARTTLS.")
    if not settings.mail_callback_secret:
        what = "MAIL_CALLBACK_SECRET is not set: a mail service cannot tell of bounces by a call."
        yield hint(what, "Set it, or hand bounces to `flask --app wsgi notify bounce` (docs/operator.md, E-mail).")


def _rest(settings: Settings) -> Iterator[Finding]:
    if settings.media_backend == "directory":
        what = "MEDIA_BACKEND is directory: with several hosts, each has pictures that the others do not."
        yield hint(what, "With more than one host use a bucket or a shared directory (docs/operator.md, Pictures).")
    if not settings.admin_emails:
        what = "ADMIN_EMAILS is not set: each active admin gets a mail about every order."
        yield hint(what, "Set it to those who should.")
    if not settings.require_totp:
        what = "REQUIRE_TOTP is false: a password alone opens the accounts of staff and admins."
        yield hint(what, "Set it to true when all have an app for codes (docs/operator.md, Accounts).")
    if settings.quiet_hours is None:
        yield hint("QUIET_HOURS is none: offers are sent at night, too.", "Leave it out, for 21:00 to 08:00.")
    if settings.log_level == "DEBUG":
        yield warning("LOG_LEVEL is DEBUG: the log grows fast, and slows the shop down.", "Set it to INFO.")
    if settings.log_format == "text":
        yield hint("LOG_FORMAT is text, which collectors of logs cannot take apart.", "Set LOG_FORMAT=json.")


def _is_trusted(host: str, trusted: tuple[str, ...]) -> bool:
    return any(host == name or (name.startswith(".") and f".{host}".endswith(name)) for name in trusted)
