"""`flask orders …`."""

from typing import Any

import click
from flask import current_app

from grocery.commands import CommandGroup, print_json, print_table
from grocery.db import name_subject, reader, transaction
from grocery.errors import NotFoundError
from grocery.orders import reading
from grocery.orders.actors import Actor
from grocery.orders.changing import change_status
from grocery.orders.documents.cli import invoice_command
from grocery.orders.fulfilment.pick_list import get_pick_list
from grocery.orders.states import STATUSES

orders_cli = CommandGroup("orders", help="Look at orders and move them.")
orders_cli.add_command(invoice_command)

# Whoever has a shell on the machine may do what an admin may; there is no row to point to.
_OPERATOR = Actor(None, "admin")


@orders_cli.command("list")
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only orders in this status.")
@click.option("-q", "words", help="An order number, the last digits of a phone, or a part of the customer's name.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_orders(status: str | None, words: str | None, limit: int, as_json: bool) -> None:
    """List orders, newest first."""
    with reader() as connection:
        orders, _ = reading.list_orders(connection, _OPERATOR, limit=limit, cursor=None, status=status, q=words)
    if as_json:
        print_json(orders)
        return
    rows = [
        (order["number"], order["status"], f"{order['currency']} {order['total']}", len(order["items"]), _placed(order))
        for order in orders
    ]
    print_table(("NUMBER", "STATUS", "TOTAL", "LINES", "PLACED"), rows)


@orders_cli.command("show")
@click.argument("number")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_order(number: str, as_json: bool) -> None:
    """Show the order NUMBER (such as G-7K3M9Q) with its lines and history."""
    order = _find(number)
    with reader() as connection:
        history = reading.list_history(connection, order["id"], _OPERATOR)
    if as_json:
        print_json({**order, "history": history})
        return
    click.echo(f"{order['number']}  {order['status']}  {order['currency']} {order['total']}  {_placed(order)}\n")
    lines = [(line["quantity"], line["unit"], line["name"], line["line_total"]) for line in order["items"]]
    print_table(("QUANTITY", "UNIT", "PRODUCT", "TOTAL"), lines)
    click.echo()
    print_table(("AMOUNT", order["currency"]), _amounts(order))
    if where := _where(order["delivery"]):
        click.echo(f"\n{where}")
    click.echo()
    entries = [(f"{e['at']:%Y-%m-%d %H:%M:%S}", e["status"], e["actor_role"], e["note"]) for e in history]
    print_table(("WHEN (UTC)", "STATUS", "BY", "NOTE"), entries)


@orders_cli.command("set-status")
@click.argument("number")
@click.argument("status", type=click.Choice(STATUSES, case_sensitive=False))
@click.option("--note", help="Kept in the history and told to the customer.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def set_status(number: str, status: str, note: str | None, as_json: bool) -> None:
    """Move the order NUMBER to STATUS, as staff would: with history, notices and stock."""
    order_id = _find(number)["id"]
    with transaction() as session:
        name_subject("order", order_id)
        order = change_status(session, order_id, status.lower(), _OPERATOR, note=note)
    if as_json:
        print_json(order)
    else:
        click.echo(f"{order['number']} is now {order['status']}.")


@orders_cli.command("pick-list")
@click.argument("number")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_pick_list(number: str, as_json: bool) -> None:
    """Show what is to be picked for the order NUMBER, by category."""
    order_id = _find(number)["id"]
    with reader() as connection:
        found = get_pick_list(connection, order_id)
    if as_json:
        print_json(found)
        return
    rows = [
        tuple(line[name] for name in ("quantity", "unit", "name", "category", "picked_quantity", "if_unavailable"))
        for line in found["items"]
    ]
    print_table(("QUANTITY", "UNIT", "PRODUCT", "CATEGORY", "PICKED", "IF UNAVAILABLE"), rows)


def _find(number: str) -> dict[str, Any]:
    with reader() as connection:
        found, _ = reading.list_orders(connection, _OPERATOR, limit=100, cursor=None, q=number)
    for order in found:
        if order["number"] == number.upper():
            return order
    raise NotFoundError(f"There is no order {number}.")


def _amounts(order: dict[str, Any]) -> list[tuple[str, str]]:
    discounts = [(discount["code"] or discount["name"], f"-{discount['amount']}") for discount in order["discounts"]]
    return [
        ("Subtotal", order["subtotal"]),
        *discounts,
        ("Delivery", order["delivery_fee"]),
        ("Total", order["total"]),
        ("Paid", order["paid"]),
    ]


def _where(delivery: dict[str, Any]) -> str:
    """Where it goes, when (in the shop's time), and whom the rider calls."""
    if delivery["method"] == "pickup":
        return "Pickup at the shop"
    parts = [delivery["address"], delivery["landmark"], delivery["phone"]]
    if delivery["slot_starts_at"]:
        starts, ends = (delivery[name].astimezone(current_app.config["TIMEZONE"]) for name in _WINDOW)
        parts.insert(0, f"{starts:%Y-%m-%d %H:%M}-{ends:%H:%M}")
    return "Delivery: " + ", ".join(part for part in parts if part)


_WINDOW = ("slot_starts_at", "slot_ends_at")


def _placed(order: dict[str, Any]) -> str:
    return f"{order['placed_at']:%Y-%m-%d %H:%M}"
