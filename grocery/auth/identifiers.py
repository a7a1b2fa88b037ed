"""What people sign in with: an e-mail address, or a verified phone number."""

from flask import current_app
from sqlalchemy import ColumnElement, and_, false

from grocery.auth.models import Customer
from grocery.auth.people import normalize_email
from grocery.errors import InvalidError
from grocery.phones import parse_phone


def is_identified_by(identifier: str) -> ColumnElement[bool]:
    """The condition on `customers` for whoever signs in with this; false for what is no identifier."""
    if "@" in identifier:
        return Customer.email == normalize_email(identifier)
    phone = _parse(identifier)
    return and_(Customer.phone == phone, Customer.phone_verified_at.is_not(None)) if phone else false()


def normalize_identifier(identifier: str) -> str:
    """One text for all the ways to write the same identifier, whether anyone has it or not."""
    if "@" in identifier:
        return normalize_email(identifier)
    return _parse(identifier) or identifier.strip()


def _parse(identifier: str) -> str | None:
    try:
        return parse_phone(identifier, current_app.config["DEFAULT_COUNTRY"])
    except InvalidError:
        return None
