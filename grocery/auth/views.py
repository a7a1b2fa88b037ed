"""The routes of /auth: signing in and out, and one's own data. Those for admins stand in `user_views`."""

from typing import Any

from flask import Response, jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint, public
from grocery.auth import service, sessions
from grocery.auth.access import current_person, current_token, customer_required, refresh_required, usable_without_totp
from grocery.auth.entering import enter, find_account, make_account
from grocery.auth.erasing import erase_with_code, erase_with_password
from grocery.auth.people import Person
from grocery.auth.schemas import (
    CustomerSchema,
    EraseMeSchema,
    LoginSchema,
    RegisterSchema,
    TokenPairSchema,
    UpdateMeSchema,
)
from grocery.auth.second_factor.service import Proof
from grocery.auth.throttling.devices import TOKEN_HEADER, TOKEN_PARAMETER
from grocery.auth.tokens import TokenPair
from grocery.db import transaction
from grocery.lanes import BUSY
from grocery.limits import TOO_MANY
from grocery.web import idempotency_key

blp = Blueprint("auth", __name__, url_prefix="/auth", description="Registering, signing in and out, one's own data.")

CUSTOMER_EXAMPLE = {
    "id": 42,
    "name": "Wanjiku Kamau",
    "email": "wanjiku@example.com",
    "phone": "+254712345678",
    "is_phone_verified": False,
    "is_email_verified": False,
    "role": "customer",
    "is_active": True,
    "language": None,
    "notify_by": "sms_and_email",
    "marketing_sms": False,
    "marketing_email": False,
    "created_at": "2026-03-02T08:15:00Z",
    "updated_at": "2026-03-02T08:15:00Z",
}
TOKENS_EXAMPLE = {
    "access_token": "eyJhbGciOiJIUzI1NiIs…",
    "refresh_token": "eyJhbGciOiJIUzI1NiIs…",
    "token_type": "Bearer",
    "expires_in": 900,
}
_REPEAT_KEY_PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "Chosen by the client for this exchange. Sent again with the same token within 30 s, when the answer"
    " was lost, it gets the very same pair.",
    "example": "7f0c2f6e-refresh-1",
}


@blp.route("/register", methods=["POST"])
@public
@blp.problems(_409="The e-mail address has an account already: `email_taken`.", _429=TOO_MANY, _503=BUSY)
@blp.problems(
    _422="A field is not valid, `phone` is no number, `password` is too easy, or `marketing_sms` has no number."
)
@blp.arguments(
    RegisterSchema,
    example={
        "name": "Wanjiku Kamau",
        "email": "wanjiku@example.com",
        "password": "correct horse battery",
        "phone": "0712 345678",
    },
)
@blp.response(201, CustomerSchema, description="The new customer.", example=CUSTOMER_EXAMPLE)
def register(body: dict[str, Any]) -> Person:
    """Make an account

    Then sign in with `POST /auth/login`. A mail goes to the address, to verify it. Upper and lower case do not matter
    in the e-mail address.
    """
    return make_account(**body)


@blp.route("/login", methods=["POST"])
@public
@blp.problems(
    _401="Unknown, wrong password, wrong code or deactivated, without saying which: `invalid_credentials`. All is right"
    " and the account has a second factor: `totp_required`; send `totp` or `recovery_code` too.",
    _429=TOO_MANY,
    _503=BUSY,
)
@blp.doc(parameters=[TOKEN_PARAMETER])
@blp.arguments(LoginSchema, example={"email": "wanjiku@example.com", "password": "correct horse battery"})
@blp.response(
    200, TokenPairSchema, description="The tokens of a new sign-in.", headers=TOKEN_HEADER, example=TOKENS_EXAMPLE
)
def log_in(body: dict[str, Any]) -> ResponseReturnValue:
    """Sign in

    The access token is for the `Authorization` header of all other requests; it lives for 15 minutes. With the refresh
    token, which lives for 30 days, `POST /auth/refresh` gets a new pair.
    """
    account = find_account(body["email"], body["password"])
    return token_response(enter(account, Proof(body.get("totp"), body.get("recovery_code"))))


