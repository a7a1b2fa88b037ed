"""Erasing one's own account: what confirms it, then the end, each in a transaction of its own."""

from grocery.auth import service
from grocery.auth.audit.changes import unnoted
from grocery.auth.codes.confirming import spend_own_try, use_own_code
from grocery.auth.people import Person
from grocery.db import transaction


def erase_with_password(person: Person, password: str) -> None:
    """Raises WrongPasswordError, TooManyRequestsError, and what `service.delete_customer` raises."""
    service.confirm_password(person.id, password)
    with transaction():
        service.delete_customer(person.id, actor=person)


def erase_with_code(person: Person, code: str, request_token: str | None) -> None:
    """The same with a code of an SMS to one's own verified phone; WrongCodeError instead of WrongPasswordError."""
    with unnoted(), transaction():
        code_id = spend_own_try(person, request_token)
    with transaction():
        use_own_code(person, code, code_id)
        service.delete_customer(person.id, actor=person)
