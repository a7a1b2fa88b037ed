"""`flask products synonyms …`: names for the same thing."""

import click

from grocery.commands import CommandGroup, print_json, print_table
from grocery.db import transaction
from grocery.products.search import service

synonyms_cli = CommandGroup("synonyms", help="Names for the same thing: who searches for one finds the other as well.")


@synonyms_cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def list_command(as_json: bool) -> None:
    """List all pairs."""
    rows = service.list_synonyms()
    if as_json:
        print_json([dict(row._mapping) for row in rows])
    else:
        print_table(("TERM", "MEANING"), [(row.term, row.meaning) for row in rows])


@synonyms_cli.command("add")
@click.argument("term")
@click.argument("meaning")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def add_command(term: str, meaning: str, as_json: bool) -> None:
    """Have searches for TERM find MEANING too, and the other way round. Quote names of several words."""
    with transaction():
        term, meaning = service.add_synonym(term, meaning)
    _print_pair(term, meaning, "Added", as_json)


@synonyms_cli.command("remove")
@click.argument("term")
@click.argument("meaning")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def remove_command(term: str, meaning: str, as_json: bool) -> None:
    """Forget that TERM and MEANING are the same."""
    with transaction():
        term, meaning = service.remove_synonym(term, meaning)
    _print_pair(term, meaning, "Removed", as_json)


def _print_pair(term: str, meaning: str, what: str, as_json: bool) -> None:
    if as_json:
        print_json({"term": term, "meaning": meaning})
    else:
        click.echo(f"{what}: {term} = {meaning}")
