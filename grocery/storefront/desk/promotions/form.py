"""The form of a promotion: what was written becomes a body of the API, with the fields of its kind only."""

from typing import Any

from flask_babel import gettext, lazy_gettext
from marshmallow import ValidationError
from sqlalchemy import Connection

from grocery.orders.promotions.terms import BASKET, BUY_X_GET_Y, CATEGORIES, FIXED, FREE_DELIVERY, PERCENT, PRODUCTS
from grocery.products.naming import find_named
from grocery.storefront.desk import forms

KINDS = {
    PERCENT: lazy_gettext("Percent off"),
    FIXED: lazy_gettext("An amount off"),
    BUY_X_GET_Y: lazy_gettext("Buy some, get some free"),
    FREE_DELIVERY: lazy_gettext("Free delivery"),
}

SCOPES = {
    BASKET: lazy_gettext("The whole basket"),
    CATEGORIES: lazy_gettext("Some categories"),
    PRODUCTS: lazy_gettext("Some products"),
}

WORDS = {
    "name": lazy_gettext("A name of up to 200 letters; customers see it."),
    "code": lazy_gettext("3 to 40 letters from A to Z, digits, - or _."),
    "kind": lazy_gettext("Choose what customers get."),
    "value": lazy_gettext("Above 0; of percent 100 at most."),
    "buy_quantity": lazy_gettext("A whole number, such as 2."),
    "get_quantity": lazy_gettext("A whole number, such as 1."),
    "product_ids": lazy_gettext("One of these products is gone. Choose again."),
    "category_ids": lazy_gettext("Choose categories."),
    "scope": lazy_gettext("Choose at least one, or choose the whole basket."),
    "min_basket": lazy_gettext("Write the amount as 1000 or 1000.50."),
    "usage_limit": lazy_gettext("A whole number above 0, or nothing."),
    "usage_limit_per_customer": lazy_gettext("A whole number above 0, or nothing."),
    "customer_id": lazy_gettext("There is no such customer."),
    "starts_at": lazy_gettext("Choose a day and a time."),
    "ends_at": lazy_gettext("After the start."),
    "code_taken": ("code", lazy_gettext("Another offer has this code.")),
    "limit_below_use": ("usage_limit", lazy_gettext("More orders than that use it already.")),
}

#: Lines of the field for products.
_MAX_LINES = 200


def read_body(connection: Connection) -> dict[str, Any]:
    """The body of WritePromotionSchema. Raises ValidationError for products that nobody knows."""
    kind = forms.written("kind")
    scope = forms.written("scope") if kind != FREE_DELIVERY else BASKET
    body: dict[str, Any] = {
        "name": forms.text_or_none("name"),
        "code": forms.text_or_none("code"),
        "kind": kind or None,
        "min_basket": forms.amount("min_basket"),
        "usage_limit": forms.number("usage_limit"),
        "usage_limit_per_customer": forms.number("usage_limit_per_customer"),
        "customer_id": forms.number("customer_id"),
        "starts_at": forms.moment("starts_at"),
        "ends_at": forms.moment("ends_at"),
        "is_active": forms.is_ticked("is_active"),
        "scope": scope or None,
    }
    if kind in (PERCENT, FIXED):
        body["value"] = forms.amount(f"value_{kind}")
    if kind == BUY_X_GET_Y:
        body |= {name: forms.number(name) for name in ("buy_quantity", "get_quantity")}
    if scope == CATEGORIES:
        body["category_ids"] = _chosen(forms.ids("category_ids"))
    if scope == PRODUCTS:
        body["product_ids"] = _chosen([*forms.ids("product_ids"), *_added_products(connection)])
    return body


def explain(error: Exception) -> dict[str, str]:
    """As `forms.explain`; the amount stands beside the field of its kind."""
    errors = forms.explain(error, WORDS)
    return {_place(name): message for name, message in errors.items()}


def _place(name: str) -> str:
    return f"value_{forms.written('kind')}" if name == "value" else name


def _chosen(ids: list[Any]) -> list[Any]:
    if not ids:
        raise ValidationError({"scope": [str(WORDS["scope"])]})
    return ids


def _added_products(connection: Connection) -> list[int]:
    lines = [line.strip() for line in forms.written("products").splitlines() if line.strip()][:_MAX_LINES]
    found = find_named(connection, lines) if lines else {}
    unknown = [line for line in lines if line not in found]
    if unknown:
        raise ValidationError({"products": [gettext("Not found: %(names)s", names=", ".join(unknown))]})
    return [product_id for line in lines for product_id in found[line]]
