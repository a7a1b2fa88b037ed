"""People: registering, signing in, changing, erasing. Commits nothing; the caller has the transaction."""

import re
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from grocery.auth.choices import check_choices, choices_for_other_phone
from grocery.auth.codes.voiding import void_own_codes, void_sign_in_codes
from grocery.auth.errors import (
    EmailTakenError,
    InvalidCredentialsError,
    LastAdminError,
    LastIdentifierError,
    PersonNotFoundError,
    UnverifiedError,
    VerifiedPhoneError,
    WrongPasswordError,
)
from grocery.auth.hooks import customer_deleting, signed_in
from grocery.auth.identifiers import is_identified_by
from grocery.auth.models import ROLES, Customer
from grocery.auth.passwords import check_new_password, hash_password, is_right_password, needs_rehash
from grocery.auth.people import PERSON_COLUMNS, Person, normalize_email
from grocery.auth.reclaiming import has_way_in
from grocery.auth.second_factor.service import NO_PROOF, Proof, check_second_factor
from grocery.auth.sessions import end_all_sessions, start_session
from grocery.auth.subscribers import drop_unwanted_offers
from grocery.auth.throttling.tries import throttled_confirmation
from grocery.auth.tokens import TokenPair
from grocery.db import db, name_subject, reader
from grocery.notify.service import hold_messages_of

# Any constant will do, as long as nothing else in the database locks the same number.
ADMINS_LOCK_KEY = 4_711_003

#: The addresses of all active admins, also as a part of larger statements.
ADMIN_EMAILS_SQL = "SELECT email FROM customers WHERE role = 'admin' AND is_active AND email IS NOT NULL ORDER BY id"


def register(
    *,
    name: str,
    email: str,
    password: str,
    phone: str | None = None,
    role: str = "customer",
    is_operator: bool = False,
    language: str | None = None,
    marketing_sms: bool = False,
    marketing_email: bool = False,
) -> Person:
    """Make an account. `phone` is a contact only, until it is verified; an operator says whose the address is.

    Raises EmailTakenError, also when two register the same address at once, WeakPasswordError, and InvalidError for
    offers by SMS without a phone.
    """
    email = normalize_email(email)
    check_new_password(password, name, email, current_app.config["SHOP_NAME"])
    choices = {"language": language, "marketing_sms": marketing_sms, "marketing_email": marketing_email}
    check_choices({"phone": phone, "email": email}, choices)
    identity = {"name": name, "email": email, "phone": phone, "role": role}
    values: dict[str, Any] = {**identity, **choices, "password_hash": hash_password(password)}
    if is_operator:
        values["email_verified_at"] = func.now()
    statement = upsert(Customer).values(values).on_conflict_do_nothing(index_elements=[Customer.email])
    row = db.session.execute(statement.returning(*PERSON_COLUMNS)).first()
    if row is None:
        raise EmailTakenError
    person = Person(*row)
    name_subject("customer", person.id)
    return person


@dataclass(frozen=True, slots=True)
class Account:
    """An account whose password was right a moment ago. `better_hash` is for one that was made with old parameters."""

    customer_id: int
    password_hash: str
    better_hash: str | None


def check_password(identifier: str, password: str) -> Account:
    """Find who signs in with an e-mail address or a verified phone number, and check the password.

    Raises InvalidCredentialsError, after the same work, whether the person is unknown, deactivated or the password
    wrong. No connection is held while the password is hashed.
    """
    identified = select(Customer.id, Customer.password_hash).where(is_identified_by(identifier), Customer.is_active)
    with reader() as connection:
        row = connection.execute(identified).first()
    customer_id, password_hash = row or (None, None)
    if not is_right_password(password, password_hash) or customer_id is None or password_hash is None:
        raise InvalidCredentialsError(customer_id)
    better_hash = hash_password(password) if needs_rehash(password_hash) else None
    return Account(customer_id, password_hash, better_hash)


