"""One's data: a copy of all of it, and the end of the account."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, customer_required
from grocery.auth.codes.schemas import SendSignInCodeSchema
from grocery.auth.codes.steps import ask_sign_in_code
from grocery.auth.credentials import has_password
from grocery.auth.erasing import erase_with_code, erase_with_password
from grocery.auth.privacy.downloads import export_file
from grocery.auth.schemas import EraseMeSchema
from grocery.orders.deleting import OrderInTransitError
from grocery.storefront.account.blueprint import blp
from grocery.storefront.account.entered import leave_browser
from grocery.storefront.account.forms import PROBLEMS, problems_of, read_form, refuse, sent_code
from grocery.storefront.account.steps import ERASING, forget_step, keep_step, read_step
from grocery.storefront.pages import go, render, say


@blp.post("/account/export")
@customer_required
def export_me() -> Response:
    return export_file(current_person())


@blp.get("/account/delete")
@customer_required
def show_deletion() -> Response:
    return _page({})


@blp.post("/account/delete/code")
@customer_required
def send_deletion_code() -> AnyResponse:
    """Have a code sent to one's own verified phone, which confirms it where there is no password."""
    person = current_person()
    if person.phone is None or not person.is_phone_verified:
        return go("account.show_deletion")
    try:
        phone = read_form(SendSignInCodeSchema(), phone=person.phone)["phone"]
        request_token = ask_sign_in_code(phone)
    except PROBLEMS as error:
        return refuse(_page(problems_of(error, "code")), error)
    return keep_step(go("account.show_deletion"), ERASING, request_token=request_token)


@blp.post("/account/delete")
@customer_required
def delete_me() -> AnyResponse:
    try:
        _erase()
    except OrderInTransitError as error:
        words = gettext("An order is on its way to you. You can delete your account once it has arrived.")
        return refuse(_page({_field(): words}), error)
    except PROBLEMS as error:
        return refuse(_page(problems_of(error, _field())), error)
    say(gettext("Your account is deleted. Thank you for having shopped with us."))
    return leave_browser(forget_step(go("shop.home"), ERASING))


def _erase() -> None:
    person, step = current_person(), read_step(ERASING)
    if step:
        body = read_form(EraseMeSchema(), code=sent_code())
        erase_with_code(person, body["code"], step["request_token"])
    else:
        body = read_form(EraseMeSchema(), "password")
        erase_with_password(person, body["password"])


def _field() -> str:
    return "code" if read_step(ERASING) else "password"


def _page(errors: Mapping[str, str]) -> Response:
    person = current_person()
    values: dict[str, Any] = {"has_password": has_password(person.id), "is_code_sent": bool(read_step(ERASING))}
    return render("account/delete.html", errors=errors, **values)
