"""`flask products schedule-price` and `flask products prices`."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click
from flask import current_app
from flask.cli import with_appcontext

from grocery import money
from grocery.commands import print_json, print_table
from grocery.db import name_subject, reader, transaction
from grocery.fields import Money
from grocery.products.cli import SKU, FieldType
from grocery.products.prices.moments import read_moment
from grocery.products.prices.service import change_json, list_price_changes, schedule_price
from grocery.products.schemas import OptionalText
from grocery.products.service import find_by_sku

_WHEN = "now, tomorrow, friday, 2026-12-01 or 2026-12-01T08:00"


@click.command("schedule-price")
@click.argument("sku", type=SKU)
@click.argument("price", type=FieldType("price", Money()))
@click.option("--from", "start", default="now", show_default=True, help=f"When it begins: {_WHEN}.")
@click.option("--until", "end", help="An offer: when it ends and the price before returns. A day: as it begins.")
@click.option(
    "--compare-at", type=FieldType("price", Money()), help="Shown as the price before; by default what it is."
)
@click.option("--note", type=FieldType("note", OptionalText(max_length=500)), help="Why, for the shop's own eyes.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def schedule_price_command(
    sku: str, price: int, start: str, end: str | None, compare_at: int | None, note: str | None, as_json: bool
) -> None:
    """Give the product with this SKU another PRICE for a time, or from a time on.

    With --until it is an offer. Days and times are the shop's. A weekday is the next one; after --until, the next one
    after the start: --from friday --until monday
    """
    now = datetime.now(UTC)
    starts_at = _read(start, now, "--from")
    ends_at = None if end is None else _read(end, starts_at, "--until")
    with transaction():
        product_id = find_by_sku(sku)
        name_subject("product", product_id)
        row = schedule_price(
            product_id,
            price_cents=price,
            compare_at_price_cents=compare_at,
            starts_at=starts_at,
            ends_at=ends_at,
            note=note,
            actor_id=None,
            now=now,
        )
    if as_json:
        print_json(change_json(row))
    else:
        until = f" until {_local(row.ends_at)}" if row.ends_at else ""
        click.echo(f"{sku}: {money.to_text(row.price_cents)} from {_local(row.starts_at)}{until} ({row.status})")


@click.command("prices")
@click.argument("sku", type=SKU)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def prices_command(sku: str, limit: int, as_json: bool) -> None:
    """List the offers and scheduled prices of the product with this SKU, the latest start first."""
    with reader() as connection:
        page = list_price_changes(connection, find_by_sku(sku), status=None, limit=limit, cursor=None)
    if as_json:
        print_json(page.items)
        return
    rows = [
        (one["id"], one["status"], one["price"], _local(one["starts_at"]), _local(one["ends_at"]), one["note"])
        for one in page.items
    ]
    print_table(("ID", "STATUS", "PRICE", "FROM", "UNTIL", "NOTE"), rows)


def _read(typed: str, after: datetime, option: str) -> datetime:
    try:
        return read_moment(typed, after, _zone()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{typed!r} is none of {_WHEN}.", param_hint=option) from None


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(_zone()):%Y-%m-%d %H:%M}"


def _zone() -> ZoneInfo:
    zone: ZoneInfo = current_app.config["TIMEZONE"]
    return zone
