"""`flask products …` for the stock: receive, what expires, what runs low, the ledger."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click
from flask.cli import with_appcontext

from grocery.commands import print_json, print_table
from grocery.db import name_subject, reader, transaction
from grocery.fields import Name, Quantity, quantity_number
from grocery.products import service
from grocery.products.cli import SKU, FieldType
from grocery.products.inventory import listing
from grocery.products.inventory.correcting import receive_stock
from grocery.products.inventory.days import shop_today
from grocery.products.inventory.low import list_low
from grocery.products.inventory.schemas import MAX_DAYS
from grocery.products.models import MOVEMENT_REASONS
from grocery.products.stock import MAX_STOCK

_LIMIT = click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many at most.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command("receive")
@click.argument("sku", type=SKU)
@click.argument("quantity", type=FieldType("quantity", Quantity(high=MAX_STOCK)))
@click.option("--lot", "code", type=FieldType("code", Name(max_length=64)), help="The code of the lot that came.")
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which the lot may be sold.")
@_JSON
@with_appcontext
def receive(sku: str, quantity: Decimal, code: str | None, expires: datetime | None, as_json: bool) -> None:
    """Add the QUANTITY that was delivered to the stock of the product with this SKU, as a lot if --lot is given."""
    if expires and code is None:
        raise click.UsageError("--expires needs --lot: only a lot has an expiry date.")
    lot = {"code": code, "expires_on": expires.date() if expires else None} if code is not None else None
    with transaction():
        product_id = service.find_by_sku(sku)
        name_subject("product", product_id)
        stock, lot_id = receive_stock(product_id, quantity, lot=lot, actor_id=None)
    now = quantity_number(stock)
    if as_json:
        print_json({"sku": sku, "received": quantity_number(quantity), "stock": now, "lot_id": lot_id})
    else:
        click.echo(f"{sku}: {now} in stock" + (f", lot {lot_id}" if lot_id else ""))


@click.command("expiring")
@click.option("--days", type=click.IntRange(0, MAX_DAYS), default=7, show_default=True, help="Within so many days.")
@_LIMIT
@_JSON
@with_appcontext
def expiring(days: int, limit: int, as_json: bool) -> None:
    """List what expires soon or has expired, soonest first."""
    arguments = {"days": days, "limit": limit, "cursor": None}
    with reader() as connection:
        lots = listing.list_expiring(connection, arguments, today=shop_today()).items
    columns = ("lot_id", "code", "expires_on", "days_left", "remaining", "unit", "sku", "name")
    _print(lots, columns, as_json)


@click.command("low-stock")
@click.option("--include-out", is_flag=True, help="Also what is out of stock and has no threshold.")
@_LIMIT
@_JSON
@with_appcontext
def low_stock(include_out: bool, limit: int, as_json: bool) -> None:
    """List products that are at their low-stock threshold or below it, the worst first."""
    with reader() as connection:
        products = list_low(connection, limit=limit, with_out=include_out).items
    _print(products, ("product_id", "sku", "stock", "low_stock_threshold", "unit", "name"), as_json)


@click.command("movements")
@click.argument("sku", type=SKU)
@click.option("--reason", type=click.Choice(MOVEMENT_REASONS), help="Only for this reason.")
@_LIMIT
@_JSON
@with_appcontext
def movements(sku: str, reason: str | None, limit: int, as_json: bool) -> None:
    """List what has changed the stock of the product with this SKU, newest first."""
    product_id = service.find_by_sku(sku)
    arguments = {"reason": reason, "starts_at": None, "ends_at": None, "limit": limit, "cursor": None}
    with reader() as connection:
        rows = listing.list_movements(connection, product_id, arguments).items
    columns = ("created_at", "delta", "stock_after", "reason", "order_id", "lot_id", "actor_id", "note")
    _print(rows, columns, as_json)


STOCK_COMMANDS = (receive, expiring, low_stock, movements)


def _print(items: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        print_json(items)
        return
    headings = tuple(column.upper().replace("_", " ") for column in columns)
    print_table(headings, [tuple(_cell(item[column]) for column in columns) for item in items])


def _cell(value: Any) -> Any:
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, date) else value