def log_in(account: Account, proof: Proof = NO_PROOF) -> TokenPair:
    """Sign in to an account that `check_password` has answered; with a second factor, its `proof` too.

    Raises InvalidCredentialsError when the password was changed meanwhile, and what `check_second_factor` raises.
    """
    customer_id, password_hash = account.customer_id, account.password_hash
    if account.better_hash is not None and _rehash(customer_id, password_hash, account.better_hash):
        password_hash = account.better_hash
    pair = start_session(customer_id, password_hash=password_hash)
    check_second_factor(customer_id, proof)
    signed_in.send(customer_id=customer_id)
    return pair


def confirm_password(customer_id: int, password: str) -> None:
    """Raise WrongPasswordError unless this is the person's password, TooManyRequestsError after many wrong ones."""
    with throttled_confirmation(customer_id):
        with reader() as connection:
            password_hash = connection.scalar(select(Customer.password_hash).where(Customer.id == customer_id))
        if not is_right_password(password, password_hash):
            raise WrongPasswordError


def get_person(customer_id: int) -> Person:
    """Raises PersonNotFoundError."""
    with reader() as connection:
        row = connection.execute(select(*PERSON_COLUMNS).where(Customer.id == customer_id)).first()
    if row is None:
        raise PersonNotFoundError
    return Person(*row)


def get_person_by_email(email: str) -> Person:
    """Raises PersonNotFoundError."""
    with reader() as connection:
        row = connection.execute(select(*PERSON_COLUMNS).where(Customer.email == normalize_email(email))).first()
    if row is None:
        raise PersonNotFoundError
    return Person(*row)


def list_people(
    *,
    q: str | None = None,
    role: str | None = None,
    is_active: bool | None = None,
    before_id: int | None = None,
    limit: int | None = None,
) -> list[Person]:
    """People, the newest first, from the one before `before_id` on. `q` is a part of a name, e-mail or phone."""
    statement = select(*PERSON_COLUMNS).order_by(Customer.id.desc()).limit(limit)
    if q:
        statement = statement.where(_matches(q))
    if role is not None:
        statement = statement.where(Customer.role == role)
    if is_active is not None:
        statement = statement.where(Customer.is_active.is_(is_active))
    if before_id is not None:
        statement = statement.where(Customer.id < before_id)
    with reader() as connection:
        return [Person(*row) for row in connection.execute(statement)]


def find_admin_emails() -> list[str]:
    """The e-mail addresses of all active admins."""
    return list(db.session.execute(text(ADMIN_EMAILS_SQL)).scalars())


def update_profile(customer_id: int, changes: dict[str, Any]) -> Person:
    """Change a person's own name, phone, and how messages come. A verified phone stays: VerifiedPhoneError.

    Raises LastIdentifierError where it is the only way in, PersonNotFoundError, and InvalidError for a choice that
    needs an address which is not there.
    """
    person = lock_person(customer_id)
    addresses = {"phone": changes.get("phone", person.phone), "email": person.email}
    check_choices(addresses, changes)
    if addresses["phone"] != person.phone:
        if person.is_phone_verified:
            raise VerifiedPhoneError if person.email else LastIdentifierError
        changes = {**choices_for_other_phone(person.notify_by, addresses["phone"]), **changes}
    return change_person(person, changes)


def update_person(customer_id: int, changes: dict[str, Any], *, is_operator: bool = False) -> Person:
    """Change `name`, `role` or `is_active` of anyone. Another role, and deactivation, end all sessions of the person.

    Deactivation, and its end, void what was sent to the person. Raises PersonNotFoundError, LastAdminError when no
    active admin would be left, and UnverifiedError for a higher role of an account that somebody else may have made
    with the address; not for an operator, who is asked for nothing.
    """
    if "is_active" in changes:
        void_sign_in_codes(customer_id)
    person = lock_person(customer_id)
    name_subject("customer", customer_id)
    changed = {name: value for name, value in changes.items() if value != getattr(person, name)}
    if "role" in changed and not is_operator:
        _check_promotable(person, changed["role"])
    if "role" in changed or changed.get("is_active") is False:
        _check_not_last_admin(person)
        end_all_sessions(customer_id)
    if "is_active" in changed:
        void_own_codes(customer_id)
        changed["invited_at"] = None
    return change_person(person, changed) if changed else person


