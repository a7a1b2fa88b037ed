"""One person: what the shop knows, and what admins may do."""

from collections.abc import Callable, Mapping

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth import service
from grocery.auth.access import admin_required, current_person, current_token
from grocery.auth.codes.confirming import confirm_person
from grocery.auth.desk_reading import read_ways_in
from grocery.auth.errors import OwnAccountError
from grocery.auth.inviting import resend_verification as send_again
from grocery.auth.people import Person
from grocery.auth.schemas import UpdateUserSchema
from grocery.auth.second_factor.resetting import take_off_totp
from grocery.auth.sessions import list_sessions
from grocery.auth.sign_outs import sign_out_person
from grocery.db import reader, transaction
from grocery.notify.outbox import list_notifications
from grocery.orders.access import current_actor
from grocery.orders.reading import list_orders
from grocery.storefront.desk.dates import dated, stamped
from grocery.storefront.desk.forms import is_ticked, load, written, yes_or_no
from grocery.storefront.desk.notifications.words import STATES, event_words, state_tag
from grocery.storefront.desk.people.blueprint import blp
from grocery.storefront.desk.people.words import NOTIFY_BY, PROBLEMS, ROLES, problem_of, problems_of
from grocery.storefront.desk.words import status_words
from grocery.storefront.pages import go, refused, render, say

#: Of each kind of thing, the newest.
_SHOWN = 10


@blp.get("/customers/<int:user_id>")
@admin_required
def show_person(user_id: int) -> Response:
    return _person_page(service.get_person(user_id), {})


@blp.post("/customers/<int:user_id>/role")
@admin_required
def set_role(user_id: int) -> AnyResponse:
    """Another role takes effect at once, and ends all sign-ins of the person."""

    def change() -> str:
        person = service.update_person(user_id, load(UpdateUserSchema(), {"role": written("role")}))
        return gettext("%(name)s is now: %(role)s.", name=person.name, role=ROLES[person.role])

    return _do(user_id, change)


@blp.post("/customers/<int:user_id>/active")
@admin_required
def set_active(user_id: int) -> AnyResponse:
    """Block an account, or let it in again."""

    def change() -> str:
        is_active = yes_or_no("is_active")
        person = service.update_person(user_id, {"is_active": is_active})
        if is_active:
            return gettext("%(name)s can sign in again.", name=person.name)
        return gettext("%(name)s cannot sign in any more, and was signed out everywhere.", name=person.name)

    return _do(user_id, change)


@blp.post("/customers/<int:user_id>/resend-verification")
@admin_required
def resend_verification(user_id: int) -> AnyResponse:
    def send() -> str:
        send_again(user_id)
        return gettext("The message is on its way. What was sent before is void.")

    return _do(user_id, send)


@blp.post("/customers/<int:user_id>/sign-out")
@admin_required
def end_sessions(user_id: int) -> AnyResponse:
    def end() -> str:
        sign_out_person(user_id)
        return gettext("Signed out on all devices.")

    return _do(user_id, end)


@blp.post("/customers/<int:user_id>/second-factor")
@admin_required
def reset_user_totp(user_id: int) -> AnyResponse:
    """Take off a second factor; with one's own password, since a sign-in may be a stolen one."""
    person, admin = service.get_person(user_id), current_person()
    try:
        confirm_person(admin, current_token(), request.form.get("password") or None)
        with transaction():
            take_off_totp(user_id, admin)
    except PROBLEMS as error:
        page = _person_page(person, problems_of(error))
        page.status_code = 422
        return page
    say(gettext("The second factor is off. %(name)s was signed out everywhere, and told.", name=person.name))
    return go("desk_people.show_person", user_id=user_id)


@blp.get("/customers/<int:user_id>/delete")
@admin_required
def ask_to_delete(user_id: int) -> Response:
    return _delete_page(service.get_person(user_id), {})


@blp.post("/customers/<int:user_id>/delete")
@admin_required
def delete_user(user_id: int) -> AnyResponse:
    """Erase a person for good. One's own account goes where the password is asked for."""
    person, admin = service.get_person(user_id), current_person()
    try:
        if user_id == admin.id:
            raise OwnAccountError
        if not is_ticked("is_sure"):
            return refused(_delete_page(person, {"is_sure": gettext("Tick this to go on.")}))
        with transaction():
            service.delete_customer(user_id, actor=admin)
    except PROBLEMS as error:
        return refused(_delete_page(person, {"is_sure": problem_of(error)}))
    say(gettext("The account of %(name)s is deleted.", name=person.name))
    return go("desk_people.list_customers")


def _do(user_id: int, action: Callable[[], str]) -> AnyResponse:
    """Do something in a transaction, and say on the person's page how it went."""
    try:
        with transaction():
            done = action()
    except PROBLEMS as error:
        say(problem_of(error), "bad")
    else:
        say(done)
    return go("desk_people.show_person", user_id=user_id)


def _person_page(person: Person, errors: Mapping[str, str]) -> Response:
    with reader() as connection:
        orders, _ = list_orders(connection, current_actor(), limit=_SHOWN, cursor=None, customer_id=person.id)
    return render(
        "desk/people/person.html",
        customer=person,
        ways_in=read_ways_in([person.id])[person.id],
        orders=orders,
        messages=list_notifications(customer_id=person.id, limit=_SHOWN),
        sessions=list_sessions(person.id, before=None, limit=_SHOWN),
        is_own=person.id == current_person().id,
        errors=errors,
        roles=ROLES,
        notify_by=NOTIFY_BY,
        dated=dated,
        stamped=stamped,
        states=STATES,
        event_words=event_words,
        state_tag=state_tag,
        status_words=status_words,
    )


def _delete_page(person: Person, errors: Mapping[str, str]) -> Response:
    with reader() as connection:
        in_transit, _ = list_orders(
            connection, current_actor(), limit=1, cursor=None, customer_id=person.id, status="shipped"
        )
    return render(
        "desk/people/delete.html",
        customer=person,
        in_transit=in_transit,
        is_own=person.id == current_person().id,
        errors=errors,
    )
