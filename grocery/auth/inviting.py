"""Accounts that admins make for others, who choose their own way in. Commits nothing."""

from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import and_, func, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from grocery.auth.codes.addresses import send_email_confirmation, send_phone_code
from grocery.auth.codes.errors import AlreadyVerifiedError, NoMobilePhoneError
from grocery.auth.codes.store import issue_token, lock_claims
from grocery.auth.errors import DeactivatedError, EmailTakenError, PhoneTakenError, UnreachableError
from grocery.auth.invitations import INVITATION_LIFETIME, is_invited_at
from grocery.auth.models import Customer
from grocery.auth.people import PERSON_COLUMNS, Person
from grocery.auth.service import change_person, lock_person
from grocery.db import db, name_subject
from grocery.errors import InvalidError
from grocery.notify.service import Message, queue_messages
from grocery.phones import is_mobile


def create_user(*, name: str, email: str | None = None, phone: str | None = None, role: str = "customer") -> Person:
    """Make an account without a password, and tell its owner how to get in.

    With an e-mail address (normalised), a mail has a token to choose a password with; `phone` (E.164) is a contact.
    With a phone alone, its owner signs in with a code by SMS, which proves the number; the admin's word does not.
    Raises InvalidError when there is neither, NoMobilePhoneError, EmailTakenError, PhoneTakenError and
    CodeBudgetUsedUpError.
    """
    values = {"name": name, "email": email, "phone": phone, "role": role}
    person = _insert_with_email(values) if email else _insert_with_phone(values)
    name_subject("customer", person.id)
    _invite(person)
    return person


def resend_verification(customer_id: int) -> None:
    """Send again what a person needs to get in, or to prove an address: an invitation, a token or a code.

    Raises PersonNotFoundError, DeactivatedError, UnreachableError, AlreadyVerifiedError, NoMobilePhoneError,
    PhoneTakenError, CodeBudgetUsedUpError and CodesUsedUpError.
    """
    person = lock_person(customer_id)
    name_subject("customer", customer_id)
    if not person.is_active:
        raise DeactivatedError
    # Who proves that a number is theirs takes it from the account that had it.
    if person.email is None and person.phone is None:
        raise UnreachableError
    if not person.is_proved and not _has_password(customer_id):
        _invite_again(person)
    elif person.email and not person.is_email_verified:
        send_email_confirmation(person, person.email)
    elif person.phone:
        send_phone_code(person, None)
    else:
        raise AlreadyVerifiedError


def _insert_with_email(values: dict[str, str | None]) -> Person:
    statement = upsert(Customer).values(values).on_conflict_do_nothing(index_elements=[Customer.email])
    row = db.session.execute(statement.returning(*PERSON_COLUMNS)).first()
    if row is None:
        raise EmailTakenError
    return Person(*row)


def _insert_with_phone(values: dict[str, str | None]) -> Person:
    phone = values["phone"]
    if phone is None:
        missing = ["Needs an e-mail address or a phone number."]
        raise InvalidError("There is no way to reach this person.", errors={"email": missing})
    if not is_mobile(phone):
        raise NoMobilePhoneError
    lock_claims(phone)
    _check_free(phone)
    statement = insert(Customer).values({**values, "invited_at": func.now()})
    return Person(*db.session.execute(statement.returning(*PERSON_COLUMNS)).one())


def _check_free(phone: str, *, but_of: int | None = None) -> None:
    """Raise PhoneTakenError when an account signs in with this number, or another one was made for its holder."""
    is_taken = or_(and_(Customer.phone == phone, Customer.phone_verified_at.is_not(None)), is_invited_at(phone))
    taken = select(Customer.id).where(is_taken, Customer.id.is_distinct_from(but_of)).limit(1)
    if db.session.scalar(taken) is not None:
        raise PhoneTakenError


def _invite_again(person: Person) -> None:
    if person.email is None and person.phone is not None:
        _check_free(person.phone, but_of=person.id)
        change_person(person, {"invited_at": func.now()})
    _invite(person)


def _has_password(customer_id: int) -> bool:
    has_password = select(Customer.password_hash.is_not(None)).where(Customer.id == customer_id)
    return bool(db.session.scalar(has_password))


def _invite(person: Person) -> None:
    shop, url = current_app.config["SHOP_NAME"], current_app.config["SHOP_URL"] or None
    if person.email is None:
        context = {"shop": shop, "url": url}
        now = datetime.now(UTC).isoformat()
        _queue(person, "sms", "account_made", person.phone, context, f"account_made:{person.id}:{now}:sms")
        return
    issued = issue_token("reset_password", person.email, person.id, INVITATION_LIFETIME)
    context = {
        "shop": shop,
        "url": url,
        "code": issued.secret,
        "days": INVITATION_LIFETIME.days,
        "customer": {"name": person.name},
    }
    _queue(person, "email", "invitation", person.email, context, f"invitation:{issued.id}:email")


def _queue(
    person: Person, channel: str, event: str, recipient: str | None, context: dict[str, object], dedupe_key: str
) -> None:
    message = Message(
        channel=channel,
        event=event,
        audience="customer",
        recipient=recipient or "",
        context=context,
        dedupe_key=dedupe_key,
        customer_id=person.id,
        language=person.language,
        is_needed=True,
    )
    queue_messages([message])
