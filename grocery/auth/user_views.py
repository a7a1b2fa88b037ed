"""The routes of /auth/users: admins look after people."""

from typing import Any

from flask import Response, jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth import service
from grocery.auth.access import admin_required, current_person
from grocery.auth.inviting import create_user as make_user
from grocery.auth.inviting import resend_verification as send_again
from grocery.auth.people import Person
from grocery.auth.schemas import CreateUserSchema, CustomerSchema, UpdateUserSchema, UserArgsSchema
from grocery.auth.views import CUSTOMER_EXAMPLE
from grocery.db import transaction
from grocery.paging import NEXT_LINK, add_next_link, decode_cursor, encode_cursor

blp = Blueprint("users", __name__, url_prefix="/auth/users", description="People and their roles, for admins.")

_NEW_USER_EXAMPLE = {
    **CUSTOMER_EXAMPLE,
    "name": "Otieno",
    "email": "otieno@shop.example",
    "phone": None,
    "role": "staff",
}
_LAST_ADMIN = "No active admin would be left: `last_admin`."


@blp.route("")
@admin_required
@blp.problems(_422="A filter, `limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(UserArgsSchema, location="query")
@blp.response(
    200, CustomerSchema(many=True), description="The newest first.", headers=NEXT_LINK, example=[CUSTOMER_EXAMPLE]
)
def list_users(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List people

    The next page stands in the header `Link`.
    """
    cursor, limit = arguments.pop("cursor"), arguments.pop("limit")
    before_id = decode_cursor(cursor, int)[0] if cursor is not None else None
    people = service.list_people(**arguments, before_id=before_id, limit=limit + 1)
    page = people[:limit]
    next_cursor = encode_cursor(page[-1].id) if len(people) > limit else None
    return add_next_link(jsonify(CustomerSchema(many=True).dump(page)), next_cursor)


@blp.route("", methods=["POST"])
@admin_required
@blp.problems(
    _409="The e-mail address has an account (`email_taken`), or the phone signs in to one (`phone_taken`).",
    _429="Too many codes and tokens went to this address today: `code_budget_used_up`.",
)
@blp.problems(_422="A field is not valid, `phone` is no number, or there is neither it nor `email`.")
@blp.arguments(CreateUserSchema, example={"name": "Otieno", "email": "otieno@shop.example", "role": "staff"})
@blp.response(201, CustomerSchema, description="The new person.", example=_NEW_USER_EXAMPLE)
def create_user(body: dict[str, Any]) -> Person:
    """Make an account for somebody

    It has no password. With an e-mail address, a mail brings a token to choose one with `POST /auth/password/reset`,
    good for 3 days. With a phone number alone, its owner signs in with `POST /auth/otp`.
    """
    with transaction():
        return make_user(**body)


@blp.route("/<int:user_id>")
@admin_required
@blp.response(200, CustomerSchema, example=CUSTOMER_EXAMPLE)
def get_user(user_id: int) -> Person:
    """Read a person"""
    return service.get_person(user_id)


def _find_user(user_id: int) -> None:
    service.get_person(user_id)


@blp.route("/<int:user_id>", methods=["PATCH"])
@admin_required
@blp.found_first(_find_user)
@blp.problems(_409=_LAST_ADMIN)
@blp.arguments(UpdateUserSchema, example={"role": "staff"})
@blp.response(200, CustomerSchema, example={**CUSTOMER_EXAMPLE, "role": "staff"})
def update_user(body: dict[str, Any], user_id: int) -> Person:
    """Change a person's role or name, or deactivate them

    Another role takes effect at once. It, and `"is_active": false`, end all sign-ins of the person.
    """
    with transaction():
        return service.update_person(user_id, body)


@blp.route("/<int:user_id>", methods=["DELETE"])
@admin_required
@blp.problems(_409=f"An order is on its way: `order_in_transit`. {_LAST_ADMIN}")
@blp.response(204, description="The person is gone.")
def delete_user(user_id: int) -> ResponseReturnValue:
    """Delete a person

    With them go their orders, carts, messages and tokens. Orders that are not on their way yet are cancelled first.
    """
    with transaction():
        service.delete_customer(user_id, actor=current_person())
    return Response(status=204)


@blp.route("/<int:user_id>/resend-verification", methods=["POST"])
@admin_required
@blp.problems(
    _409="All is verified already (`already_verified`), or the person is deactivated (`deactivated`), or has no address"
    " at all (`unreachable`).",
    _422="What is not verified is the number of no mobile phone.",
    _429="Too many codes and tokens went to this address today: `code_budget_used_up`.",
)
@blp.response(202, description="A message is on its way.")
def resend_verification(user_id: int) -> ResponseReturnValue:
    """Send a person again what is missing to get in

    The invitation to whoever has not chosen a password yet; else a token to the e-mail address, or a code to the phone,
    that is not verified. What was sent before is void.
    """
    with transaction():
        send_again(user_id)
    return Response(status=202)
