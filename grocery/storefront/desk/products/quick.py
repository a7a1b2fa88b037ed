"""What is changed in the list itself: price, stock, on sale or not. With script the row comes anew, else the page."""

from decimal import Decimal
from typing import Any

from flask import Response, redirect, url_for
from flask_babel import gettext, lazy_gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from grocery import money
from grocery.auth.access import admin_required, current_person, staff_required
from grocery.db import reader, transaction
from grocery.fields import Integer, Money, Quantity, Schema
from grocery.products.inventory.counting import count_listed, ledger_mark
from grocery.products.service import change_price, change_product, get_product
from grocery.products.stock import MAX_STOCK
from grocery.storefront.desk import forms
from grocery.storefront.desk.products.blueprint import blp
from grocery.storefront.desk.products.caution import how_far, is_far
from grocery.storefront.desk.products.rows import row_json
from grocery.storefront.pages import render, render_parts, say, wants_parts
from grocery.storefront.returning import return_address

_WORDS = {
    "price": lazy_gettext("Write the price as 149 or 149.50."),
    "stock": lazy_gettext("Write how many there are, such as 24."),
    "quantity": lazy_gettext("Write how many there are, such as 24."),
    "delta": lazy_gettext("Write how many there are, such as 24: sold by piece, so a whole number."),
    "insufficient_stock": ("stock", lazy_gettext("So many were sold meanwhile. Look again, then repeat it.")),
}

_PriceSchema = Schema.from_dict({"price": Money(required=True)}, name="QuickPriceSchema")
_CountSchema = Schema.from_dict(
    {
        "stock": Quantity(required=True, low=Decimal(0), high=MAX_STOCK),
        "was": Quantity(required=True, low=Decimal(0), high=MAX_STOCK),
        "since": Integer(required=True, low=0),
    },
    name="QuickCountSchema",
)


@blp.post("/<int:product_id>/price")
@admin_required
def put_price(product_id: int) -> AnyResponse:
    """Set the price; one that is far from the one before is asked about first."""
    before = _read(product_id)
    try:
        price_cents = forms.load(_PriceSchema(), {"price": forms.amount("price")})["price"]
        old_cents = money.to_cents(Decimal(before["price"]))
        if is_far(old_cents, price_cents) and not forms.is_ticked("sure"):
            return _ask(before, money.to_text(price_cents), how_far(old_cents, price_cents))
        with transaction():
            change_price(product_id, price_cents, version=forms.sent_version(), actor_id=current_person().id)
    except forms.REFUSALS as error:
        return _refuse(product_id, error, "price")
    return _answer(product_id, gettext("Price saved: %(name)s", name=before["name"]))


@blp.post("/<int:product_id>/count")
@staff_required
def put_stock(product_id: int) -> AnyResponse:
    """Set the stock to what is there. What was sold since the page was made stays sold."""
    before = _read(product_id)
    try:
        given = forms.load(_CountSchema(), {name: forms.number(name) for name in ("stock", "was", "since")})
        if given["stock"] != given["was"]:
            listed = {"listed": given["was"], "since": given["since"]}
            with transaction():
                count_listed(product_id, given["stock"], **listed, actor_id=current_person().id)
    except forms.REFUSALS as error:
        return _refuse(product_id, error, "stock")
    return _answer(product_id, gettext("Stock saved: %(name)s", name=before["name"]))


@blp.post("/<int:product_id>/on-sale")
@admin_required
def set_on_sale(product_id: int) -> AnyResponse:
    """Put it on sale, or take it off."""
    try:
        is_active = forms.yes_or_no("is_active")
        with transaction():
            row = change_product(
                product_id, {"is_active": is_active}, version=forms.sent_version(), actor_id=current_person().id
            )
    except forms.REFUSALS as error:
        return _refuse(product_id, error, "price")
    message = gettext("On sale: %(name)s") if is_active else gettext("Taken off sale: %(name)s")
    return _answer(product_id, message % {"name": row.name})


def _read(product_id: int) -> dict[str, Any]:
    with reader() as connection:
        mark = ledger_mark(connection)
        return row_json(get_product(connection, product_id, with_withdrawn=True), mark)


def _answer(product_id: int, message: str) -> AnyResponse:
    if wants_parts():
        return _row(_read(product_id), spoken=message)
    say(message)
    return _back_to(product_id)


def _refuse(product_id: int, error: Exception, field: str) -> AnyResponse:
    message = forms.first_of(forms.explain(error, _WORDS))
    product = _read(product_id)
    if wants_parts():
        written = None if not isinstance(error, ValidationError) else forms.written(field)
        return _row(product, problem=message, problem_field=field, written=written)
    say(f"{product['name']}: {message}", "bad")
    return _back_to(product_id)


def _ask(product: dict[str, Any], price: str, times: str) -> Response:
    values: dict[str, Any] = {"product": product, "wanted": price, "times": times}
    return _row(**values) if wants_parts() else render("desk/products/sure.html", **values)


def _row(product: dict[str, Any], **values: Any) -> Response:
    return render_parts("desk/products/row_parts.html", product=product, **values)


def _back_to(product_id: int) -> AnyResponse:
    address = return_address() or url_for("desk_products.list_products")
    return redirect(f"{address.partition('#')[0]}#product-{product_id}", 303)
