"""`flask notify inbound …`: what people wrote, for the operator."""

from typing import Any

import click
from flask import current_app

from grocery.commands import CommandGroup, print_json, print_table
from grocery.notify.inbound.models import INBOUND_STATUSES
from grocery.notify.inbound.reading import list_inbound
from grocery.notify.inbound.schemas import InboundSmsSchema
from grocery.phones import parse_phone

inbound_cli = CommandGroup("inbound", help="SMS that people sent to the shop.")


@inbound_cli.command("list")
@click.option("--phone", help="Only those of this phone.")
@click.option("--status", type=click.Choice(INBOUND_STATUSES), help="Only those in this status.")
@click.option("--not-understood", is_flag=True, help="Only those in which no command was found.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at the most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_messages(phone: str | None, status: str | None, not_understood: bool, limit: int, as_json: bool) -> None:
    """List what people wrote, the newest first."""
    number = None if phone is None else parse_phone(phone, current_app.config["DEFAULT_COUNTRY"])
    rows = list_inbound(limit=limit, phone=number, status=status, is_understood=False if not_understood else None)
    if as_json:
        print_json(InboundSmsSchema(many=True).dump(rows))
        return
    lines: list[tuple[Any, ...]] = [
        (
            row["id"],
            f"{row['received_at']:%Y-%m-%d %H:%M:%S}Z",
            row["phone"],
            row["status"],
            row["command"] or "-",
            " ".join(row["body"].split()),
        )
        for row in rows
    ]
    print_table(("id", "received", "phone", "status", "command", "text"), lines)
