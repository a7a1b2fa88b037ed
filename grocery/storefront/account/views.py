"""The page of one's account; the modules beside this one have what it leads to."""

from flask import Response

from grocery.auth.access import current_person, customer_required, usable_without_totp
from grocery.auth.codes.signing_in import UNNAMED
from grocery.storefront.account import (
    address_views,
    contact_views,
    data_views,
    password_views,
    profile_views,
    reset_views,
    safety_views,
    second_factor_views,
    second_step_views,
    sign_in_views,
    verify_views,
)
from grocery.storefront.account.blueprint import blp
from grocery.storefront.pages import render

# Whoever registers the blueprint of this module has all of its pages.
__all__ = [
    "address_views",
    "blp",
    "contact_views",
    "data_views",
    "password_views",
    "profile_views",
    "reset_views",
    "safety_views",
    "second_factor_views",
    "second_step_views",
    "sign_in_views",
    "verify_views",
]


@blp.get("/account")
@usable_without_totp
@customer_required
def show() -> Response:
    person = current_person()
    return render("account/account.html", is_unnamed=person.name == UNNAMED)
