"""`flask promotions …`."""

from datetime import UTC, datetime
from typing import Any

import click
from flask import current_app

from grocery.commands import CommandGroup, print_json, print_table
from grocery.db import reader, transaction
from grocery.fields import Text
from grocery.orders.promotions import service
from grocery.orders.promotions.terms import BASKET, BUY_X_GET_Y, FREE_DELIVERY, PERCENT
from grocery.products.cli import FieldType

promotions_cli = CommandGroup("promotions", help="Coupons and automatic promotions.")


@promotions_cli.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_promotions(limit: int, as_json: bool) -> None:
    """List promotions, newest first. One without a code is automatic."""
    with reader() as connection:
        promotions = service.list_promotions(connection, limit=limit, now=datetime.now(UTC)).items
    if as_json:
        print_json(promotions)
        return
    rows = [
        (one["id"], one["code"], one["name"], _gift(one), _aim(one), one["state"], _uses(one), _local(one["ends_at"]))
        for one in promotions
    ]
    print_table(("ID", "CODE", "NAME", "GIVES", "FOR", "STATE", "USED", "UNTIL"), rows)


@promotions_cli.command("deactivate")
@click.argument("code_or_id", type=FieldType("code or id", Text()))
@click.option("--json", "as_json", is_flag=True, help="Print the promotion as JSON.")
def deactivate_promotion(code_or_id: str, as_json: bool) -> None:
    """Switch off the promotion with this code, or else with this id. Orders that were placed keep it."""
    with transaction():
        row = service.deactivate_promotion(code_or_id)
    if as_json:
        print_json(service.promotion_json(row, datetime.now(UTC)))
    else:
        known = f"{row.code}, {row.name}" if row.code else row.name
        click.echo(f"Promotion {row.id} ({known}) is off.")


def _gift(promotion: dict[str, Any]) -> str:
    if promotion["kind"] == BUY_X_GET_Y:
        return f"buy {promotion['buy_quantity']}, get {promotion['get_quantity']}"
    if promotion["kind"] == FREE_DELIVERY:
        return "free delivery"
    if promotion["kind"] == PERCENT:
        return f"{promotion['value']} %"
    return f"{current_app.config['CURRENCY']} {promotion['value']}"


def _aim(promotion: dict[str, Any]) -> str:
    if promotion["scope"] == BASKET:
        return BASKET
    return f"{len(promotion['product_ids']) + len(promotion['category_ids'])} {promotion['scope']}"


def _uses(promotion: dict[str, Any]) -> str:
    limit = promotion["usage_limit"]
    return str(promotion["used"]) if limit is None else f"{promotion['used']} of {limit}"


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(current_app.config['TIMEZONE']):%Y-%m-%d %H:%M}"
