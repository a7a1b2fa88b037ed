"""Ending sign-ins: one's own on other devices, and all of somebody who asks the shop for it. Commits nothing."""

import uuid

from grocery.auth import sessions
from grocery.auth.audit.service import note
from grocery.auth.errors import SessionNotFoundError
from grocery.auth.people import Person
from grocery.auth.service import lock_person
from grocery.auth.throttling.tries import limit_costly
from grocery.auth.tokens import Token
from grocery.db import name_subject


def sign_out_device(person: Person, session_id: str) -> None:
    """End one sign-in. Raises SessionNotFoundError for none of theirs, and TooManyRequestsError."""
    limit_costly(person.id, "sessions")
    sessions.end_session_of(person.id, _session_id(session_id))
    _note("session_ended", person)


def sign_out_others(person: Person, token: Token) -> None:
    """End all sign-ins but the one of this token. Raises TooManyRequestsError."""
    limit_costly(person.id, "sessions")
    sessions.end_other_sessions(token)
    _note("sessions_ended", person)


def sign_out_person(customer_id: int) -> None:
    """End all sign-ins of a person: a phone was lost, or a password is known to others. Raises PersonNotFoundError."""
    lock_person(customer_id)
    name_subject("customer", customer_id)
    sessions.end_all_sessions(customer_id)


def _session_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise SessionNotFoundError from None


def _note(action: str, person: Person) -> None:
    note(action, actor_id=person.id, actor_role=person.role, subject_type="customer", subject_id=person.id)
