"""The page of a product: all its fields, its picture, and its end."""

from decimal import Decimal
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery import money
from grocery.auth.access import admin_required, current_person
from grocery.db import reader, transaction
from grocery.orders.desk.affected import list_orders_with
from grocery.products import service
from grocery.products.rows import product_json
from grocery.products.schemas import NewProductSchema, ReplaceProductSchema
from grocery.storefront.desk import forms
from grocery.storefront.desk.pages import with_camera
from grocery.storefront.desk.products.blueprint import blp
from grocery.storefront.desk.products.caution import how_far, is_far
from grocery.storefront.desk.products.rows import category_choices
from grocery.storefront.pages import go, refused, render, say

_WORDS = {
    "name": lazy_gettext("A name of up to 200 letters."),
    "price": lazy_gettext("Write the price as 149 or 149.50."),
    "category_id": lazy_gettext("Choose a category."),
    "barcode": lazy_gettext("A barcode has 8 to 14 digits."),
    "country_of_origin": lazy_gettext("Two letters, such as KE."),
    "quantity_step": lazy_gettext("A number above 0; for what is sold by piece a whole one."),
    "stock": lazy_gettext("Write how many there are, such as 24; by piece whole ones."),
    "low_stock_threshold": lazy_gettext("A number such as 5, or nothing."),
    "image_url": lazy_gettext("An address that begins with https://"),
    "sku_taken": ("sku", lazy_gettext("Another product has this SKU.")),
    "barcode_taken": ("barcode", lazy_gettext("Another product has this barcode.")),
    "fractional_stock": (
        "unit",
        lazy_gettext("There is a part of a piece in stock. Correct the stock first, then sell by piece."),
    ),
}

_TEXTS = ("sku", "barcode", "name", "description", "brand", "net_content", "ingredients", "country_of_origin")
_NUMBERS = ("quantity_step", "low_stock_threshold")
_AMOUNTS = ("price", "compare_at_price")


@blp.get("/new")
@admin_required
def show_new() -> Response:
    category = request.args.get("category", "")
    start = {"unit": "each", "vat_class": "standard", "is_active": True, "category_id": category}
    return _form(None, {**start, "name": request.args.get("name", "")[:200]}, {})


@blp.post("/new")
@admin_required
def create_product() -> AnyResponse:
    body = {**_body(), "stock": forms.number("stock")}
    try:
        values = forms.load(NewProductSchema(), body)
        with transaction():
            row = service.create_product(values, actor_id=current_person().id)
    except forms.REFUSALS as error:
        return _refused(None, body, forms.explain(error, _WORDS))
    say(gettext("Added: %(name)s. Now give it a picture.", name=row.name))
    return go("desk_products.show_product", product_id=row.id)


@blp.get("/<int:product_id>")
@admin_required
def show_product(product_id: int) -> Response:
    product = _read(product_id)
    return _form(product, product, {})


@blp.post("/<int:product_id>")
@admin_required
def save_product(product_id: int) -> AnyResponse:
    """Set all fields; a price far from the one before needs a tick that it is meant."""
    product, body = _read(product_id), _body()
    try:
        values = forms.load(ReplaceProductSchema(), body)
        if errors := _doubts(product, values["price_cents"]):
            return _refused(product, body, errors)
        # Its picture is not in the form: it has a form of its own.
        values.pop("image_url")
        with transaction():
            service.replace_product(product_id, values, version=forms.sent_version(), actor_id=current_person().id)
    except forms.REFUSALS as error:
        return _refused(product, body, forms.explain(error, _WORDS))
    say(gettext("Saved."))
    return go("desk_products.show_product", product_id=product_id)


@blp.get("/<int:product_id>/delete")
@admin_required
def confirm_delete(product_id: int) -> Response:
    """What deleting it means for the orders that are open."""
    with reader() as connection:
        product = product_json(service.get_product(connection, product_id, with_withdrawn=True), for_staff=True)
        orders, total = list_orders_with(connection, product_id)
    return render("desk/products/delete.html", product=product, orders=orders, total=total)


@blp.post("/<int:product_id>/delete")
@admin_required
def delete_product(product_id: int) -> AnyResponse:
    product = _read(product_id)
    try:
        version = forms.sent_version()
        with transaction():
            service.withdraw_product(product_id, version=version)
        with transaction():
            service.delete_product(product_id, version=version, actor_id=current_person().id)
    except forms.REFUSALS as error:
        say(forms.first_of(forms.explain(error, _WORDS)), "bad")
        return go("desk_products.confirm_delete", product_id=product_id)
    say(gettext("Deleted: %(name)s", name=product["name"]))
    return go("desk_products.list_products")


def _read(product_id: int) -> dict[str, Any]:
    with reader() as connection:
        return product_json(service.get_product(connection, product_id, with_withdrawn=True), for_staff=True)


def _body() -> dict[str, Any]:
    return {
        **{name: forms.text_or_none(name) for name in _TEXTS},
        **{name: forms.amount(name) for name in _AMOUNTS},
        **{name: forms.number(name) for name in _NUMBERS},
        "category_id": forms.id_or_none("category_id"),
        "unit": forms.text_or_none("unit"),
        "vat_class": forms.text_or_none("vat_class"),
        "allergens": [one.strip() for one in forms.written("allergens").split(",") if one.strip()],
        "is_active": forms.is_ticked("is_active"),
        "is_age_restricted": forms.is_ticked("is_age_restricted"),
    }


def _doubts(product: dict[str, Any], price_cents: int) -> dict[str, str]:
    old_cents = money.to_cents(Decimal(product["price"]))
    if forms.is_ticked("sure") or not is_far(old_cents, price_cents):
        return {}
    times = how_far(old_cents, price_cents)
    return {"sure": gettext("The price would be %(times)s. If it is right, tick the box.", times=times)}


def _refused(product: dict[str, Any] | None, body: dict[str, Any], errors: dict[str, str]) -> AnyResponse:
    return refused(_form(product, body, errors))


def _form(product: dict[str, Any] | None, values: dict[str, Any], errors: dict[str, str]) -> Response:
    with reader() as connection:
        categories = category_choices(connection)
    action = (
        url_for("desk_products.save_product", product_id=product["id"])
        if product
        else url_for("desk_products.create_product")
    )
    version = forms.written("version") or (product["version"] if product else "")
    page = render(
        "desk/products/edit.html",
        product=product,
        values=values,
        errors=errors,
        categories=categories,
        action=action,
        version=version,
    )
    return with_camera(page)
