"""Confirming an e-mail address with the link of a mail.

The link opens a page with a button, and no more: programs that look at mails open links, too.
"""

from collections.abc import Mapping

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, customer_required, optional_person, usable_without_totp
from grocery.auth.codes.addresses import confirm_email as confirm_address
from grocery.auth.codes.errors import WrongCodeError
from grocery.auth.codes.schemas import ConfirmEmailSchema
from grocery.auth.errors import EmailTakenError
from grocery.db import transaction
from grocery.storefront.account.blueprint import blp, keep_secret
from grocery.storefront.account.forms import PROBLEMS, problems_of, read_form, refuse
from grocery.storefront.pages import go, render, say


@blp.get("/verify")
@usable_without_totp
@optional_person
def show_verification() -> Response:
    return _page({})


@blp.post("/verify")
@usable_without_totp
@customer_required
def confirm_email() -> AnyResponse:
    try:
        body = read_form(ConfirmEmailSchema(), "token")
        with transaction():
            confirm_address(current_person(), body["token"])
    except PROBLEMS as error:
        return refuse(_page(_problems(error)), error)
    say(gettext("Your e-mail address is confirmed."))
    return go("account.show")


def _problems(error: Exception) -> dict[str, str]:
    if isinstance(error, WrongCodeError):
        words = gettext("This link was used, is too old, or is of another account. Have another mail sent.")
        return {"token": words}
    if isinstance(error, EmailTakenError):
        return {"token": gettext("Another account has this e-mail address by now.")}
    return problems_of(error, "token")


def _page(errors: Mapping[str, str]) -> Response:
    token = request.form.get("token") or request.args.get("token", "")
    return keep_secret(render("account/verify.html", token=token, errors=errors))
