"""`flask auth …`: people, for the operator."""

import sys

import click
from marshmallow import ValidationError

from grocery.auth import service
from grocery.auth.models import ROLES
from grocery.auth.people import Person
from grocery.auth.schemas import CustomerSchema, RegisterSchema
from grocery.commands import CommandGroup, print_json, print_table
from grocery.db import transaction
from grocery.errors import InvalidError

auth = CommandGroup("auth", help="People and their roles.")


@auth.command("create-admin")
@click.option("--email", help="The e-mail address to sign in with.")
@click.option("--name", help="The admin's name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; needs --email and --name.")
def create_admin(email: str | None, name: str | None, password_stdin: bool) -> None:
    """Make an account with the role admin. Asks for what is not given."""
    if password_stdin:
        if not email or not name:
            raise click.UsageError("--password-stdin needs --email and --name.")
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        name = name or click.prompt("Name")
        email = email or click.prompt("E-mail")
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    try:
        account = RegisterSchema().load({"name": name, "email": email, "password": password})
    except ValidationError as error:
        raise InvalidError("No admin was made.", errors=error.normalized_messages()) from error
    with transaction():
        person = service.register(**account, role="admin")
    click.echo(f"Admin {person.email} was made.")


@auth.command("list")
@click.option("--role", type=click.Choice(ROLES), help="Only people with this role.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_people(role: str | None, as_json: bool) -> None:
    """List people, the newest first."""
    people = service.list_people(role=role)
    if as_json:
        print_json(CustomerSchema(many=True).dump(people))
        return
    rows = [(person.id, person.name, person.email, person.phone, person.role, _state(person)) for person in people]
    print_table(("id", "name", "e-mail", "phone", "role", "state"), rows)


@auth.command("set-role")
@click.argument("email")
@click.argument("role", type=click.Choice(ROLES))
def set_role(email: str, role: str) -> None:
    """Give the person with this EMAIL another ROLE. Ends their sign-ins."""
    person = service.get_person_by_email(email)
    with transaction():
        service.update_person(person.id, {"role": role})
    click.echo(f"{person.email} is {role} now.")


@auth.command("deactivate")
@click.argument("email")
def deactivate(email: str) -> None:
    """Keep the person with this EMAIL from signing in. Ends their sign-ins."""
    _set_active(email, False)


@auth.command("activate")
@click.argument("email")
def activate(email: str) -> None:
    """Let the person with this EMAIL sign in again."""
    _set_active(email, True)


def _set_active(email: str, is_active: bool) -> None:
    person = service.get_person_by_email(email)
    with transaction():
        person = service.update_person(person.id, {"is_active": is_active})
    click.echo(f"{person.email} is {_state(person)} now.")


def _state(person: Person) -> str:
    return "active" if person.is_active else "deactivated"
