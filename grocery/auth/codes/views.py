"""The routes of /auth that send codes and take them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint, public
from grocery.auth.access import current_person, current_token, customer_required
from grocery.auth.audit.changes import leave_unnoted, unnoted
from grocery.auth.audit.sign_ins import note_failed_sign_in
from grocery.auth.codes import addresses, resetting, signing_in, store
from grocery.auth.codes.confirming import confirm_person
from grocery.auth.codes.errors import CodesUsedUpError, InvalidCodeError
from grocery.auth.codes.messages import tell_admins_of_used_up_codes
from grocery.auth.codes.schemas import (
    CodeLoginSchema,
    ConfirmEmailSchema,
    ConfirmPhoneSchema,
    ForgotPasswordSchema,
    RemoveEmailSchema,
    ResetPasswordSchema,
    SendEmailTokenSchema,
    SendPhoneCodeSchema,
    SendSignInCodeSchema,
)
from grocery.auth.errors import InvalidCredentialsError
from grocery.auth.people import Person
from grocery.auth.schemas import CustomerSchema, TokenPairSchema
from grocery.auth.second_factor.service import Proof
from grocery.auth.second_factor.tries import counting_wrong_codes
from grocery.auth.throttling.devices import TOKEN_HEADER, TOKEN_PARAMETER
from grocery.auth.throttling.tries import limit_codes
from grocery.auth.views import CUSTOMER_EXAMPLE, TOKENS_EXAMPLE, token_response
from grocery.db import transaction

blp = Blueprint("codes", __name__, url_prefix="/auth", description="Codes by SMS and e-mail.")

_PHONE, _TOKEN = "+254712345678", "uX2m0Vb1wq8Jc3Yk7Zt5Rn9Lh4Sd6Gf2Pa8Qe1Wi0Oc"
_VERIFIED_PHONE = {**CUSTOMER_EXAMPLE, "is_phone_verified": True}

_TOO_MANY = "Too often (`too_many_requests`), or no more codes go there within a day (`code_budget_used_up`)."
_NO_MORE_SMS = "The shop has sent all the SMS with codes that it may within a day: `codes_used_up`."
_NOT_CONFIRMED = (
    "The password is wrong (`wrong_password`), or there is none and the sign-in is not fresh (`sign_in_again`)."
)
_WRONG_CODE = "Wrong, used or expired: `invalid_code`."


@blp.route("/otp", methods=["POST"])
@public
@blp.problems(_429=_TOO_MANY, _503=_NO_MORE_SMS)
@blp.problems(_422="A field is not valid, or `phone` is no number.")
@blp.arguments(SendSignInCodeSchema, example={"phone": "0712 345678"})
@blp.response(202, description="A code is on its way. Whether the phone has an account is not said.")
def send_sign_in_code(body: dict[str, Any]) -> ResponseReturnValue:
    """Have a code sent by SMS to sign in with

    It has six digits, lives for 5 minutes and may be tried 5 times. A new one replaces the one before.
    """
    limit_codes(body["phone"])
    with _sending():
        signing_in.send_sign_in_code(body["phone"])
    return Response(status=202)


@blp.route("/otp/login", methods=["POST"])
@public
@blp.problems(
    _401="Wrong, unknown, used or expired: `invalid_code`. All is right and the account has a second factor:"
    " `totp_required`; send `totp` or `recovery_code` too. If that is wrong: `invalid_credentials`.",
    _429="Too many wrong codes of the second factor: `too_many_requests`.",
)
@blp.doc(parameters=[TOKEN_PARAMETER])
@blp.problems(_422="A field is not valid, or `phone` is no number.")
@blp.arguments(CodeLoginSchema, example={"phone": "0712 345678", "code": "493027", "name": "Wanjiku Kamau"})
@blp.response(
    200, TokenPairSchema, description="The tokens of a new sign-in.", headers=TOKEN_HEADER, example=TOKENS_EXAMPLE
)
def log_in_with_code(body: dict[str, Any]) -> ResponseReturnValue:
    """Sign in with the code of an SMS

    The first time makes the account. Each request takes one of the 5 tries of a code.
    """
    phone, proof = body["phone"], Proof(body.get("totp"), body.get("recovery_code"))
    try:
        with transaction():
            store.spend_try("sign_in", target=phone)
        with counting_wrong_codes(), transaction():
            pair = signing_in.sign_in_with_code(phone, body["code"], body["name"], proof)
    except (InvalidCodeError, InvalidCredentialsError):
        with transaction():
            note_failed_sign_in(signing_in.find_owner(phone))
        raise
    return token_response(pair)


@blp.route("/phone/verify", methods=["POST"])
@customer_required
@blp.problems(
    _403=_NOT_CONFIRMED, _409="It is verified already: `already_verified`.", _429=_TOO_MANY, _503=_NO_MORE_SMS
)
@blp.problems(_422="A field is not valid, `phone` is no number, or `password` is missing where it is needed.")
@blp.arguments(SendPhoneCodeSchema, example={"phone": "0712 345678", "password": "correct horse battery"})
@blp.response(202, description="A code is on its way.")
def send_phone_code(body: dict[str, Any]) -> ResponseReturnValue:
    """Have a code sent by SMS to verify one's phone, or another one

    The account's own number stays until `POST /auth/phone/confirm`.
    """
    person = current_person()
    confirm_person(person, current_token(), body["password"])
    limit_codes(body["phone"] or person.phone or "")
    with _sending():
        addresses.send_phone_code(person, body["phone"])
    return Response(status=202)


@blp.route("/phone/confirm", methods=["POST"])
@customer_required
@blp.problems(_403=_WRONG_CODE)
@blp.arguments(ConfirmPhoneSchema, example={"code": "493027"})
@blp.response(200, CustomerSchema, example=_VERIFIED_PHONE)
def confirm_phone(body: dict[str, Any]) -> Person:
    """Verify one's phone with the code of the SMS

    From then on it signs in. Another account that had it verified has it no more. Each request takes one of 5 tries.
    """
    person = current_person()
    with unnoted(), transaction():
        phone = addresses.spend_phone_try(person)
    with transaction():
        return addresses.confirm_phone(person, phone, body["code"])


@blp.route("/email", methods=["POST"])
@customer_required
@blp.problems(_403=_NOT_CONFIRMED, _409="It is verified already: `already_verified`.", _429=_TOO_MANY)
@blp.problems(_422="A field is not valid, or `password` is missing: it is needed to confirm this.")
@blp.arguments(SendEmailTokenSchema, example={"email": "wanjiku@example.com", "password": "correct horse battery"})
@blp.response(202, description="A mail is on its way. Whether the address has another account is not said.")
def send_email_token(body: dict[str, Any]) -> ResponseReturnValue:
    """Have a mail sent to verify one's e-mail address, or to get another one

    The account's own address stays until `POST /auth/email/confirm`, within 24 hours.
    """
    person, email = current_person(), body["email"]
    if email != person.email:
        confirm_person(person, current_token(), body["password"])
    limit_codes(email)
    with transaction():
        addresses.send_email_confirmation(person, email)
    return Response(status=202)


@blp.route("/email/confirm", methods=["POST"])
@customer_required
@blp.problems(
    _403=f"{_WRONG_CODE} Or somebody else asked for it.", _409="Another account has the address: `email_taken`."
)
@blp.arguments(ConfirmEmailSchema, example={"token": _TOKEN})
@blp.response(200, CustomerSchema, example={**CUSTOMER_EXAMPLE, "is_email_verified": True})
def confirm_email(body: dict[str, Any]) -> Person:
    """Verify one's e-mail address with the token of the mail

    Only the account that asked for the mail can do it. The address of before is told.
    """
    with transaction():
        return addresses.confirm_email(current_person(), body["token"])


@blp.route("/email", methods=["DELETE"])
@customer_required
@blp.problems(
    _403=_NOT_CONFIRMED, _429=_TOO_MANY, _409="There is no verified phone to sign in with: `last_identifier`."
)
@blp.problems(_422="A field is not valid, or `password` is missing: it is needed to confirm this.")
@blp.arguments(RemoveEmailSchema, example={"password": "correct horse battery"})
@blp.response(200, CustomerSchema, example={**_VERIFIED_PHONE, "email": None})
def remove_email(body: dict[str, Any]) -> Person:
    """Take the e-mail address off one's account

    For accounts with a verified phone.
    """
    person = current_person()
    confirm_person(person, current_token(), body["password"])
    with transaction():
        return addresses.remove_email(person)


@blp.route("/password/forgot", methods=["POST"])
@public
@blp.problems(_429=_TOO_MANY, _503=_NO_MORE_SMS)
@blp.problems(_422="A field is not valid, or there is not one of `email` and `phone`.")
@blp.arguments(ForgotPasswordSchema, example={"email": "wanjiku@example.com"})
@blp.response(202, description="A message is on its way, if there is such an account: which is not said.")
def forget_password(body: dict[str, Any]) -> ResponseReturnValue:
    """Have a mail, or an SMS, sent to choose a new password

    The mail's token lives for 30 minutes, the code of the SMS for 5.
    """
    email, phone = body.get("email"), body.get("phone")
    limit_codes(email or phone or "")
    with _sending():
        if email:
            resetting.send_reset_by_email(email)
        elif phone:
            resetting.send_reset_by_phone(phone)
    return Response(status=202)


@blp.route("/password/reset", methods=["POST"])
@public
@blp.problems(_401=_WRONG_CODE)
@blp.problems(_422="A field is not valid, the `password` is too easy, or it needs `token`, or `phone` and `code`.")
@blp.arguments(ResetPasswordSchema, example={"token": _TOKEN, "password": "correct horse battery"})
@blp.response(204, description="The password is set, and all sign-ins have ended.")
def reset_password(body: dict[str, Any]) -> ResponseReturnValue:
    """Choose a new password with the token of the mail, or the code of the SMS

    All sign-ins of the account end. A token is good once; with a password that is refused it stays good.
    """
    if "token" in body:
        with transaction():
            resetting.reset_by_token(body["token"], body["password"])
        return Response(status=204)
    with transaction():
        store.spend_try("reset_password", target=body["phone"])
    with transaction():
        resetting.reset_by_code(body["phone"], body["code"], body["password"])
    return Response(status=204)


@contextmanager
def _sending() -> Iterator[None]:
    """A transaction that sends a code; admins hear of it when there is none left, though all else is rolled back."""
    try:
        with transaction():
            yield
    except CodesUsedUpError as error:
        leave_unnoted()
        with transaction():
            tell_admins_of_used_up_codes(error)
        raise
