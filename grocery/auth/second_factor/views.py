"""The routes of /auth/totp: one's own second factor."""

from typing import Any

from flask import Response, jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth.access import current_person, current_token, customer_required, usable_without_totp
from grocery.auth.second_factor import service, steps
from grocery.auth.second_factor.schemas import (
    BeginTotpSchema,
    ConfirmTotpSchema,
    EnrolmentSchema,
    ProofSchema,
    RecoveryCodesSchema,
    TotpStateSchema,
)
from grocery.auth.second_factor.service import FactorState, Proof
from grocery.limits import TOO_MANY

blp = Blueprint("totp", __name__, url_prefix="/auth/totp", description="The second factor for signing in.")

_WRONG_CODE = "The code is wrong, expired or was used before: `wrong_code`."
_OFF = "There is no second factor: `totp_off`."
_TOO_MANY = "Ten wrong codes within an hour: `too_many_requests`, with `Retry-After`."
_CODES_EXAMPLE = {"recovery_codes": ["7k2m-9qxt-0v4h-c8ws-3bde-n6pj", "x1f8-…"]}


@blp.route("")
@usable_without_totp
@customer_required
@blp.response(
    200,
    TotpStateSchema,
    example={"is_on": True, "confirmed_at": "2026-03-02T08:15:00Z", "recovery_codes_left": 9},
)
def get_totp() -> FactorState:
    """Read whether one's second factor is on"""
    return service.read_state(current_person().id)


@blp.route("", methods=["POST"])
@usable_without_totp
@customer_required
@blp.problems(
    _403="The password is wrong (`wrong_password`), or it is missing and the sign-in is older than 10 minutes"
    " (`sign_in_again`).",
    _409="There is a second factor already (`totp_on`), or neither the e-mail address nor, without one, the phone is"
    " verified (`unverified`).",
    _429=TOO_MANY,
)
@blp.arguments(BeginTotpSchema, example={"password": "correct horse battery"})
@blp.response(
    200,
    EnrolmentSchema,
    example={
        "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "uri": "otpauth://totp/Grocery:amina%40shop.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Grocery",
    },
)
def begin_totp(body: dict[str, Any]) -> ResponseReturnValue:
    """Begin to turn on a second factor

    Verify the e-mail address first, or without one the phone. Put the secret into an authenticator app, then send its
    first code to `POST /auth/totp/confirm`. Until then signing in stays as it is. Asked again before that, there is
    another secret.
    """
    enrolment = steps.begin(current_person(), current_token(), body.get("password"))
    return _secret_response(EnrolmentSchema().dump(enrolment))


@blp.route("/confirm", methods=["POST"])
@usable_without_totp
@customer_required
@blp.problems(_403=_WRONG_CODE, _409="It was not begun, or is on already: `totp_off`.", _429=_TOO_MANY)
@blp.arguments(ConfirmTotpSchema, example={"code": "123456"})
@blp.response(200, RecoveryCodesSchema, example=_CODES_EXAMPLE)
def confirm_totp(body: dict[str, Any]) -> ResponseReturnValue:
    """Turn on the second factor

    From now on `POST /auth/login` needs `totp` too, and all other sign-ins of this person are ended. The answer has ten
    recovery codes to write down, each good once instead of a code of the app.
    """
    codes = steps.confirm(current_person(), current_token(), body["code"])
    return _secret_response({"recovery_codes": codes})


@blp.route("/recovery-codes", methods=["POST"])
@usable_without_totp
@customer_required
@blp.problems(_403=_WRONG_CODE, _409=_OFF, _429=_TOO_MANY)
@blp.problems(_422="A field is not valid, or there is not one of `code` and `recovery_code`.")
@blp.arguments(ProofSchema, example={"code": "123456"})
@blp.response(200, RecoveryCodesSchema, example=_CODES_EXAMPLE)
def renew_recovery_codes(body: dict[str, Any]) -> ResponseReturnValue:
    """Get ten new recovery codes

    Those of before are void.
    """
    codes = steps.renew_recovery_codes(current_person(), _proof(body))
    return _secret_response({"recovery_codes": codes})


@blp.route("", methods=["DELETE"])
@usable_without_totp
@customer_required
@blp.problems(_403=_WRONG_CODE, _409=_OFF, _429=_TOO_MANY)
@blp.problems(_422="A field is not valid, or there is not one of `code` and `recovery_code`.")
@blp.arguments(ProofSchema, example={"code": "123456"})
@blp.response(204, description="Signing in needs no code any more.")
def turn_off_totp(body: dict[str, Any]) -> ResponseReturnValue:
    """Turn off the second factor

    It takes a code of the app or a recovery code. Who has neither needs an admin of the shop, or its operator.
    """
    steps.turn_off(current_person(), _proof(body))
    return Response(status=204)


def _proof(body: dict[str, Any]) -> Proof:
    return Proof(totp=body.get("code"), recovery_code=body.get("recovery_code"))


def _secret_response(answer: dict[str, Any]) -> Response:
    response = jsonify(answer)
    response.headers["Cache-Control"] = "no-store"
    return response