def delete_customer(customer_id: int, actor: Person | None) -> None:
    """Erase a person and, by foreign keys, all that is theirs, after what `customer_deleting` causes in other packages.

    Raises PersonNotFoundError, LastAdminError, and what a receiver of the signal raises to refuse. `actor` is None at
    the command line.
    """
    person = lock_person(customer_id)
    name_subject("customer", customer_id)
    customer_deleting.send(customer_id=customer_id, actor=actor)
    _check_not_last_admin(person)
    hold_messages_of(customer_id)
    db.session.execute(_without_sync(delete(Customer).where(Customer.id == customer_id)))


_IS_ACTIVE_ADMIN = and_(Customer.role == "admin", Customer.is_active)


def _rehash(customer_id: int, old_hash: str, new_hash: str) -> bool:
    is_same = and_(Customer.id == customer_id, Customer.password_hash == old_hash)
    statement = update(Customer).where(is_same).values(password_hash=new_hash).returning(Customer.id)
    return db.session.scalar(_without_sync(statement)) is not None


def _matches(q: str) -> ColumnElement[bool]:
    parts = [Customer.name.icontains(q, autoescape=True), Customer.email.contains(normalize_email(q), autoescape=True)]
    # "0712 345678" finds +254712345678.
    if re.fullmatch(r"[0-9 ()+.-]+", q) and (digits := re.sub(r"[^0-9]", "", q).lstrip("0")):
        parts.append(Customer.phone.contains(digits, autoescape=True))
    return or_(*parts)


def lock_person(customer_id: int) -> Person:
    """The person, whose row is locked FOR UPDATE until the end of the transaction. Raises PersonNotFoundError."""
    row = db.session.execute(select(*PERSON_COLUMNS).where(Customer.id == customer_id).with_for_update()).first()
    if row is None:
        raise PersonNotFoundError
    return Person(*row)


def _change(customer_id: int, changes: dict[str, Any]) -> Person:
    if not changes:
        return get_person(customer_id)
    statement = update(Customer).where(Customer.id == customer_id).values(changes).returning(*PERSON_COLUMNS)
    row = db.session.execute(_without_sync(statement)).first()
    if row is None:
        raise PersonNotFoundError
    return Person(*row)


def change_person(person: Person, changes: dict[str, Any]) -> Person:
    """Change columns of a person whose row is locked, and drop the offers that are not wanted any more."""
    changed = _change(person.id, changes)
    drop_unwanted_offers(person, changed)
    return changed


def _check_promotable(person: Person, role: str) -> None:
    """Raise UnverifiedError when the role is a higher one and the account may be that of a stranger.

    One that nobody could sign in to yet is an invitation: whoever made it says whose it is.
    """
    is_higher = ROLES.index(role) > ROLES.index(person.role)
    if is_higher and not person.is_proved and has_way_in(person.id):
        raise UnverifiedError


def _check_not_last_admin(person: Person) -> None:
    """Raise LastAdminError when this person, whose row is locked, is the only active admin.

    Two admins who demote each other hold a row each and would both count the other. The second lock makes one wait,
    and its count, in a new snapshot, sees what the first has done. It is taken last, so it cannot cause a deadlock.
    """
    if not (person.is_admin and person.is_active):
        return
    db.session.execute(select(func.pg_advisory_xact_lock(ADMINS_LOCK_KEY)))
    others = select(Customer.id).where(_IS_ACTIVE_ADMIN, Customer.id != person.id).limit(1)
    if db.session.scalar(others) is None:
        raise LastAdminError


def _without_sync(statement: Any) -> Any:
    """The session holds no Customer objects that would have to follow the statement."""
    return statement.execution_options(synchronize_session=False)
