"""The routes of weekly templates, /delivery/templates."""

from typing import Any

from flask import Response, jsonify

from grocery.api import Blueprint
from grocery.auth.access import admin_required
from grocery.db import reader, transaction
from grocery.orders.delivery import examples, templates
from grocery.orders.delivery.schemas import TemplateSchema, WriteTemplateSchema
from grocery.paging import NEXT_LINK, PageArgsSchema, add_next_link
from grocery.products.inventory.days import shop_now

blp = Blueprint(
    "slot-templates",
    __name__,
    url_prefix="/delivery/templates",
    description="Delivery windows of every week, from which slots are made.",
)


def _find_template(template_id: int) -> None:
    with reader() as connection:
        templates.get_template(connection, template_id)


_UNFIT = "A field is not valid, `zone_id` is of no zone, `starts` or `ends` no time, or `ends` not after `starts`."


@blp.route("")
@admin_required
@blp.problems(_422="`limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(PageArgsSchema, location="query")
@blp.response(
    200,
    TemplateSchema(many=True),
    description="A page, by zone, weekday and start.",
    headers=NEXT_LINK,
    example=[examples.TEMPLATE],
)
def list_slot_templates(arguments: dict[str, Any]) -> Response:
    """List the delivery windows of every week"""
    with reader() as connection:
        page = templates.list_templates(connection, **arguments)
    return add_next_link(jsonify(page.items), page.next_cursor)


@blp.route("", methods=["POST"])
@admin_required
@blp.problems(_422=_UNFIT)
@blp.arguments(WriteTemplateSchema, example=examples.TEMPLATE_WANTED)
@blp.response(201, TemplateSchema, description="The new template; its slots are made.", example=examples.TEMPLATE)
def create_slot_template(body: dict[str, Any]) -> dict[str, Any]:
    """Add a delivery window of every week

    Slots are made from it for today and the 13 days after, at once and then day by day. Times are by the shop's clock.
    """
    with transaction() as session:
        return templates.template_json(templates.create_template(session, body, shop_now()))


@blp.route("/<int:template_id>", methods=["PUT"])
@admin_required
@blp.found_first(_find_template)
@blp.problems(_422=_UNFIT)
@blp.arguments(WriteTemplateSchema, example=examples.TEMPLATE_WANTED)
@blp.response(200, TemplateSchema, description="The template as it is now.", example=examples.TEMPLATE)
def replace_slot_template(body: dict[str, Any], template_id: int) -> dict[str, Any]:
    """Change a delivery window of every week

    For the days after `made_until`. Slots that are there stay as they are.
    """
    with transaction() as session:
        return templates.template_json(templates.replace_template(session, template_id, body, shop_now()))


@blp.route("/<int:template_id>", methods=["DELETE"])
@admin_required
@blp.response(204, description="No more slots are made from it. Those that are there stay.")
def delete_slot_template(template_id: int) -> None:
    """Delete a delivery window of every week"""
    with transaction() as session:
        templates.delete_template(session, template_id)
