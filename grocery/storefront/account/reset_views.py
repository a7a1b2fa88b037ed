"""A forgotten password, and an invitation: having a mail or an SMS sent, and choosing a password with it.

The link of a mail opens a page with a form, and no more: programs that look at mails open links, too.
"""

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import optional_person, usable_without_totp
from grocery.auth.codes.errors import InvalidCodeError
from grocery.auth.codes.resetting import reset_by_token
from grocery.auth.codes.schemas import ForgotPasswordSchema, ResetPasswordSchema
from grocery.auth.codes.steps import ask_reset_by_email, ask_reset_by_phone, reset_by_code
from grocery.db import transaction
from grocery.storefront.account.blueprint import blp, keep_secret
from grocery.storefront.account.forms import PROBLEMS, problems_of, read_form, refuse, sent_code
from grocery.storefront.account.steps import RESETTING, forget_step, keep_step, read_step
from grocery.storefront.pages import go, render, say

_RENAMED = {"password": "new_password"}


@blp.get("/reset")
@usable_without_totp
@optional_person
def show_reset() -> Response:
    """Where one asks for a mail or an SMS; with the token of a mail, where one chooses the password."""
    token = request.args.get("token", "")
    return _choice_page({"token": token}, {}) if token else _asking_page("", {})


@blp.post("/reset")
@usable_without_totp
@optional_person
def ask_reset() -> AnyResponse:
    """The same page comes next whether there is such an account or not."""
    identifier = request.form.get("identifier", "").strip()
    try:
        kept = _ask(identifier)
    except PROBLEMS as error:
        renamed = {"email": "identifier", "phone": "identifier"}
        return refuse(_asking_page(identifier, problems_of(error, "identifier", renamed=renamed)), error)
    return keep_step(go("account.show_choice"), RESETTING, **kept)


@blp.get("/reset/choose")
@usable_without_totp
@optional_person
def show_choice() -> AnyResponse:
    step = read_step(RESETTING)
    return _choice_page(step, {}) if step else go("account.show_reset")


@blp.post("/reset/choose")
@usable_without_totp
@optional_person
def choose_password() -> AnyResponse:
    # The form has a token that came in a mail; the step knows the number that an SMS went to.
    step = read_step(RESETTING)
    token = request.form.get("token", "").strip()
    shown: Mapping[str, Any] = step if "phone" in step and not token else {**step, "token": token}
    try:
        _reset(step, token)
    except PROBLEMS as error:
        return refuse(_choice_page(shown, _problems(error, shown)), error)
    say(gettext("Your new password is set. Sign in with it."))
    return forget_step(go("account.show_password_sign_in"), RESETTING)


@blp.get("/invitation")
@usable_without_totp
@optional_person
def show_invitation() -> Response:
    """The same choice for somebody who was given an account, and has no password yet."""
    return _choice_page({"token": request.args.get("token", "")}, {}, is_invitation=True)


def _ask(identifier: str) -> dict[str, Any]:
    """Have it sent; what the next page has to know."""
    if "@" in identifier:
        email = read_form(ForgotPasswordSchema(), email=identifier)["email"]
        ask_reset_by_email(email)
        return {"email": email}
    phone = read_form(ForgotPasswordSchema(), phone=identifier)["phone"]
    return {"phone": phone, "request_token": ask_reset_by_phone(phone)}


def _reset(step: Mapping[str, Any], token: str) -> None:
    password = request.form.get("new_password", "")
    if token or "phone" not in step:
        body = read_form(ResetPasswordSchema(), token=token, password=password)
        with transaction():
            reset_by_token(body["token"], body["password"])
        return
    body = read_form(ResetPasswordSchema(), phone=step["phone"], code=sent_code(), password=password)
    reset_by_code(step["phone"], body["code"], step["request_token"], body["password"])


def _problems(error: Exception, shown: Mapping[str, Any]) -> dict[str, str]:
    is_of_mail = "token" in shown
    at = "token" if is_of_mail else "code"
    if isinstance(error, InvalidCodeError) and is_of_mail:
        return {at: gettext("This link was used, or is too old. Have another mail sent.")}
    if not isinstance(error, InvalidCodeError):
        at = "new_password"
    return problems_of(error, at, ["token", "code"], _RENAMED)


def _asking_page(identifier: str, errors: Mapping[str, str]) -> Response:
    return keep_secret(render("account/reset.html", identifier=identifier, errors=errors))


def _choice_page(step: Mapping[str, Any], errors: Mapping[str, str], *, is_invitation: bool = False) -> Response:
    is_invitation = is_invitation or "is_invitation" in request.form
    page = render("account/choose_password.html", step=step, errors=errors, is_invitation=is_invitation)
    return keep_secret(page)
