"""`flask orders invoice`."""

from typing import IO

import click
from flask import current_app

from grocery.db import reader
from grocery.errors import NotFoundError
from grocery.orders.actors import Actor
from grocery.orders.documents.invoice import describe_invoice
from grocery.orders.documents.reading import find_order_by_number
from grocery.orders.documents.rendering import render
from grocery.orders.documents.wording import Shop
from grocery.orders.tracking.links import find_link

# Whoever has a shell on the machine may see what an admin may.
_OPERATOR = Actor(None, "admin")


@click.command("invoice")
@click.argument("number")
@click.option(
    "--output",
    type=click.File("wb", lazy=True, atomic=True),
    required=True,
    help="The file to write, such as G-7K3M9Q.pdf; - for standard output.",
)
def invoice_command(number: str, output: IO[bytes]) -> None:
    """Write the invoice of the order NUMBER (such as G-7K3M9Q) as PDF.

    Before it is delivered, it is the order as it stands.
    """
    with reader() as connection:
        order = find_order_by_number(connection, number, _OPERATOR)
    if order is None:
        raise NotFoundError(f"There is no order {number}.")
    link = find_link(order.json["id"])
    output.write(render(describe_invoice(order, Shop.of(current_app.config), link)))
