"""Signing in by phone: the number, the code of the SMS, and a newcomer's name."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Response, current_app, redirect, request, url_for
from flask_babel import format_datetime, gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import (
    current_person,
    current_person_or_none,
    current_token,
    customer_required,
    optional_person,
    usable_without_totp,
)
from grocery.auth.codes.schemas import CodeLoginSchema, SendSignInCodeSchema
from grocery.auth.codes.signing_in import UNNAMED
from grocery.auth.codes.steps import ask_sign_in_code, enter_with_code
from grocery.auth.schemas import UpdateMeSchema
from grocery.auth.second_factor.errors import TotpRequiredError
from grocery.auth.second_factor.service import NO_PROOF
from grocery.auth.service import update_profile
from grocery.auth.sessions import end_session
from grocery.db import transaction
from grocery.errors import TooManyRequestsError
from grocery.storefront.account.blueprint import blp, keep_secret
from grocery.storefront.account.entered import enter_browser, leave_browser
from grocery.storefront.account.forms import PROBLEMS, problems_of, read_form, refuse, sent_code
from grocery.storefront.account.second_step_views import by_code, go_to_second_step
from grocery.storefront.account.steps import SIGNING_IN, keep_step, read_step
from grocery.storefront.pages import go, render, say
from grocery.storefront.returning import return_address

#: Who asks for a second code before has not waited for the first one.
RESEND_SECONDS = 30


@blp.get("/sign-in")
@usable_without_totp
@optional_person
def show_sign_in() -> Response:
    return _phone_page("", {})


@blp.post("/sign-in")
@usable_without_totp
@optional_person
def sign_in() -> AnyResponse:
    """Have a code sent; the same page comes next whether the number is known or not."""
    try:
        phone = read_form(SendSignInCodeSchema(), "phone")["phone"]
        return _send_code(phone)
    except PROBLEMS as error:
        return refuse(_phone_page(request.form.get("phone", ""), problems_of(error, "phone")), error)


@blp.get("/sign-in/code")
@usable_without_totp
@optional_person
def show_code() -> AnyResponse:
    step = read_step(SIGNING_IN)
    return _code_page(step, {}) if step else go("account.show_sign_in", return_to=return_address())


@blp.post("/sign-in/code")
@usable_without_totp
@optional_person
def enter_code() -> AnyResponse:
    step = read_step(SIGNING_IN)
    if not step:
        return _begin_again()
    phone, request_token = step["phone"], step["request_token"]
    try:
        code = read_form(CodeLoginSchema(), phone=phone, code=sent_code())["code"]
        pair = enter_with_code(phone, code, request_token, NO_PROOF)
    except TotpRequiredError:
        return go_to_second_step(by_code(phone, code, request_token))
    except PROBLEMS as error:
        return refuse(_code_page(step, problems_of(error, "code")), error)
    return enter_browser(pair)


@blp.post("/sign-in/resend")
@usable_without_totp
@optional_person
def resend_code() -> AnyResponse:
    step = read_step(SIGNING_IN)
    if not step:
        return _begin_again()
    wait = int(step["sent_at"] + RESEND_SECONDS - time.time())
    if wait > 0:
        error = TooManyRequestsError(wait)
        return refuse(_code_page(step, problems_of(error, "code")), error)
    try:
        response = _send_code(step["phone"])
    except PROBLEMS as error:
        return refuse(_code_page(step, problems_of(error, "code")), error)
    say(gettext("Another code is on its way."))
    return response


@blp.get("/sign-in/name")
@usable_without_totp
@customer_required
def show_naming() -> Response:
    return _name_page("", {})


@blp.post("/sign-in/name")
@usable_without_totp
@customer_required
def set_first_name() -> AnyResponse:
    """A newcomer says what to be called, or skips it."""
    if request.form.get("name", "").strip():
        try:
            changes = read_form(UpdateMeSchema(), "name")
        except PROBLEMS as error:
            return refuse(_name_page(request.form["name"], problems_of(error, "name")), error)
        with transaction():
            update_profile(current_person().id, changes)
    return redirect(return_address() or url_for("account.show"), 303)


@blp.post("/sign-out")
@usable_without_totp
@optional_person
def sign_out() -> AnyResponse:
    """Also of somebody whose sign-in has ended already: what the browser keeps of it goes."""
    if current_person_or_none():
        with transaction():
            end_session(current_token())
    say(gettext("You are signed out."))
    return leave_browser(go("shop.home"))


def _send_code(phone: str) -> AnyResponse:
    request_token = ask_sign_in_code(phone)
    response = go("account.show_code", return_to=return_address())
    return keep_step(response, SIGNING_IN, phone=phone, request_token=request_token, sent_at=int(time.time()))


def _begin_again() -> AnyResponse:
    say(gettext("That took too long. Write your number again."), "note")
    return go("account.show_sign_in", return_to=return_address())


def _phone_page(phone: str, errors: Mapping[str, str]) -> Response:
    return keep_secret(render("account/sign_in.html", phone=phone, errors=errors, return_to=return_address()))


def _code_page(step: Mapping[str, object], errors: Mapping[str, str]) -> Response:
    again_at = int(str(step["sent_at"])) + RESEND_SECONDS
    page = render(
        "account/code.html",
        phone=step["phone"],
        errors=errors,
        again_at=str(format_datetime(datetime.fromtimestamp(again_at, UTC), "HH:mm:ss")),
        wait_seconds=max(0, again_at - int(time.time())),
        return_to=return_address(),
        is_webotp_wanted=bool(current_app.config["SHOP_URL"]),
    )
    return keep_secret(page)


def _name_page(name: str, errors: Mapping[str, str]) -> Response:
    return render("account/name.html", name=name, errors=errors, return_to=return_address(), unnamed=UNNAMED)
