"""`flask reports …`."""

from datetime import datetime

import click
from flask import current_app

from grocery.commands import CommandGroup, print_json, print_table
from grocery.db import reader
from grocery.orders.payments.cash_up import cash_up
from grocery.products.inventory.days import shop_today

reports_cli = CommandGroup("reports", help="What the shop has taken.")


@reports_cli.command("cash-up")
@click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="A day of the shop, by default today."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def cash_up_command(day: datetime | None, as_json: bool) -> None:
    """Show what each collector took on a day, and whether that is what the delivered orders cost.

    NET is what has to be in the collector's purse. EXPECTED is what was due on the delivered orders in it, DIFFERENCE
    what is missing of that (below zero) or too much.
    """
    config = current_app.config
    with reader() as connection:
        entries = cash_up(connection, day.date() if day else shop_today(), config["TIMEZONE"], config["CURRENCY"])
    if as_json:
        print_json(entries)
        return
    columns = ("collected", "refunded", "net", "expected", "difference")
    rows = [
        (entry["collector"] or "(nobody)", entry["orders"], *(entry[name] for name in columns)) for entry in entries
    ]
    print_table(("COLLECTOR", "ORDERS", *(name.upper() for name in columns)), rows)
