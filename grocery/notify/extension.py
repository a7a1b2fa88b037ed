"""What the package keeps with the app: the clients of the providers, and who the admins are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import current_app

from grocery.config import ConfigError, Settings
from grocery.notify.clients.mail import ConsoleMail, MailBackend, SmtpMail
from grocery.notify.clients.sms import AfricasTalkingSms, ConsoleSms, SmsBackend


@dataclass(frozen=True)
class Backends:
    """One client for each channel; they hold no connection, so a fork may use its parent's."""

    sms: SmsBackend
    mail: MailBackend


@dataclass(frozen=True)
class Subscriber:
    """Somebody who wants to hear of offers at this address."""

    customer_id: int
    address: str
    language: str | None


@dataclass(frozen=True)
class Holder:
    """Who has a phone number: an account and its language (None for the shop's). Without an id: one of several."""

    customer_id: int | None = None
    language: str | None = None


#: Answers up to `limit` subscribers of a channel ("sms" or "email") by id, those after `after_id` only.
FindSubscribers = Callable[[str, int, int], Sequence[Subscriber]]


@dataclass
class NotifyState:
    """Kept in `app.extensions["notify"]`; tests put other backends in."""

    backends: Backends
    find_admin_emails: Callable[[], list[str]]
    find_subscribers: FindSubscribers
    count_subscribers: Callable[[str], int]
    check_admin: Callable[[], None]
    find_holder: Callable[[str], Holder | None]
    current_person_id: Callable[[], int | None]


def build_backends(settings: Settings) -> Backends:
    """The clients that the settings name; raises ConfigError for settings that could never send."""
    try:
        return Backends(_build_sms(settings), _build_mail(settings))
    except ValueError as error:
        raise ConfigError([f"Sending is set up wrongly: {error}."]) from error


def state() -> NotifyState:
    """The current app's state of this package."""
    known: NotifyState = current_app.extensions["notify"]
    return known


def _build_sms(settings: Settings) -> SmsBackend:
    if settings.sms_backend == "console":
        return ConsoleSms(hides_content=settings.is_production)
    return AfricasTalkingSms(
        settings.at_username, settings.at_api_key, sender_id=settings.at_sender_id, base_url=settings.at_base_url
    )


def _build_mail(settings: Settings) -> MailBackend:
    if settings.mail_backend == "console":
        return ConsoleMail(hides_content=settings.is_production)
    return SmtpMail(
        settings.mail_server,
        settings.mail_port,
        settings.mail_from,
        settings.shop_name,
        username=settings.mail_username,
        password=settings.mail_password,
        use_tls=settings.mail_use_tls,
        # Nothing but TLS from the first byte is spoken there (RFC 8314).
        use_implicit_tls=settings.mail_port == 465,
    )
