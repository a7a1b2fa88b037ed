"""The routes of /auth/users: admins look after people."""

from typing import Any

from flask import Response, jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth import service
from grocery.auth.access import admin_required, current_person, current_token
from grocery.auth.codes.confirming import confirm_person
from grocery.auth.inviting import create_user as make_user
from grocery.auth.inviting import resend_verification as send_again
from grocery.auth.people import Person
from grocery.auth.schemas import ConfirmSchema, CreateUserSchema, CustomerSchema, UpdateUserSchema, UserArgsSchema
from grocery.auth.second_factor.resetting import take_off_totp
from grocery.auth.views import CUSTOMER_EXAMPLE
from grocery.db import transaction
from grocery.limits import TOO_MANY
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
    good for 3 days. With a phone number alone, its owner signs in with `POST /auth/otp` within 3 days, and proves the
    number by that.
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
@blp.problems(
    _409=f"Nobody has proved the address of the account, which may be a stranger's: `unverified`. {_LAST_ADMIN}"
)
@blp.arguments(UpdateUserSchema, example={"role": "staff"})
@blp.response(200, CustomerSchema, example={**CUSTOMER_EXAMPLE, "role": "staff"})
def update_user(body: dict[str, Any], user_id: int) -> Person:
    """Change a person's role or name, or deactivate them

    Another role takes effect at once. It, and `"is_active": false`, end all sign-ins of the person; the latter voids
    all codes, tokens and invitations that were sent to them. A higher role needs a verified e-mail address, or without
    one a verified phone, unless it is an invitation that nobody has answered yet.
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


@blp.route("/<int:user_id>/totp", methods=["DELETE"])
@admin_required
@blp.found_first(_find_user)
@blp.problems(
    _403="The password is wrong (`wrong_password`), or there is none and the sign-in is not fresh (`sign_in_again`).",
    _409="There is no second factor (`totp_off`), or it is one's own (`own_account`).",
    _429=TOO_MANY,
)
@blp.problems(_422="A field is not valid, or `password` is missing: it is needed to confirm this.")
@blp.arguments(ConfirmSchema, example={"password": "correct horse battery"})
@blp.response(204, description="The person signs in without a code, and is told.")
def reset_user_totp(body: dict[str, Any], user_id: int) -> ResponseReturnValue:
    """Take off a person's second factor

    For whoever has lost the phone and the recovery codes: make sure that it is really they who ask. All of their
    sign-ins end. One's own goes with `DELETE /auth/totp`; the only admin needs the operator.
    """
    admin = current_person()
    confirm_person(admin, current_token(), body["password"])
    with transaction():
        take_off_totp(user_id, admin)
    return Response(status=204)


@blp.route("/<int:user_id>/resend-verification", methods=["POST"])
@admin_required
@blp.problems(
    _409="All is verified already (`already_verified`), or the person is deactivated (`deactivated`), or has no address"
    " at all (`unreachable`), or another account signs in with the phone (`phone_taken`).",
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