@blp.route("/refresh", methods=["POST"])
@usable_without_totp
@refresh_required
@blp.doc(parameters=[_REPEAT_KEY_PARAMETER])
@blp.problems(
    _401="Not a valid refresh token, or one that was used before (`token_revoked`): then its whole sign-in is ended.",
    _422="The Idempotency-Key is not valid.",
)
@blp.response(200, TokenPairSchema, description="A new pair of the same sign-in.", example=TOKENS_EXAMPLE)
def refresh_tokens() -> ResponseReturnValue:
    """Exchange the refresh token for a new pair

    Send the refresh token as the bearer token. It is good once: seen again, it may have been stolen, and all tokens of
    the sign-in die. So that a lost answer signs nobody out, send an `Idempotency-Key` and repeat with the same one.
    """
    return token_response(sessions.exchange_token(current_token(), idempotency_key()))


@blp.route("/logout", methods=["POST"])
@usable_without_totp
@customer_required
@blp.response(204, description="The access token is dead, and so are all tokens of the same sign-in.")
def log_out() -> ResponseReturnValue:
    """Sign out

    Other sign-ins of the same person, on other devices, stay.
    """
    with transaction():
        sessions.end_session(current_token())
    return Response(status=204)


@blp.route("/me")
@usable_without_totp
@customer_required
@blp.response(200, CustomerSchema, example=CUSTOMER_EXAMPLE)
def get_me() -> Person:
    """Read one's own data"""
    return current_person()


@blp.route("/me", methods=["PATCH"])
@usable_without_totp
@customer_required
@blp.problems(
    _409="The phone is verified, and is proved anew or removed elsewhere: `phone_verified`, or `last_identifier` where"
    " it is the only address to sign in with.",
    _422="A field is not valid, `phone` is no number, or `notify_by` or `marketing_sms` has no address.",
)
@blp.arguments(UpdateMeSchema, example={"name": "Wanjiku Njeri", "phone": "+254722000111"})
@blp.response(200, CustomerSchema, example={**CUSTOMER_EXAMPLE, "name": "Wanjiku Njeri", "phone": "+254722000111"})
def update_me(body: dict[str, Any]) -> Person:
    """Change one's own name or phone, and how messages come

    Fields that are not sent stay as they are; `"phone": null` removes the number. Another number is not verified, and
    gets no offers unless that is said anew. A verified number stays: `POST /auth/phone/verify` proves another one, and
    `DELETE /auth/phone` removes it. Who has sent STOP by SMS gets none before START, whatever is set here.
    """
    with transaction():
        return service.update_profile(current_person().id, body)


@blp.route("/me", methods=["DELETE"])
@usable_without_totp
@customer_required
@blp.problems(
    _403="The password is wrong (`wrong_password`), or the code is wrong, used or expired (`invalid_code`).",
    _409="An order is on its way (`order_in_transit`), or this is the last active admin (`last_admin`).",
    _429=TOO_MANY,
)
@blp.problems(_422="A field is not valid, or there is not one of `password` and `code`.")
@blp.arguments(EraseMeSchema, example={"password": "correct horse battery"})
@blp.response(204, description="The account is gone.")
def delete_me(body: dict[str, Any]) -> ResponseReturnValue:
    """Erase one's own account

    With it go the orders, carts, messages and tokens. Orders that are not on their way yet are cancelled first.
    """
    if "code" in body:
        erase_with_code(current_person(), body["code"], body["request_token"])
    else:
        erase_with_password(current_person(), body["password"])
    return Response(status=204)


def token_response(pair: TokenPair) -> Response:
    """The answer to a sign-in."""
    response = jsonify(TokenPairSchema().dump(pair))
    response.headers["Cache-Control"] = "no-store"  # RFC 6749, section 5.1
    return response
