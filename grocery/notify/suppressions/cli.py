"""`flask notify suppressions …`: the suppression list, for the operator."""

from typing import Any

import click
from flask import current_app

from grocery.commands import CommandGroup, print_json, print_table
from grocery.db import transaction
from grocery.notify.models import CHANNELS
from grocery.notify.suppressions import service
from grocery.notify.suppressions.schemas import SuppressionSchema
from grocery.phones import parse_phone

suppressions = CommandGroup("suppressions", help="Addresses that get nothing but what they need.")

_HEADINGS = ("channel", "address", "reason", "since", "detail")


@suppressions.command("list")
@click.option("--channel", type=click.Choice(CHANNELS), help="Only addresses of this channel.")
@click.option("--q", help="Only addresses with this in them.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at the most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_suppressions(as_json: bool, **filters: Any) -> None:
    """List suppressed addresses."""
    rows = service.list_suppressions(**filters)
    if as_json:
        print_json(SuppressionSchema(many=True).dump(rows))
        return
    print_table(
        _HEADINGS,
        [
            (row["channel"], row["address"], row["reason"], f"{row['created_at']:%Y-%m-%d %H:%M:%S}Z", row["detail"])
            for row in rows
        ],
    )


@suppressions.command("lift")
@click.argument("channel", type=click.Choice(CHANNELS))
@click.argument("address")
@click.option("--force", is_flag=True, help="Although the holder said STOP: they have asked in another way.")
def lift(channel: str, address: str, force: bool) -> None:
    """Write to ADDRESS again.

    A phone number may be in any usual writing.
    """
    if channel == "sms":
        address = parse_phone(address, current_app.config["DEFAULT_COUNTRY"])
    with transaction():
        service.lift_for_holder(channel, address, is_forced=force)
    click.echo(f"{address} gets messages again.")
