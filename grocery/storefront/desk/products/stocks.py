"""The stock of a product: what comes and goes, its lots, and what has changed it so far."""

from datetime import date
from typing import Any

from flask import Response, request
from flask_babel import gettext, lazy_gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, staff_required
from grocery.db import reader, transaction
from grocery.errors import InvalidError
from grocery.paging import decode_id
from grocery.products.inventory import listing
from grocery.products.inventory.correcting import change_stock
from grocery.products.inventory.days import shop_today
from grocery.products.inventory.schemas import ChangeStockSchema, ExpiringArgsSchema, LotArgsSchema, MovementArgsSchema
from grocery.products.rows import product_json
from grocery.products.service import get_product
from grocery.storefront.desk import forms
from grocery.storefront.desk.products.blueprint import blp
from grocery.storefront.pages import go, render, say

#: Why a stock is changed here, each with what the quantity then means: it comes, it goes, it is what was counted.
REASONS = {
    "received": (1, lazy_gettext("It was delivered to us")),
    "counted": (0, lazy_gettext("We counted: so many are there")),
    "damaged": (-1, lazy_gettext("It is damaged")),
    "expired": (-1, lazy_gettext("It is too old")),
    "returned": (1, lazy_gettext("A customer brought it back")),
}

#: All reasons that stand in the ledger.
NAMES = {
    "opening": lazy_gettext("At the beginning"),
    "received": lazy_gettext("Delivered to us"),
    "sold": lazy_gettext("Sold"),
    "cancelled": lazy_gettext("Order cancelled"),
    "returned": lazy_gettext("Brought back"),
    "damaged": lazy_gettext("Damaged"),
    "expired": lazy_gettext("Too old"),
    "counted": lazy_gettext("Counted"),
}

_QUANTITY = lazy_gettext("Write how many, such as 24; by piece whole ones.")
_WORDS = {
    "quantity": _QUANTITY,
    "delta": _QUANTITY,
    "reason": lazy_gettext("Choose what has happened."),
    "note": lazy_gettext("At most 500 letters."),
    "lot": lazy_gettext("A lot has a code; its last day must not be in the past."),
    "lot_id": lazy_gettext("This product has no such lot."),
    "insufficient_stock": ("quantity", lazy_gettext("So many are not in stock.")),
    "insufficient_lot": ("quantity", lazy_gettext("So many are not left of this lot.")),
}


@blp.get("/<int:product_id>/stock")
@staff_required
def show_stock(product_id: int) -> Response:
    return _page(product_id, {}, {})


@blp.post("/<int:product_id>/stock")
@staff_required
def save_stock(product_id: int) -> AnyResponse:
    """Note what has come or gone, or what was counted."""
    try:
        body = forms.load(ChangeStockSchema(), _body())
        with transaction():
            change_stock(product_id, body, actor_id=current_person().id)
    except forms.REFUSALS as error:
        response = _page(product_id, request.form.to_dict(), forms.explain(error, _WORDS))
        response.status_code = 422
        return response
    say(gettext("The stock is changed."))
    return go("desk_products.show_stock", product_id=product_id)


@blp.get("/expiring")
@staff_required
def show_expiring() -> Response:
    """Lots that expire within a week or have expired."""
    arguments = ExpiringArgsSchema().load({"limit": 100})
    with reader() as connection:
        lots = listing.list_expiring(connection, arguments, today=shop_today()).items
    return render("desk/products/expiring.html", lots=[{**lot, "day": _day(lot["expires_on"])} for lot in lots])


def _page(product_id: int, values: dict[str, Any], errors: dict[str, str]) -> Response:
    with reader() as connection:
        row = get_product(connection, product_id, with_withdrawn=True)
        movements = listing.list_movements(connection, product_id, _movement_arguments())
        lots = listing.list_lots(connection, product_id, LotArgsSchema().load({"limit": 100})).items
    return render(
        "desk/products/stock.html",
        product=product_json(row, for_staff=True),
        movements=[{**one, "words": str(NAMES[one["reason"]])} for one in movements.items],
        next_cursor=movements.next_cursor,
        lots=[{**lot, "day": _day(lot["expires_on"])} for lot in lots],
        reasons=[(name, str(words)) for name, (_, words) in REASONS.items()],
        names=[(name, str(words)) for name, words in NAMES.items()],
        shown_reason=request.args.get("reason", ""),
        values=values,
        errors=errors,
        today=shop_today().isoformat(),
    )


def _movement_arguments() -> dict[str, Any]:
    asked = {name: request.args[name] for name in ("reason", "cursor") if request.args.get(name)}
    try:
        arguments: dict[str, Any] = MovementArgsSchema().load({**asked, "limit": 30})
        decode_id(arguments["cursor"])
    except (ValidationError, InvalidError):
        arguments = MovementArgsSchema().load({"limit": 30})
    return arguments


def _body() -> dict[str, Any]:
    reason = forms.written("reason")
    quantity = forms.number("quantity")
    sign = REASONS[reason][0] if reason in REASONS else 1
    if isinstance(quantity, int | float) and quantity < 0:
        quantity = str(quantity)  # which way it goes, the reason says
    body: dict[str, Any] = {"reason": reason or None, "note": forms.text_or_none("note")}
    if sign == 0:
        return {**body, "quantity": quantity}
    body["delta"] = quantity * sign if isinstance(quantity, int | float) else quantity
    code, expires_on = forms.text_or_none("code"), forms.text_or_none("expires_on")
    if reason == "received" and (code or expires_on):
        body["lot"] = {"code": code or expires_on, "expires_on": expires_on}
    if sign < 0:
        body["lot_id"] = forms.id_or_none("lot_id")
    return body


def _day(expires_on: str | None) -> date | None:
    return date.fromisoformat(expires_on) if expires_on else None
