"""The pages of offers: the list, and the form of one."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required
from grocery.db import reader, transaction
from grocery.errors import InvalidError
from grocery.orders.promotions import service
from grocery.orders.promotions.schemas import WritePromotionSchema
from grocery.orders.promotions.terms import BASKET, PERCENT, PRODUCTS
from grocery.products.categories import read_tree
from grocery.products.naming import list_names
from grocery.storefront.desk import forms
from grocery.storefront.desk.pages import DeskPages
from grocery.storefront.desk.products.rows import walk
from grocery.storefront.desk.promotions.form import KINDS, SCOPES, explain, read_body
from grocery.storefront.pages import go, refused, render, say

blp = DeskPages("desk_promotions", __name__, url_prefix="/admin/promotions")

#: Promotions of a page of the list.
_LIMIT = 50

STATES = {
    "active": lazy_gettext("Running"),
    "scheduled": lazy_gettext("Planned"),
    "ended": lazy_gettext("Over"),
    "used_up": lazy_gettext("Used up"),
    "off": lazy_gettext("Switched off"),
}


@blp.get("/", strict_slashes=False)
@admin_required
def list_promotions() -> Response:
    now = datetime.now(UTC)
    with reader() as connection:
        try:
            page = service.list_promotions(connection, limit=_LIMIT, cursor=request.args.get("cursor") or None, now=now)
        except InvalidError:
            page = service.list_promotions(connection, limit=_LIMIT, now=now)
    shown = [{**one, "kind_words": str(KINDS[one["kind"]])} for one in page.items]
    groups = [(name, str(words), [one for one in shown if one["state"] == name]) for name, words in STATES.items()]
    return render("desk/promotions/list.html", groups=groups, next_cursor=page.next_cursor, is_empty=not shown)


@blp.get("/new")
@admin_required
def show_new() -> Response:
    """The form of a new one; `product` in the address is what it is for."""
    product = request.args.get("product", "")
    is_for_product = product.isdecimal() and len(product) <= 18
    start = {
        "kind": PERCENT,
        "scope": PRODUCTS if is_for_product else BASKET,
        "product_ids": [int(product)] if is_for_product else [],
        "is_active": True,
    }
    return _form(None, start, {})


@blp.post("/new")
@admin_required
def create_promotion() -> AnyResponse:
    try:
        values = _load()
        with transaction():
            row = service.create_promotion(values)
    except forms.REFUSALS as error:
        return _refused(None, explain(error))
    say(gettext("Added: %(name)s", name=row.name))
    return go("desk_promotions.list_promotions")


@blp.get("/<int:promotion_id>")
@admin_required
def show_promotion(promotion_id: int) -> Response:
    promotion = _read(promotion_id)
    return _form(promotion, _as_written(promotion), {})


@blp.post("/<int:promotion_id>")
@admin_required
def save_promotion(promotion_id: int) -> AnyResponse:
    promotion = _read(promotion_id)
    try:
        values = _load()
        with transaction():
            service.replace_promotion(promotion_id, values, version=forms.sent_version())
    except forms.REFUSALS as error:
        return _refused(promotion, explain(error))
    say(gettext("Saved. Orders that were placed before keep what they had."))
    return go("desk_promotions.list_promotions")


@blp.post("/<int:promotion_id>/switch")
@admin_required
def switch_promotion(promotion_id: int) -> AnyResponse:
    """End it now, or switch it on again."""
    try:
        is_active = forms.yes_or_no("is_active")
        with transaction():
            row = service.switch_promotion(promotion_id, is_active=is_active, version=forms.sent_version())
    except forms.REFUSALS as error:
        say(forms.first_of(explain(error)), "bad")
    else:
        message = gettext("Switched on: %(name)s") if is_active else gettext("Ended: %(name)s")
        say(message % {"name": row.name})
    return go("desk_promotions.list_promotions")


@blp.post("/<int:promotion_id>/delete")
@admin_required
def delete_promotion(promotion_id: int) -> AnyResponse:
    try:
        with transaction():
            service.delete_promotion(promotion_id, version=forms.sent_version())
    except forms.REFUSALS as error:
        say(forms.first_of(explain(error)), "bad")
        return go("desk_promotions.show_promotion", promotion_id=promotion_id)
    say(gettext("Deleted. Orders that were placed keep what they had."))
    return go("desk_promotions.list_promotions")


def _load() -> dict[str, Any]:
    with reader() as connection:
        return forms.load(WritePromotionSchema(), read_body(connection))


def _read(promotion_id: int) -> dict[str, Any]:
    with reader() as connection:
        return service.promotion_json(service.get_promotion(connection, promotion_id), datetime.now(UTC))


def _as_written(promotion: dict[str, Any]) -> dict[str, Any]:
    """A promotion in the fields of the form."""
    times = {name: forms.local(promotion[name]) for name in ("starts_at", "ends_at")}
    return {**promotion, **times, f"value_{promotion['kind']}": promotion["value"]}


def _refused(promotion: dict[str, Any] | None, errors: dict[str, str]) -> AnyResponse:
    named = {name: [one for one in forms.ids(name) if isinstance(one, int)] for name in ("product_ids", "category_ids")}
    return refused(
        _form(promotion, {**request.form.to_dict(), **named, "is_active": forms.is_ticked("is_active")}, errors)
    )


def _form(promotion: dict[str, Any] | None, values: dict[str, Any], errors: dict[str, str]) -> Response:
    with reader() as connection:
        choices = _choices(connection, values)
    action = (
        url_for("desk_promotions.save_promotion", promotion_id=promotion["id"])
        if promotion
        else url_for("desk_promotions.create_promotion")
    )
    return render(
        "desk/promotions/edit.html",
        promotion=promotion,
        values=values,
        errors=errors,
        action=action,
        version=forms.written("version") or (promotion["version"] if promotion else ""),
        state=str(STATES[promotion["state"]]) if promotion else None,
        **choices,
    )


def _choices(connection: Connection, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "kinds": [(name, str(words)) for name, words in KINDS.items()],
        "scopes": [(name, str(words)) for name, words in SCOPES.items()],
        "categories": list(walk(read_tree(connection))),
        "chosen_products": list_names(connection, values.get("product_ids") or []),
    }
