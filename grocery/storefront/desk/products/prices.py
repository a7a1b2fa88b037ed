"""The prices of a product over time: what it cost, and what it will cost."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, request
from flask_babel import gettext, lazy_gettext
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required, current_person, staff_required
from grocery.db import reader, transaction
from grocery.products.prices import service
from grocery.products.prices.history import list_history
from grocery.products.prices.schemas import SchedulePriceSchema
from grocery.products.rows import product_json
from grocery.products.service import get_product
from grocery.storefront.desk import forms
from grocery.storefront.desk.products.blueprint import blp
from grocery.storefront.desk.products.caution import how_far, is_far
from grocery.storefront.pages import go, refused, render, say

STATUSES = {
    "scheduled": lazy_gettext("to come"),
    "active": lazy_gettext("running"),
    "applied": lazy_gettext("done"),
    "ended": lazy_gettext("over"),
    "cancelled": lazy_gettext("called off"),
    "missed": lazy_gettext("never ran"),
}

REASONS = {
    "created": lazy_gettext("at the beginning"),
    "edited": lazy_gettext("set by hand"),
    "imported": lazy_gettext("imported"),
    "scheduled": lazy_gettext("as planned"),
    "offer_started": lazy_gettext("offer began"),
    "offer_ended": lazy_gettext("offer ended"),
}

_WORDS = {
    "price": lazy_gettext("Write the price as 149 or 149.50; an offer must be below the price before."),
    "compare_at_price": lazy_gettext("Must be above the price."),
    "starts_at": lazy_gettext("A time from now on, within 2 years."),
    "ends_at": lazy_gettext("A time after the start, within 2 years."),
    "offer_overlaps": ("starts_at", lazy_gettext("Another offer of this product runs in that time. End it first.")),
    "too_many_price_changes": (
        forms.FORM,
        lazy_gettext("Too many changes are planned for this product. Call some off first."),
    ),
}

_SHOWN = 30


@blp.get("/<int:product_id>/prices")
@staff_required
def show_prices(product_id: int) -> Response:
    return _page(product_id, {}, {})


@blp.post("/<int:product_id>/prices")
@admin_required
def schedule_price(product_id: int) -> AnyResponse:
    """Plan an offer, or another price."""
    body = {
        "price": forms.amount("price"),
        "starts_at": forms.moment("starts_at"),
        "ends_at": forms.moment("ends_at"),
        "note": forms.text_or_none("note"),
    }
    try:
        values = forms.load(SchedulePriceSchema(), body)
        if errors := _doubts(product_id, values["price_cents"]):
            return _refused(product_id, errors)
        with transaction():
            service.schedule_price(product_id, **values, actor_id=current_person().id, now=datetime.now(UTC))
    except forms.REFUSALS as error:
        return _refused(product_id, forms.explain(error, _WORDS))
    say(gettext("Planned."))
    return go("desk_products.show_prices", product_id=product_id)


@blp.post("/<int:product_id>/prices/<int:change_id>/cancel")
@admin_required
def cancel_price_change(product_id: int, change_id: int) -> AnyResponse:
    """Call a planned change off, or end an offer that runs."""
    try:
        with transaction():
            service.cancel_price_change(product_id, change_id, actor_id=current_person().id, now=datetime.now(UTC))
    except forms.REFUSALS:
        say(gettext("It is over already."), "note")
    else:
        say(gettext("Called off."))
    return go("desk_products.show_prices", product_id=product_id)


def _doubts(product_id: int, price_cents: int) -> dict[str, str]:
    with reader() as connection:
        old_cents = get_product(connection, product_id, with_withdrawn=True).price_cents
    if forms.is_ticked("sure") or not is_far(old_cents, price_cents):
        return {}
    times = how_far(old_cents, price_cents)
    return {"sure": gettext("The price would be %(times)s. If it is right, tick the box.", times=times)}


def _refused(product_id: int, errors: dict[str, str]) -> AnyResponse:
    return refused(_page(product_id, request.form.to_dict(), errors))


def _read_changes(connection: Connection, product_id: int) -> list[dict[str, Any]]:
    changes = service.list_price_changes(connection, product_id, status=None, limit=_SHOWN, cursor=None).items
    return [{**one, "words": str(STATUSES[one["status"]])} for one in changes]


def _page(product_id: int, values: dict[str, Any], errors: dict[str, str]) -> Response:
    with reader() as connection:
        product = product_json(get_product(connection, product_id, with_withdrawn=True), for_staff=True)
        # What is planned, admins alone know, as in the API; what it has cost, all of the staff.
        changes = _read_changes(connection, product_id) if current_person().is_admin else []
        history = list_history(connection, product_id, limit=_SHOWN, cursor=None).items
    return render(
        "desk/products/prices.html",
        product=product,
        changes=changes,
        history=[{**one, "words": str(REASONS.get(one["reason"], one["reason"]))} for one in history],
        values=values,
        errors=errors,
    )
