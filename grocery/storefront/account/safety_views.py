"""What keeps an account safe: its password, and where it is signed in."""

from collections.abc import Mapping

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth import credentials
from grocery.auth.access import current_person, current_token, customer_required, usable_without_totp
from grocery.auth.cookies import set_session_cookies
from grocery.auth.errors import WrongPasswordError
from grocery.auth.schemas import ChangePasswordSchema
from grocery.auth.sessions import list_sessions
from grocery.auth.sign_outs import sign_out_device, sign_out_others
from grocery.db import transaction
from grocery.errors import TooManyRequestsError
from grocery.storefront.account.blueprint import blp
from grocery.storefront.account.forms import PROBLEMS, problems_of, read_form, refuse
from grocery.storefront.pages import go, render, say

# Nobody has as many, and older ones end by themselves.
_MOST_DEVICES = 100


@blp.get("/account/password")
@customer_required
def show_password() -> Response:
    return _password_page({})


@blp.post("/account/password")
@customer_required
def set_password() -> AnyResponse:
    """All sign-ins end, and this browser begins another one."""
    try:
        password = request.form.get("new_password", "")
        body = read_form(ChangePasswordSchema(), "current_password", password=password)
        with transaction():
            pair = credentials.change_password(
                current_person(), current_token(), body["password"], body["current_password"]
            )
    except PROBLEMS as error:
        return refuse(_password_page(_problems(error)), error)
    say(gettext("Your password is saved. All other devices are signed out."))
    return set_session_cookies(go("account.show"), pair)


@blp.get("/account/devices")
@usable_without_totp
@customer_required
def list_devices() -> Response:
    found = list_sessions(current_person().id, before=None, limit=_MOST_DEVICES)
    return render("account/devices.html", devices=found, current_id=current_token().family_id)


@blp.post("/account/devices/<session_id>")
@usable_without_totp
@customer_required
def end_session(session_id: str) -> AnyResponse:
    with transaction():
        sign_out_device(current_person(), session_id)
    say(gettext("That device is signed out."))
    return go("account.list_devices")


@blp.post("/account/devices")
@usable_without_totp
@customer_required
def end_other_sessions() -> AnyResponse:
    with transaction():
        sign_out_others(current_person(), current_token())
    say(gettext("All other devices are signed out."))
    return go("account.list_devices")


def _problems(error: Exception) -> dict[str, str]:
    # A wrong password is the present one; one that is too easy is the new one.
    is_of_present = isinstance(error, WrongPasswordError | TooManyRequestsError)
    at = "current_password" if is_of_present else "new_password"
    return problems_of(error, at, ["current_password", "new_password"], {"password": "new_password"})


def _password_page(errors: Mapping[str, str]) -> Response:
    return render("account/password.html", errors=errors, has_password=credentials.has_password(current_person().id))
