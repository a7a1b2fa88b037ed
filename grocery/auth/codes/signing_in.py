"""Signing in with a code by SMS, which makes the account at the first time. Commits nothing."""

from sqlalchemy import ColumnElement, and_, func, insert, select

from grocery.auth.codes import store
from grocery.auth.codes.errors import InvalidCodeError
from grocery.auth.codes.messages import send_code
from grocery.auth.errors import InvalidCredentialsError
from grocery.auth.hooks import signed_in
from grocery.auth.invitations import accept_invitation
from grocery.auth.models import Customer
from grocery.auth.second_factor.service import Proof, check_second_factor
from grocery.auth.sessions import start_session
from grocery.auth.tokens import TokenPair
from grocery.db import db, name_subject

#: Of somebody who signs in for the first time and does not say a name.
UNNAMED = "Customer"


def send_sign_in_code(phone: str) -> str | None:
    """Send a code to a mobile phone (E.164), the same and with the same work whether it has an account or not.

    Answers the request token. Raises CodeBudgetUsedUpError and CodesUsedUpError.
    """
    # Codes to sign in with come before people in the order of locks, since they are used before anyone is known.
    issued = store.issue_requested_code("sign_in", phone)
    owner = select(Customer.id, Customer.language).where(_has_verified(phone))
    row = db.session.execute(owner.with_for_update(read=True, key_share=True)).first()
    customer_id, language = row or (None, None)
    send_code("sign_in", phone, issued, customer_id=customer_id, language=language)
    return issued.request_token


def sign_in_with_code(phone: str, code: str, code_id: int, name: str | None, proof: Proof) -> TokenPair:
    """Sign in to the account whose verified phone this is, or to a new one; after `spend_try` was committed.

    An account that has the number as a contact only is not opened by it: whoever wrote it there may be somebody else.
    One that an admin has made for the number is, and the code proves it.
    Raises InvalidCodeError, also for a person who is deactivated, and what `check_second_factor` raises.
    """
    store.lock_claims(phone)
    store.use("sign_in", store.hash_code("sign_in", phone, code), code_id=code_id)
    customer_id = find_owner(phone) or accept_invitation(phone) or _make_account(phone, name)
    try:
        pair = start_session(customer_id, verified_phone=phone)
    except InvalidCredentialsError:
        raise InvalidCodeError from None
    check_second_factor(customer_id, proof)
    signed_in.send(customer_id=customer_id)
    return pair


def find_owner(phone: str) -> int | None:
    """The account whose verified phone this is."""
    return db.session.scalar(select(Customer.id).where(_has_verified(phone)))


def _has_verified(phone: str) -> ColumnElement[bool]:
    return and_(Customer.phone == phone, Customer.phone_verified_at.is_not(None))


def _make_account(phone: str, name: str | None) -> int:
    values = {"name": name or UNNAMED, "phone": phone, "phone_verified_at": func.now()}
    customer_id: int = db.session.execute(insert(Customer).values(values).returning(Customer.id)).scalar_one()
    name_subject("customer", customer_id)
    return customer_id
