"""Signing in with a password, and making an account that has one."""

from collections.abc import Mapping

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import optional_person, usable_without_totp
from grocery.auth.entering import enter, find_account, make_account
from grocery.auth.errors import EmailTakenError
from grocery.auth.schemas import LoginSchema, RegisterSchema
from grocery.auth.second_factor.errors import TotpRequiredError
from grocery.auth.second_factor.service import NO_PROOF
from grocery.storefront.account.blueprint import blp, keep_secret
from grocery.storefront.account.entered import enter_browser
from grocery.storefront.account.forms import PROBLEMS, problems_of, read_form, refuse
from grocery.storefront.account.second_step_views import by_password, go_to_second_step
from grocery.storefront.languages import choose_language
from grocery.storefront.pages import render, say
from grocery.storefront.returning import return_address

_RENAMED = {"email": "identifier"}
_RENAMED_NEW = {"password": "new_password"}


@blp.get("/sign-in/password")
@usable_without_totp
@optional_person
def show_password_sign_in() -> Response:
    return _sign_in_page({})


@blp.post("/sign-in/password")
@usable_without_totp
@optional_person
def sign_in_with_password() -> AnyResponse:
    try:
        body = read_form(LoginSchema(), "password", email=request.form.get("identifier", ""))
        account = find_account(body["email"], body["password"])
        pair = enter(account, NO_PROOF)
    except TotpRequiredError:
        return go_to_second_step(by_password(account))
    except PROBLEMS as error:
        return refuse(_sign_in_page(problems_of(error, "password", ["identifier"], _RENAMED)), error)
    return enter_browser(pair)


@blp.get("/register")
@usable_without_totp
@optional_person
def show_registration() -> Response:
    return _registration_page({})


@blp.post("/register")
@usable_without_totp
@optional_person
def register() -> AnyResponse:
    """Make an account, and sign in to it."""
    password = request.form.get("new_password", "")
    try:
        values = read_form(RegisterSchema(), "name", "email", password=password, language=choose_language())
        make_account(**values)
        pair = enter(find_account(values["email"], password), NO_PROOF)
    except PROBLEMS as error:
        at = "email" if isinstance(error, EmailTakenError) else "new_password"
        return refuse(_registration_page(problems_of(error, at, ["name", "email"], _RENAMED_NEW)), error)
    say(gettext("Welcome! We have sent you a mail to confirm your address."))
    return enter_browser(pair)


def _sign_in_page(errors: Mapping[str, str]) -> Response:
    identifier = request.form.get("identifier", "")
    page = render("account/password_sign_in.html", identifier=identifier, errors=errors, return_to=return_address())
    return keep_secret(page)


def _registration_page(errors: Mapping[str, str]) -> Response:
    values = {name: request.form.get(name, "") for name in ("name", "email")}
    return keep_secret(render("account/register.html", **values, errors=errors, return_to=return_address()))
