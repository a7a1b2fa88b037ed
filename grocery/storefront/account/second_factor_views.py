"""One's second factor: turning it on with a QR code, its recovery codes, and turning it off.

Secrets are shown in the answer to the form that makes them, once, and by no address: nobody finds them again.
"""

import re
from collections.abc import Mapping, Sequence

import segno
from flask import Response, current_app, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, current_token, customer_required, usable_without_totp
from grocery.auth.credentials import has_password
from grocery.auth.second_factor import steps
from grocery.auth.second_factor.codes import secret_uri
from grocery.auth.second_factor.schemas import BeginTotpSchema, ConfirmTotpSchema
from grocery.auth.second_factor.service import read_state
from grocery.storefront.account.blueprint import blp, keep_secret
from grocery.storefront.account.forms import PROBLEMS, problems_of, read_form, refuse, sent_code
from grocery.storefront.account.second_step_views import proof_problems, read_proof
from grocery.storefront.pages import go, render, say

_SECRET = re.compile("[A-Z2-7]{16,64}")


@blp.get("/account/second-factor")
@usable_without_totp
@customer_required
def show_second_factor() -> Response:
    return _state_page({})


@blp.post("/account/second-factor")
@usable_without_totp
@customer_required
def begin_totp() -> AnyResponse:
    try:
        body = read_form(BeginTotpSchema(), "password")
        enrolment = steps.begin(current_person(), current_token(), body.get("password"))
    except PROBLEMS as error:
        return refuse(_state_page(problems_of(error, "password")), error)
    return _enrolment_page(enrolment.secret, {})


@blp.post("/account/second-factor/confirm")
@usable_without_totp
@customer_required
def confirm_totp() -> AnyResponse:
    """The first code of the app turns it on. The form brings the secret along, to show it again where that fails."""
    try:
        body = read_form(ConfirmTotpSchema(), code=sent_code("totp"))
        codes = steps.confirm(current_person(), current_token(), body["code"])
    except PROBLEMS as error:
        secret = request.form.get("secret", "")
        if not _SECRET.fullmatch(secret):
            return go("account.show_second_factor")
        return refuse(_enrolment_page(secret, problems_of(error, "totp", renamed={"code": "totp"})), error)
    return _codes_page(codes)


@blp.post("/account/second-factor/recovery-codes")
@usable_without_totp
@customer_required
def renew_recovery_codes() -> AnyResponse:
    try:
        codes = steps.renew_recovery_codes(current_person(), read_proof())
    except PROBLEMS as error:
        return refuse(_state_page(proof_problems(error)), error)
    return _codes_page(codes)


@blp.post("/account/second-factor/off")
@usable_without_totp
@customer_required
def turn_off_totp() -> AnyResponse:
    try:
        steps.turn_off(current_person(), read_proof())
    except PROBLEMS as error:
        return refuse(_state_page(proof_problems(error)), error)
    say(gettext("Signing in needs no second step any more."))
    return go("account.show_second_factor")


def _state_page(errors: Mapping[str, str]) -> Response:
    person = current_person()
    return render(
        "account/second_factor.html",
        state=read_state(person.id),
        errors=errors,
        has_password=has_password(person.id),
        is_needed=current_app.config["REQUIRE_TOTP"] and person.is_staff,
    )


def _enrolment_page(secret: str, errors: Mapping[str, str]) -> Response:
    person = current_person()
    account = person.email or person.phone or person.name
    uri = secret_uri(secret, account=account, shop=current_app.config["SHOP_NAME"])
    # Dark on light in dark mode, too: not every camera reads the opposite.
    picture = segno.make(uri, micro=False).svg_data_uri(dark="#000", light="#fff", border=4)
    return keep_secret(render("account/enrolment.html", secret=secret, picture=picture, uri=uri, errors=errors))


def _codes_page(codes: Sequence[str]) -> Response:
    return keep_secret(render("account/recovery_codes.html", codes=codes))
