"""`flask delivery …`: the slots, for the shop."""

from datetime import datetime
from typing import Any

import click

from grocery.commands import CommandGroup, print_json, print_table
from grocery.db import reader, transaction
from grocery.fields import Name
from grocery.orders.delivery.slots import list_slots
from grocery.orders.delivery.templates import make_slots
from grocery.orders.delivery.zones import get_zone_by_name, list_zones
from grocery.products.cli import FieldType
from grocery.products.inventory.days import shop_now

delivery_cli = CommandGroup("delivery", help="When the shop delivers.")


@delivery_cli.command("slots")
@click.option("--zone", "zone_name", type=FieldType("name", Name()), help="Only of the zone with this name.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def slots(zone_name: str | None, limit: int, as_json: bool) -> None:
    """List the delivery slots that are not over yet, in the shop's time, with how many orders hold each."""
    now = shop_now()
    with reader() as connection:
        zone_id = None if zone_name is None else get_zone_by_name(connection, zone_name)["id"]
        names = {zone["id"]: zone["name"] for zone in list_zones(connection)}
        arguments = {"zone_id": zone_id, "starts_from": None, "starts_until": None, "limit": limit, "cursor": None}
        found = list_slots(connection, arguments, now=now).items
    listed = [
        {**slot, "zone": names.get(slot["zone_id"]), "booked": slot["capacity"] - slot["remaining"]} for slot in found
    ]
    if as_json:
        print_json(listed)
    else:
        print_table(("ID", "ZONE", "FROM", "UNTIL", "BOOKED", "OPEN"), [_row(slot, now) for slot in listed])


@delivery_cli.command("make-slots")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def make_slots_command(as_json: bool) -> None:
    """Make the slots of the weekly templates two weeks ahead, as the relay does by itself every day."""
    with transaction() as session:
        made = make_slots(session, shop_now())
    if as_json:
        print_json({"made": made})
    else:
        click.echo(f"Slots made: {made}")


def _row(slot: dict[str, Any], now: datetime) -> tuple[Any, ...]:
    window = [f"{moment.astimezone(now.tzinfo):%a %Y-%m-%d %H:%M}" for moment in (slot["starts_at"], slot["ends_at"])]
    booked = f"{slot['booked']}/{slot['capacity']}"
    return (slot["id"], slot["zone"], *window, booked, "yes" if slot["is_open"] else "no")
