"""The second step of signing in, of those who have an authenticator app: its code, or a recovery code.

What was said in the first step is not asked again. Of a password its fingerprint is kept meanwhile, which is good for
as long as the password is the same; of an SMS its code, whose tries and minutes stay those that they were.
"""

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import optional_person, usable_without_totp
from grocery.auth.codes.errors import InvalidCodeError
from grocery.auth.codes.steps import enter_with_code
from grocery.auth.entering import enter, fingerprint, recall_account
from grocery.auth.errors import InvalidCredentialsError
from grocery.auth.second_factor.errors import WrongSecondFactorError
from grocery.auth.second_factor.schemas import ProofSchema
from grocery.auth.second_factor.service import Proof
from grocery.auth.service import Account
from grocery.auth.tokens import TokenPair
from grocery.storefront.account.blueprint import blp, keep_secret
from grocery.storefront.account.entered import enter_browser
from grocery.storefront.account.forms import PROBLEMS, problems_of, read_form, refuse, sent_code
from grocery.storefront.account.steps import SECOND_FACTOR, SIGNING_IN, forget_step, keep_step, read_step
from grocery.storefront.pages import go, render, say
from grocery.storefront.returning import return_address


def by_password(account: Account) -> dict[str, Any]:
    """What is kept of a password that was right."""
    return {"customer_id": account.customer_id, "fingerprint": fingerprint(account)}


def by_code(phone: str, code: str, request_token: str | None) -> dict[str, Any]:
    """What is kept of the right code of an SMS."""
    return {"phone": phone, "code": code, "request_token": request_token}


def go_to_second_step(first: Mapping[str, Any]) -> AnyResponse:
    """Lead on with what `by_password` or `by_code` has answered."""
    return keep_step(go("account.show_second_step", return_to=return_address()), SECOND_FACTOR, **first)


@blp.get("/sign-in/second-step")
@usable_without_totp
@optional_person
def show_second_step() -> AnyResponse:
    return _page({}) if read_step(SECOND_FACTOR) else go("account.show_sign_in", return_to=return_address())


@blp.post("/sign-in/second-step")
@usable_without_totp
@optional_person
def enter_second_step() -> AnyResponse:
    first = read_step(SECOND_FACTOR)
    if not first:
        return _begin_again()
    try:
        pair = _enter(first, read_proof())
    except WrongSecondFactorError as error:
        return refuse(_page(problems_of(error, "totp")), error)
    except (InvalidCodeError, InvalidCredentialsError):
        return _begin_again()
    except PROBLEMS as error:
        return refuse(_page(proof_problems(error)), error)
    return enter_browser(pair)


def read_proof() -> Proof:
    """The recovery code of the form, else that of the app. Raises ValidationError."""
    if request.form.get("recovery_code", "").strip():
        return Proof(recovery_code=read_form(ProofSchema(), "recovery_code")["recovery_code"])
    return Proof(totp=read_form(ProofSchema(), code=sent_code("totp"))["code"])


def proof_problems(error: Exception) -> dict[str, str]:
    """What is said of it in a form with the fields `totp` and `recovery_code`."""
    return problems_of(error, "totp", ["recovery_code"], {"code": "totp"})


def _enter(first: Mapping[str, Any], proof: Proof) -> TokenPair:
    if "phone" in first:
        return enter_with_code(first["phone"], first["code"], first["request_token"], proof)
    return enter(recall_account(first["customer_id"], first["fingerprint"]), proof)


def _begin_again() -> AnyResponse:
    say(gettext("That took too long, or something was changed meanwhile. Please begin again."), "note")
    response = go("account.show_sign_in", return_to=return_address())
    return forget_step(response, SECOND_FACTOR, SIGNING_IN)


def _page(errors: Mapping[str, str]) -> Response:
    return keep_secret(render("account/second_step.html", errors=errors, return_to=return_address()))
