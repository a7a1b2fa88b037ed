"""The routes of /categories."""

from typing import Any

from flask import Response, jsonify

from grocery.answers import kept
from grocery.api import Blueprint, public
from grocery.auth.access import admin_required
from grocery.db import transaction
from grocery.products import categories, examples
from grocery.products.schemas import CategoryPageSchema, CategorySchema, CategoryTreeSchema, WriteCategorySchema
from grocery.replica import catalogue_reader, reads_catalogue
from grocery.web import add_etag

blp = Blueprint("categories", __name__, url_prefix="/categories", description="The tree of categories.")

_EXISTS = "There is a category with this name at this place already: `category_exists`."
_UNCHANGED = "Nothing has changed since the answer with this ETag."
_EXAMPLE = {"name": "Milk", "parent_id": 3}


@blp.route("/")
@public
@kept
@blp.alt_response(304, description=_UNCHANGED, success=True)
@blp.response(200, CategoryTreeSchema(many=True), description="The top of the tree.", example=examples.TREE)
@reads_catalogue
def list_categories() -> Response:
    """Read the tree of categories

    Siblings come by `position`, then by name. The answer has an `ETag` for `If-None-Match`.
    """
    with catalogue_reader() as connection:
        return add_etag(jsonify(categories.read_tree(connection)))


@blp.route("/<int:category_id>")
@public
@kept
@blp.alt_response(304, description=_UNCHANGED, success=True)
@blp.response(200, CategoryPageSchema, description="The category.", example=examples.CATEGORY_PAGE)
@reads_catalogue
def get_category(category_id: int) -> Response:
    """Read a category, with the way to it

    `breadcrumbs` lead from the top to the category itself, `children` are those right below it. `product_count` counts
    the products for sale in it and in all below. The answer has an `ETag` for `If-None-Match`.
    """
    with catalogue_reader() as connection:
        return add_etag(jsonify(categories.read_category(connection, category_id)))


@blp.route("/", methods=["POST"])
@admin_required
@blp.problems(_409=_EXISTS)
@blp.problems(_422="A field is not valid, `name` has a /, or `parent_id` is of no category.")
@blp.arguments(WriteCategorySchema, example=_EXAMPLE)
@blp.response(201, CategorySchema, description="The new category.", example=examples.CATEGORY)
def create_category(body: dict[str, Any]) -> dict[str, Any]:
    """Add a category"""
    with transaction():
        return categories.category_json(categories.create_category(body))


@blp.route("/<int:category_id>", methods=["PUT"])
@admin_required
@blp.found_first(categories.check_category_exists)
@blp.problems(_409=f"{_EXISTS} `category_cycle`: it would be below itself.")
@blp.problems(_422="A field is not valid, `name` has a /, or `parent_id` is of no category.")
@blp.arguments(WriteCategorySchema, example=_EXAMPLE)
@blp.response(200, CategorySchema, description="The category as it is now.", example=examples.CATEGORY)
def replace_category(body: dict[str, Any], category_id: int) -> dict[str, Any]:
    """Rename or move a category

    Those below it move along. Without `parent_id` it goes to the top.
    """
    with transaction():
        return categories.category_json(categories.replace_category(category_id, body))


@blp.route("/<int:category_id>", methods=["DELETE"])
@admin_required
@blp.problems(_409="There are products or categories in it: `category_not_empty`.")
@blp.response(204, description="The category is gone.")
def delete_category(category_id: int) -> None:
    """Delete an empty category"""
    with transaction():
        categories.delete_category(category_id)
