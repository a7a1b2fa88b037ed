"""One's phone number and e-mail address: proving them, having others, and taking them off."""

from collections.abc import Mapping

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, current_token, customer_required, usable_without_totp
from grocery.auth.codes import steps
from grocery.auth.codes.schemas import (
    ConfirmPhoneSchema,
    RemoveAddressSchema,
    SendEmailTokenSchema,
    SendPhoneCodeSchema,
)
from grocery.auth.credentials import has_password
from grocery.storefront.account.blueprint import blp
from grocery.storefront.account.forms import PROBLEMS, problems_of, read_form, refuse, sent_code
from grocery.storefront.account.steps import NEW_PHONE, forget_step, keep_step, read_step
from grocery.storefront.pages import go, render, say


@blp.get("/account/phone")
@usable_without_totp
@customer_required
def show_phone() -> Response:
    return _phone_page({})


@blp.post("/account/phone")
@usable_without_totp
@customer_required
def send_phone_code() -> AnyResponse:
    try:
        body = read_form(SendPhoneCodeSchema(), "phone", "password")
        steps.ask_phone_code(current_person(), current_token(), body["phone"], body["password"])
    except PROBLEMS as error:
        return refuse(_phone_page(problems_of(error, "phone", ["password"])), error)
    return keep_step(go("account.show_phone_code"), NEW_PHONE, phone=body["phone"] or current_person().phone)


@blp.get("/account/phone/code")
@usable_without_totp
@customer_required
def show_phone_code() -> AnyResponse:
    return _code_page({}) if read_step(NEW_PHONE) else go("account.show_phone")


@blp.post("/account/phone/code")
@usable_without_totp
@customer_required
def confirm_phone() -> AnyResponse:
    if not read_step(NEW_PHONE):
        say(gettext("That took too long. Have another code sent."), "note")
        return go("account.show_phone")
    try:
        body = read_form(ConfirmPhoneSchema(), code=sent_code())
        steps.prove_phone(current_person(), body["code"])
    except PROBLEMS as error:
        return refuse(_code_page(problems_of(error, "code")), error)
    say(gettext("Your phone number is confirmed."))
    return forget_step(go("account.show"), NEW_PHONE)


@blp.post("/account/phone/remove")
@customer_required
def remove_phone() -> AnyResponse:
    try:
        body = read_form(RemoveAddressSchema(), "password")
        steps.remove_phone(current_person(), current_token(), body["password"])
    except PROBLEMS as error:
        return refuse(_phone_page(_removing_problems(error), is_removing=True), error)
    say(gettext("Your phone number is removed."))
    return go("account.show")


@blp.get("/account/email")
@usable_without_totp
@customer_required
def show_email() -> Response:
    return _email_page({})


@blp.post("/account/email")
@usable_without_totp
@customer_required
def send_email_token() -> AnyResponse:
    """Have a mail sent: to the address of the form, else to that of the account."""
    email = request.form.get("email", "").strip() or current_person().email or ""
    try:
        body = read_form(SendEmailTokenSchema(), "password", email=email)
        steps.ask_email_token(current_person(), current_token(), body["email"], body["password"])
    except PROBLEMS as error:
        return refuse(_email_page(problems_of(error, "email", ["password"])), error)
    say(gettext("We have sent a mail to %(email)s. Open its link to confirm the address.", email=body["email"]))
    return go("account.show_email")


@blp.post("/account/email/remove")
@customer_required
def remove_email() -> AnyResponse:
    try:
        body = read_form(RemoveAddressSchema(), "password")
        steps.remove_email(current_person(), current_token(), body["password"])
    except PROBLEMS as error:
        return refuse(_email_page(_removing_problems(error), is_removing=True), error)
    say(gettext("Your e-mail address is removed."))
    return go("account.show")


def _removing_problems(error: Exception) -> dict[str, str]:
    return problems_of(error, "removing-password", renamed={"password": "removing-password"})


def _phone_page(errors: Mapping[str, str], *, is_removing: bool = False) -> Response:
    return render(
        "account/phone.html",
        phone=request.form.get("phone", ""),
        errors=errors,
        is_removing=is_removing,
        has_password=has_password(current_person().id),
    )


def _code_page(errors: Mapping[str, str]) -> Response:
    return render("account/phone_code.html", phone=read_step(NEW_PHONE)["phone"], errors=errors)


def _email_page(errors: Mapping[str, str], *, is_removing: bool = False) -> Response:
    return render(
        "account/email.html",
        email=request.form.get("email", ""),
        errors=errors,
        is_removing=is_removing,
        has_password=has_password(current_person().id),
    )
