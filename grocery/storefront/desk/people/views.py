"""The lists of customers and of staff, and accounts that admins make for others."""

from collections.abc import Mapping

from flask import Response
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth import service
from grocery.auth.access import admin_required
from grocery.auth.desk_reading import read_ways_in
from grocery.auth.inviting import create_user as make_user
from grocery.auth.schemas import CreateUserSchema, UserArgsSchema
from grocery.db import transaction
from grocery.paging import cut_page, decode_id, encode_cursor
from grocery.storefront.desk.dates import dated, stamped
from grocery.storefront.desk.filters import first_address, next_address, read_filters
from grocery.storefront.desk.forms import load, text_or_none, written
from grocery.storefront.desk.people.blueprint import blp
from grocery.storefront.desk.people.words import PROBLEMS, ROLES, problems_of
from grocery.storefront.pages import go, render, say


@blp.get("/customers")
@admin_required
def list_customers() -> Response:
    """Everybody with an account, the newest first."""
    filters, errors = read_filters(UserArgsSchema())
    before_id, limit = decode_id(filters.pop("cursor")), filters.pop("limit")
    found = service.list_people(**filters, before_id=before_id, limit=limit + 1)
    people, cursor = cut_page(found, limit, lambda person: encode_cursor(person.id))
    return render(
        "desk/people/customers.html",
        people=people,
        filters=filters,
        errors=errors,
        roles=ROLES,
        dated=dated,
        next_address=next_address(cursor),
        first_address=first_address(),
    )


@blp.get("/staff")
@admin_required
def list_staff() -> Response:
    """Admins and staff, with how safely they sign in."""
    people = [*service.list_people(role="admin"), *service.list_people(role="staff")]
    ways_in = read_ways_in([person.id for person in people])
    return render("desk/people/staff.html", people=people, ways_in=ways_in, roles=ROLES, stamped=stamped)


@blp.get("/customers/new", defaults={"role": "customer"})
@blp.get("/staff/new", defaults={"role": "staff"})
@admin_required
def show_new_person(role: str) -> Response:
    return _new_person_page(role, {})


@blp.post("/customers/new", defaults={"role": "customer"})
@blp.post("/staff/new", defaults={"role": "staff"})
@admin_required
def create_user(role: str) -> AnyResponse:
    """Make an account; its owner is told how to get in."""
    try:
        body = load(CreateUserSchema(), {name: text_or_none(name) for name in ("name", "email", "phone", "role")})
        with transaction():
            person = make_user(**body)
    except PROBLEMS as error:
        page = _new_person_page(role, problems_of(error))
        page.status_code = 422
        return page
    way = gettext("an e-mail") if person.email else gettext("an SMS")
    say(gettext("%(name)s has an account, and %(way)s that tells how to get in.", name=person.name, way=way))
    return go("desk_people.show_person", user_id=person.id)


def _new_person_page(role: str, errors: Mapping[str, str]) -> Response:
    values = {name: written(name) for name in ("name", "email", "phone")}
    values["role"] = written("role") or role
    return render("desk/people/new.html", values=values, errors=errors, roles=ROLES, is_staff=role == "staff")
