"""What people are told: their codes, what was changed on their account, and admins that no more codes go out."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import current_app

from grocery.auth.codes.errors import CodesUsedUpError
from grocery.auth.codes.secrets import CODE_LIFETIME, RESET_LIFETIME, VERIFY_EMAIL_LIFETIME
from grocery.auth.codes.store import Issued
from grocery.auth.people import Person
from grocery.notify.service import Message, admin_recipients, queue_messages

_EVENTS = {"sign_in": "sign_in_code", "verify_phone": "verify_phone", "reset_password": "reset_password"}


def send_code(
    purpose: str, phone: str, issued: Issued, *, customer_id: int | None = None, language: str | None = None
) -> None:
    """Send a code of six digits by SMS.

    That to sign in with is bound to the shop's domain, so that a phone fills it in there by itself, and nowhere else:
    https://wicg.github.io/sms-one-time-codes/.
    """
    context: dict[str, Any] = {"code": issued.secret, "minutes": _minutes(CODE_LIFETIME)}
    if purpose == "sign_in":
        context["domain"] = _domain()
    _send("sms", _EVENTS[purpose], phone, context, issued, customer_id, language)


def send_reset_token(email: str, issued: Issued, *, customer_id: int | None, language: str | None) -> None:
    """Send a token for a new password by e-mail."""
    context = {"code": issued.secret, "minutes": _minutes(RESET_LIFETIME)}
    _send("email", "reset_password", email, context, issued, customer_id, language)


def send_email_token(person: Person, email: str, issued: Issued) -> None:
    """Ask the holder of an address whether it is the person's. Without the name, which may say anything to anyone."""
    hours = int(VERIFY_EMAIL_LIFETIME / timedelta(hours=1))
    context = {"code": issued.secret, "hours": hours}
    _send("email", "verify_email", email, context, issued, person.id, person.language)


def tell_of_change(person: Person, what: str) -> None:
    """Tell somebody at the addresses of before that their "phone", "email" or "password" was changed, or that a
    second factor was turned on ("totp_on") or off ("totp_off"); "reclaimed" is a new password with which all went that
    was set up before the address was proved.

    By e-mail, and by SMS to the phone that is not theirs any more, or where there is no e-mail address. "phone_taken":
    somebody else has it now, whom this does not concern, so by e-mail only. A contact that nobody has verified may be
    another one's, and is told nothing.
    """
    recipients = {"email": person.email}
    is_sms_wanted = what in ("phone", "reclaimed") or (what != "phone_taken" and person.email is None)
    if is_sms_wanted and person.is_phone_verified:
        recipients["sms"] = person.phone
    now = datetime.now(current_app.config["TIMEZONE"]).isoformat()
    queue_messages(
        [
            Message(
                channel=channel,
                event="account_changed",
                audience="customer",
                recipient=recipient,
                context={**_shop(), "what": what, "customer": {"name": person.name}},
                dedupe_key=f"account_changed:{person.id}:{what}:{now}:{channel}",
                customer_id=person.id,
                language=person.language,
                is_needed=True,
            )
            for channel, recipient in recipients.items()
            if recipient
        ]
    )


def tell_admins_of_used_up_codes(error: CodesUsedUpError) -> None:
    """Once a day each for all numbers and for those of other countries."""
    today = datetime.now(current_app.config["TIMEZONE"]).date()
    queue_messages(
        [
            Message(
                channel="email",
                event="codes_used_up",
                audience="admin",
                recipient=recipient,
                context={**_shop(), "limit": error.limit, "is_abroad": error.is_abroad},
                dedupe_key=f"codes_used_up:{today}:{'abroad' if error.is_abroad else 'all'}:email:{recipient}",
            )
            for recipient in admin_recipients()
        ]
    )


def _send(
    channel: str,
    event: str,
    recipient: str,
    context: dict[str, Any],
    issued: Issued,
    customer_id: int | None,
    language: str | None,
) -> None:
    message = Message(
        channel=channel,
        event=event,
        audience="customer",
        recipient=recipient,
        context={**_shop(), **context},
        dedupe_key=f"{event}:{issued.id}:{channel}",
        customer_id=customer_id,
        language=language,
    )
    queue_messages([message])


def _shop() -> dict[str, Any]:
    return {"shop": current_app.config["SHOP_NAME"], "url": current_app.config["SHOP_URL"] or None}


def _domain() -> str | None:
    """That of the shop's pages, if browsers trust what comes from it."""
    address = urlsplit(current_app.config["SHOP_URL"])
    return address.hostname if address.scheme == "https" else None


def _minutes(lifetime: timedelta) -> int:
    return int(lifetime / timedelta(minutes=1))
