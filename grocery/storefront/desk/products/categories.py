"""The tree of categories: add, rename, move, delete."""

from typing import Any

from flask import Response, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required
from grocery.db import reader, transaction
from grocery.products import categories
from grocery.products.schemas import WriteCategorySchema
from grocery.storefront.desk import forms
from grocery.storefront.desk.products.blueprint import blp
from grocery.storefront.desk.products.rows import indented, walk
from grocery.storefront.pages import go, render, say

_WORDS = {
    "name": lazy_gettext("A name of up to 100 letters, without a /."),
    "parent_id": lazy_gettext("Choose a place in the tree."),
    "position": lazy_gettext("Write a whole number, such as 10."),
    "category_exists": ("name", lazy_gettext("There is one with this name at this place already.")),
    "category_cycle": ("parent_id", lazy_gettext("It cannot be below itself.")),
}


@blp.get("/categories")
@admin_required
def list_categories() -> Response:
    return _list({}, {})


@blp.post("/categories")
@admin_required
def create_category() -> AnyResponse:
    body = _body()
    try:
        values = forms.load(WriteCategorySchema(), body)
        with transaction():
            categories.create_category(values)
    except forms.REFUSALS as error:
        response = _list(body, forms.explain(error, _WORDS))
        response.status_code = 422
        return response
    say(gettext("Added: %(name)s", name=values["name"]))
    return go("desk_products.list_categories")


@blp.get("/categories/<int:category_id>")
@admin_required
def show_category(category_id: int) -> Response:
    return _one(category_id, None, {})


@blp.post("/categories/<int:category_id>")
@admin_required
def save_category(category_id: int) -> AnyResponse:
    """Rename or move it, and with it all below."""
    body = _body()
    try:
        values = forms.load(WriteCategorySchema(), body)
        with transaction():
            categories.replace_category(category_id, values)
    except forms.REFUSALS as error:
        response = _one(category_id, body, forms.explain(error, _WORDS))
        response.status_code = 422
        return response
    say(gettext("Saved."))
    return go("desk_products.list_categories")


@blp.post("/categories/<int:category_id>/delete")
@admin_required
def delete_category(category_id: int) -> AnyResponse:
    try:
        with transaction():
            categories.delete_category(category_id)
    except forms.REFUSALS:
        say(gettext("There are products or categories in it. Move or delete them first."), "bad")
        return go("desk_products.show_category", category_id=category_id)
    say(gettext("Deleted."))
    return go("desk_products.list_categories")


def _body() -> dict[str, Any]:
    return {
        "name": forms.text_or_none("name"),
        "parent_id": forms.id_or_none("parent_id"),
        "position": forms.number("position"),
    }


def _list(values: dict[str, Any], errors: dict[str, str]) -> Response:
    with reader() as connection:
        tree = categories.read_tree(connection)
    return render(
        "desk/products/categories.html",
        nodes=list(walk(tree)),
        parents=_parents(tree),
        values=values or {"parent_id": request.args.get("parent", "")},
        errors=errors,
    )


def _one(category_id: int, values: dict[str, Any] | None, errors: dict[str, str]) -> Response:
    with reader() as connection:
        category = categories.read_category(connection, category_id)
        tree = categories.read_tree(connection)
    return render(
        "desk/products/category.html",
        category=category,
        parents=_parents(tree, without=category_id),
        values=values or category,
        errors=errors,
    )


def _parents(tree: list[dict[str, Any]], without: int | None = None) -> list[tuple[int | str, str]]:
    """Where a category can be put: at the top or below any other, but not below itself."""
    options: list[tuple[int | str, str]] = [("", gettext("At the top"))]
    skipped_depth: int | None = None
    for node, depth in walk(tree):
        if skipped_depth is not None and depth > skipped_depth:
            continue
        skipped_depth = depth if node["id"] == without else None
        if skipped_depth is None:
            options.append((node["id"], indented(node, depth)))
    return options
