"""The routes of /auth that send codes and take them."""

from typing import Any

from flask import Response, jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint, public
from grocery.auth.access import current_person, current_token, customer_required, usable_without_totp
from grocery.auth.codes import addresses, resetting, steps
from grocery.auth.codes.schemas import (
    CodeLoginSchema,
    CodeRequestedSchema,
    ConfirmEmailSchema,
    ConfirmPhoneSchema,
    ForgotPasswordSchema,
    RemoveAddressSchema,
    ResetPasswordSchema,
    SendEmailTokenSchema,
    SendPhoneCodeSchema,
    SendSignInCodeSchema,
)
from grocery.auth.people import Person
from grocery.auth.schemas import CustomerSchema, TokenPairSchema
from grocery.auth.second_factor.service import Proof
from grocery.auth.throttling.devices import TOKEN_HEADER, TOKEN_PARAMETER
from grocery.auth.views import CUSTOMER_EXAMPLE, TOKENS_EXAMPLE, token_response
from grocery.db import transaction

blp = Blueprint("codes", __name__, url_prefix="/auth", description="Codes by SMS and e-mail.")

_PHONE, _TOKEN = "+254712345678", "uX2m0Vb1wq8Jc3Yk7Zt5Rn9Lh4Sd6Gf2Pa8Qe1Wi0Oc"
_REQUESTED = {"request_token": _TOKEN}
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
@blp.response(
    202,
    CodeRequestedSchema,
    description="A code is on its way. Whether the phone has an account is not said.",
    example=_REQUESTED,
)
def send_sign_in_code(body: dict[str, Any]) -> ResponseReturnValue:
    """Have a code sent by SMS to sign in with

    It has six digits, lives for 5 minutes and may be tried 5 times. A new one replaces the one before, but for who
    sends the `request_token` of that.
    """
    return _requested(steps.ask_sign_in_code(body["phone"]))


@blp.route("/otp/login", methods=["POST"])
@public
@blp.problems(
    _401="Wrong, unknown, used or expired: `invalid_code`. All is right and the account has a second factor:"
    " `totp_required`; send `totp` or `recovery_code` too. If that is wrong: `invalid_credentials`.",
    _429="Too many wrong codes from this address, or of the second factor: `too_many_requests`.",
)
@blp.doc(parameters=[TOKEN_PARAMETER])
@blp.problems(_422="A field is not valid, or `phone` is no number.")
@blp.arguments(CodeLoginSchema, example={"phone": "0712 345678", "code": "493027", "name": "Wanjiku Kamau"})
@blp.response(
    200, TokenPairSchema, description="The tokens of a new sign-in.", headers=TOKEN_HEADER, example=TOKENS_EXAMPLE
)
def log_in_with_code(body: dict[str, Any]) -> ResponseReturnValue:
    """Sign in with the code of an SMS

    The first time makes the account. Each request takes one of the 5 tries of a code. With the `request_token` that
    `POST /auth/otp` answered, nobody else can use these up.
    """
    proof = Proof(body.get("totp"), body.get("recovery_code"))
    pair = steps.enter_with_code(body["phone"], body["code"], body["request_token"], proof, name=body["name"])
    return token_response(pair)


@blp.route("/phone/verify", methods=["POST"])
@usable_without_totp
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
    steps.ask_phone_code(current_person(), current_token(), body["phone"], body["password"])
    return Response(status=202)


@blp.route("/phone/confirm", methods=["POST"])
@usable_without_totp
@customer_required
@blp.problems(_403=_WRONG_CODE)
@blp.arguments(ConfirmPhoneSchema, example={"code": "493027"})
@blp.response(200, CustomerSchema, example=_VERIFIED_PHONE)
def confirm_phone(body: dict[str, Any]) -> Person:
    """Verify one's phone with the code of the SMS

    From then on it signs in. Another account that had it verified has it no more. Each request takes one of 5 tries.
    """
    return steps.prove_phone(current_person(), body["code"])


@blp.route("/phone", methods=["DELETE"])
@customer_required
@blp.problems(
    _403=_NOT_CONFIRMED, _429=_TOO_MANY, _409="There is no e-mail address to sign in with: `last_identifier`."
)
@blp.problems(_422="A field is not valid, or `password` is missing: it is needed to confirm this.")
@blp.arguments(RemoveAddressSchema, example={"password": "correct horse battery"})
@blp.response(200, CustomerSchema, example={**CUSTOMER_EXAMPLE, "phone": None})
def remove_phone(body: dict[str, Any]) -> Person:
    """Take the phone off one's account

    For accounts with an e-mail address. A verified number is told.
    """
    return steps.remove_phone(current_person(), current_token(), body["password"])


@blp.route("/email", methods=["POST"])
@usable_without_totp
@customer_required
@blp.problems(_403=_NOT_CONFIRMED, _409="It is verified already: `already_verified`.", _429=_TOO_MANY)
@blp.problems(_422="A field is not valid, or `password` is missing: it is needed to confirm this.")
@blp.arguments(SendEmailTokenSchema, example={"email": "wanjiku@example.com", "password": "correct horse battery"})
@blp.response(202, description="A mail is on its way. Whether the address has another account is not said.")
def send_email_token(body: dict[str, Any]) -> ResponseReturnValue:
    """Have a mail sent to verify one's e-mail address, or to get another one

    The account's own address stays until `POST /auth/email/confirm`, within 24 hours.
    """
    steps.ask_email_token(current_person(), current_token(), body["email"], body["password"])
    return Response(status=202)


@blp.route("/email/confirm", methods=["POST"])
@usable_without_totp
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
@blp.arguments(RemoveAddressSchema, example={"password": "correct horse battery"})
@blp.response(200, CustomerSchema, example={**_VERIFIED_PHONE, "email": None})
def remove_email(body: dict[str, Any]) -> Person:
    """Take the e-mail address off one's account

    For accounts with a verified phone.
    """
    return steps.remove_email(current_person(), current_token(), body["password"])


@blp.route("/password/forgot", methods=["POST"])
@public
@blp.problems(_429=_TOO_MANY, _503=_NO_MORE_SMS)
@blp.problems(_422="A field is not valid, or there is not one of `email` and `phone`.")
@blp.arguments(ForgotPasswordSchema, example={"email": "wanjiku@example.com"})
@blp.response(
    202,
    CodeRequestedSchema,
    description="A message is on its way, if there is such an account: which is not said.",
    example=_REQUESTED,
)
def forget_password(body: dict[str, Any]) -> ResponseReturnValue:
    """Have a mail, or an SMS, sent to choose a new password

    The mail's token lives for 30 minutes, the code of the SMS for 5.
    """
    if "phone" in body:
        return _requested(steps.ask_reset_by_phone(body["phone"]))
    steps.ask_reset_by_email(body["email"])
    return _requested(None)


@blp.route("/password/reset", methods=["POST"])
@public
@blp.problems(_401=_WRONG_CODE, _429="Too many wrong codes from this address: `too_many_requests`.")
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
    else:
        steps.reset_by_code(body["phone"], body["code"], body["request_token"], body["password"])
    return Response(status=204)


def _requested(request_token: str | None) -> ResponseReturnValue:
    response = jsonify(CodeRequestedSchema().dump({"request_token": request_token} if request_token else {}))
    response.headers["Cache-Control"] = "no-store"
    return response, 202
