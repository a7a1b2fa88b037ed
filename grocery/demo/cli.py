"""`flask demo load`."""

import json
import sys

import click
from flask import current_app

from grocery.commands import CommandGroup, print_table
from grocery.demo.shop import CATALOGUE, is_empty, load_demo

demo_cli = CommandGroup("demo", help="The demo shop, for an empty embedded database.")


@demo_cli.command("load")
@click.option("--if-empty", is_flag=True, help="Do nothing, successfully, when the database is not empty.")
def load(if_empty: bool) -> None:
    """Fill the empty embedded database with about 200 products, five people and two weeks of orders.

    Sends nothing. The passwords are random; they are printed and kept in DATA_DIR/demo-signins.json.
    """
    if not current_app.extensions["engines"].is_embedded:
        raise click.ClickException("The demo shop is only for the embedded database: unset DATABASE_URL.")
    if if_empty and not is_empty():
        return
    size = CATALOGUE.stat().st_size
    with click.progressbar(length=size, label="Demo shop", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        path = load_demo(current_app.extensions["settings"], lambda bytes_read: bar.update(bytes_read - bar.pos))
    people = json.loads(path.read_text())
    print_table(("ROLE", "E-MAIL", "PASSWORD"), [(one["role"], one["email"], one["password"]) for one in people])
