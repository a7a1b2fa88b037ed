"""What staff, admins and command lines change: an entry in the transaction of the change itself.

Of customers only the end of their account, and another address to sign in with. What else they do for its safety is
noted where it is done.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import current_app, g, has_request_context, request

from grocery.auth.audit.service import note
from grocery.auth.cookies import CSRF_FIELD
from grocery.auth.pages import is_page
from grocery.auth.people import Person
from grocery.commands import RunningCommand, running_command
from grocery.db import after_commit, named_subject

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

# One's own basket is nobody else's business, and new tokens for a sign-in change nothing.
_UNNOTED_LEVELS = ("optional", "refresh", "public")

# Of an account that is gone nothing else is left, and those who look after backups have to know. With another phone or
# e-mail address an account may have been taken over.
_NOTED_OF_CUSTOMERS = ("delete_me", "confirm_phone", "confirm_email", "remove_phone", "remove_email")

# Their pages do the same under the same names.
_PAGES_OF_ACCOUNTS = "account."

# Parts of addresses that are words of the program. Others may be a phone number, an e-mail address or a secret.
_WORDS_IN_ADDRESSES = ("event", "audience", "channel", "language")

# Fields of bodies whose values are words of the program too; of the others only the names are kept.
_WORDS_IN_BODIES = ("role", "is_active", "status")

# They say nothing about what was done.
_FIELDS_OF_EVERY_FORM = (CSRF_FIELD, "return_to")

# Routes that need no body do not look at the one that comes, so anything may be in it.
_WORD = re.compile(r"[A-Za-z_]{1,40}", re.ASCII)

# More than any route has; a body with a megabyte of made-up names would stay in the log for years.
_MOST_FIELDS = 50


def note_change(_sender: object) -> None:
    """The receiver of `committing`: an entry for each subject of a request or a command."""
    if has_request_context():
        _note_request()
    elif (command := running_command.get()) is not None:
        _note_command(command)


def leave_unnoted() -> None:
    """Say that this request has failed: what it still commits tells of the failure, and is no change."""
    g.is_left_unnoted = True


@contextmanager
def unnoted() -> Iterator[None]:
    """Stands around a transaction that is no change yet, a try that is spent: the entry is for the one after it."""
    before = g.get("is_left_unnoted", False)
    g.is_left_unnoted = True
    try:
        yield
    finally:
        g.is_left_unnoted = before


def _note_request() -> None:
    person: Person | None = g.get("person")
    if person is None or request.method in _SAFE_METHODS or g.get("is_left_unnoted"):
        return
    endpoint = request.endpoint or ""
    documented = getattr(current_app.view_functions[endpoint], "_apidoc", {})
    operation = documented.get("operation", endpoint)
    if not _is_noted(operation, documented.get("access"), person):
        return
    named, noted = named_subject(), g.setdefault("noted_subjects", set())
    # What comes after the first transaction of a request belongs to it, unless it says that it is about something else.
    if noted and (named is None or named in noted):
        return
    subject_type, subject_id = subject = named or _subject_in_address()
    note(
        operation,
        actor_id=person.id,
        actor_role=person.role,
        subject_type=subject_type,
        subject_id=subject_id,
        details=_details(subject_type) or None,
    )
    # A transaction that is rolled back takes its entry with it; then the next one has to write it.
    after_commit("change noted", lambda: noted.add(subject))


def _is_noted(operation: str, level: str | None, person: Person) -> bool:
    if person.is_staff:
        return level not in _UNNOTED_LEVELS
    return operation.removeprefix(_PAGES_OF_ACCOUNTS) in _NOTED_OF_CUSTOMERS


def _note_command(command: RunningCommand) -> None:
    subject = named_subject()
    if subject in command.noted_subjects:
        return
    subject_type, subject_id = subject or (None, None)
    note(
        command.path,
        actor_id=None,
        actor_role="command",
        subject_type=subject_type,
        subject_id=subject_id,
        details=_words_of(command.parameters) or None,
    )
    after_commit("change noted", lambda: command.noted_subjects.add(subject))


def _subject_in_address() -> tuple[str | None, int | None]:
    for name, value in _ids_in_address().items():
        return _kind_of(name), value
    return None, None


def _details(subject_type: str | None) -> dict[str, Any]:
    """The other ids in the address, and the names of the fields that were sent."""
    details: dict[str, Any] = {
        name: value for name, value in _ids_in_address().items() if _kind_of(name) != subject_type
    }
    details |= {name: value for name, value in (request.view_args or {}).items() if name in _WORDS_IN_ADDRESSES}
    body = _sent()
    if isinstance(body, dict):
        details["fields"] = sorted(name for name in body if _WORD.fullmatch(name))[:_MOST_FIELDS]
        details |= _words_of(body)
    return details


def _sent() -> Any:
    if is_page():
        return {name: value for name, value in request.form.items() if name not in _FIELDS_OF_EVERY_FORM}
    return request.get_json(silent=True) if request.is_json else None


def _words_of(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in _WORDS_IN_BODIES if _is_word(given.get(name))}


def _is_word(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and _WORD.fullmatch(value) is not None)


def _ids_in_address() -> dict[str, int]:
    return {name: value for name, value in (request.view_args or {}).items() if isinstance(value, int)}


def _kind_of(name: str) -> str:
    kind = name.removesuffix("_id")
    return "customer" if kind == "user" else kind
