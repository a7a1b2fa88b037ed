"""The pages that say what a list can be narrowed down by."""

from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import optional_person
from grocery.products.categories import read_category
from grocery.replica import catalogue_reader, reads_catalogue
from grocery.storefront.looks import slug
from grocery.storefront.pages import render
from grocery.storefront.shop.narrowing import (
    KEPT,
    PRICES,
    SEARCH_SORTS,
    SORTS,
    active_choices,
    asked_filters,
    count_choices,
    list_address,
    orders_to_choose,
)
from grocery.storefront.shop.views import asked_words, blp, moved_to, name_of


@blp.get("/c/<int:category_id>-<name>/filter")
@optional_person
@reads_catalogue
def narrow_category(category_id: int, name: str) -> AnyResponse:
    """What its list can be narrowed down by."""
    filters = {**asked_filters(*SORTS), "category": None}
    with catalogue_reader() as connection:
        category = read_category(connection, category_id)
        path = url_for("shop.show_category", category_id=category_id, name=slug(category["name"]))
        if moved := moved_to(f"{path}/filter"):
            return moved
        choices = count_choices(connection, path, filters, category=category_id)
    values = {"about": category["name"], "choices": choices, "active": active_choices(path, filters)}
    return render("shop/narrow.html", filters=filters, **values, **_of_list(path))


@blp.get("/search/filter")
@optional_person
@reads_catalogue
def narrow_search() -> AnyResponse:
    """What the results of a search can be narrowed down by, or what a brand has."""
    q, filters, path = asked_words(), asked_filters(*SEARCH_SORTS), url_for("shop.search")
    if not q and not filters["brand"]:
        return redirect(path)
    with catalogue_reader() as connection:
        choices = count_choices(connection, path, filters, q=q)
        category = name_of(connection, filters["category"])
    values = {
        "about": q or filters["brand"],
        "choices": choices,
        "active": active_choices(path, filters, category, about="" if q else "brand"),
        "orders": orders_to_choose(path, filters) if q else [],
    }
    return render("shop/narrow.html", filters=filters, **values, **_of_list(path))


def _of_list(path: str) -> dict[str, Any]:
    """Where the list is, and which of its filters a form for prices keeps."""
    kept = {name: value for name, value in request.args.items() if name in KEPT and name not in PRICES}
    return {"path": path, "kept": kept, "back_to_list": list_address(path)}
