"""`flask auth …`: people, for the operator."""

import re
import sys

import click
from marshmallow import ValidationError

from grocery.auth import inviting, service
from grocery.auth.models import ROLES
from grocery.auth.people import Person
from grocery.auth.schemas import CreateUserSchema, CustomerSchema, RegisterSchema, SessionSchema
from grocery.auth.second_factor.resealing import count_secrets, reseal_all
from grocery.auth.second_factor.resetting import take_off_totp
from grocery.auth.sessions import end_all_sessions, list_sessions
from grocery.commands import CommandGroup, print_json, print_table
from grocery.db import name_subject, transaction
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
        person = service.register(**account, role="admin", is_operator=True)
    click.echo(f"Admin {person.email} was made.")


@auth.command("create")
@click.option("--name", required=True, help="The person's name.")
@click.option("--email", help="Where the invitation goes, to choose a password.")
@click.option("--phone", help="Without --email, the person signs in with codes to this number.")
@click.option("--role", type=click.Choice(ROLES), default="customer", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def create(name: str, email: str | None, phone: str | None, role: str, as_json: bool) -> None:
    """Make an account for somebody, who is told how to get in."""
    try:
        account = CreateUserSchema().load({"name": name, "email": email, "phone": phone, "role": role})
    except ValidationError as error:
        raise InvalidError("No account was made.", errors=error.normalized_messages()) from error
    with transaction():
        person = inviting.create_user(**account)
    if as_json:
        print_json(CustomerSchema().dump(person))
    else:
        click.echo(f"{person.name} ({person.id}) is {person.role} now, and is told at {person.email or person.phone}.")


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
    """Give the person with this EMAIL another ROLE. Ends their sign-ins.

    Also when nobody has proved the address, which is warned of: anybody may have made the account with it.
    """
    person = service.get_person_by_email(email)
    with transaction():
        service.update_person(person.id, {"role": role}, is_operator=True)
    if role != "customer" and not person.is_proved:
        click.echo(f"Nobody has proved yet that {person.email} is theirs. Make sure whose account this is.", err=True)
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


@auth.command("delete")
@click.argument("who")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(who: str, yes: bool) -> None:
    """Delete the person WHO, an id or e-mail address, with all orders, carts, messages and tokens."""
    person = _find(who)
    if not yes:
        click.confirm(f"Delete {person.name} ({person.id}) with all that is theirs?", abort=True)
    with transaction():
        service.delete_customer(person.id, actor=None)
    click.echo(f"{person.name} ({person.id}) is deleted.")


@auth.command("resend-verification")
@click.argument("who")
def resend_verification(who: str) -> None:
    """Send the person WHO, an id or e-mail address, again what is missing to get in."""
    person = _find(who)
    with transaction():
        inviting.resend_verification(person.id)
    click.echo(f"{person.name} ({person.id}) is told again.")


@auth.command("sessions")
@click.argument("who")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def sessions(who: str, as_json: bool) -> None:
    """List where the person WHO, an id or e-mail address, is signed in: the newest 100."""
    found = list_sessions(_find(who).id, before=None, limit=100)
    if as_json:
        print_json(SessionSchema(many=True, exclude=["is_current"]).dump(found))
        return
    rows = [(session.id, session.device, session.created_at, session.last_used_at) for session in found]
    print_table(("id", "device", "signed in", "last used"), rows)


@auth.command("end-sessions")
@click.argument("who")
def end_sessions(who: str) -> None:
    """Sign the person WHO, an id or e-mail address, out everywhere."""
    person = _find(who)
    with transaction():
        service.lock_person(person.id)
        name_subject("customer", person.id)
        end_all_sessions(person.id)
    click.echo(f"{person.name} ({person.id}) is signed out everywhere.")


@auth.command("reset-totp")
@click.argument("who")
def reset_totp(who: str) -> None:
    """Turn off the second factor of the person WHO, an id or e-mail address, and sign them out everywhere.

    For whoever has lost the phone and the recovery codes. Make sure that it is really they who ask.
    """
    person = _find(who)
    with transaction():
        take_off_totp(person.id, actor=None)
    click.echo(f"{person.name} ({person.id}) has no second factor any more.")


@auth.command("reseal")
def reseal() -> None:
    """Seal the secrets of all second factors with SECRET_KEY, so that SECRET_KEY_FALLBACKS can go.

    Safe while people sign in, and to be repeated: a second time it finds nothing to do. Exits with 1 when a secret
    could not be opened with any of the keys.
    """
    resealed, seen, closed = 0, 0, list[int]()
    with click.progressbar(
        length=count_secrets(), label="Sealing", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        for batch in reseal_all():
            resealed, seen = resealed + batch.resealed, seen + batch.seen
            closed += batch.closed
            bar.update(batch.seen)
    click.echo(f"sealed anew: {resealed} as they should be: {seen - resealed - len(closed)} not opened: {len(closed)}")
    if closed:
        people = ", ".join(map(str, closed))
        click.echo(f"No key opens the secrets of these people: {people}. Put the older key back, or see", err=True)
        click.echo("flask auth reset-totp.", err=True)
        sys.exit(1)


def _find(who: str) -> Person:
    """By id or e-mail address; raises PersonNotFoundError."""
    return service.get_person(int(who)) if re.fullmatch("[0-9]{1,18}", who) else service.get_person_by_email(who)


def _set_active(email: str, is_active: bool) -> None:
    person = service.get_person_by_email(email)
    with transaction():
        person = service.update_person(person.id, {"is_active": is_active})
    click.echo(f"{person.email} is {_state(person)} now.")


def _state(person: Person) -> str:
    return "active" if person.is_active else "deactivated"
