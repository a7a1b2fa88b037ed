"""Placing the order of a form: through the same service as the API, once for each form however often it is sent."""

from contextlib import suppress
from typing import Any

from marshmallow import ValidationError

from grocery.auth.people import Person
from grocery.db import reader, transaction
from grocery.errors import ConflictError, InvalidError
from grocery.limits import limit
from grocery.orders.cart.drafts import clear_draft
from grocery.orders.cart.service import CartOwner
from grocery.orders.delivery.addresses import create_address, list_addresses
from grocery.orders.delivery.schemas import WriteAddressSchema
from grocery.orders.delivery.zones import list_zones
from grocery.orders.errors import RequestInProgressError
from grocery.orders.idempotency import find_order_id, make_key
from grocery.orders.placing import Wish, place_order
from grocery.storefront.checkout.fields import Values, is_key
from grocery.storefront.checkout.order import load_order, order_body

# Each try waits a tenth of a second for the first tap's order.
_TRIES = 30


def place(person: Person, owner: CartOwner, sent: Values, seen: tuple[str, ...]) -> int:
    """Place the order that the form asks for; its id. Of a form sent twice, the same one.

    `seen` are the amounts that were shown. Raises FieldError, ValidationError, TooManyRequestsError, and what
    `place_order` raises.
    """
    limit("RATE_LIMIT_ORDERS", "orders", str(person.id))
    with reader() as connection:
        addresses, zones = list_addresses(connection, person.id), list_zones(connection)
    body = order_body(sent, addresses, zones, seen)
    wish = Wish(owner.source, **load_order(body))
    key = make_key(sent["key"] if is_key(sent.get("key", "")) else None, body)
    for tries_left in reversed(range(_TRIES)):
        try:
            with transaction() as session:
                order_id = place_order(session, person, wish, key).order_id
                clear_draft(session, owner)
                break
        except RequestInProgressError:
            if not tries_left:
                raise
    _keep_place(person, body["delivery"], addresses)
    return order_id


def check(sent: Values, seen: tuple[str, ...] | None) -> None:
    """Raise FieldError or ValidationError for what a visitor has to mend, before anybody is asked who they are."""
    with reader() as connection:
        zones = list_zones(connection)
    load_order(order_body(sent, [], zones, seen))


def find_placed(person: Person, sent: Values) -> int | None:
    """The order that this form has placed already."""
    with reader() as connection:
        return find_order_id(connection, person.id, sent.get("key", ""))


def _keep_place(person: Person, delivery: dict[str, Any] | None, addresses: list[dict[str, Any]]) -> None:
    """Save a place that is new, for the next order. The order is placed: nothing here may fail it."""
    if delivery is None or "address_id" in delivery:
        return
    place = {name: delivery.get(name) for name in ("landmark", "address", "zone_id", "phone")}
    with suppress(ValidationError, ConflictError, InvalidError):
        values = WriteAddressSchema().load({**place, "is_default": not addresses})
        if not any(_is_same(values, address) for address in addresses):
            with transaction() as session:
                create_address(session, person.id, values)


def _is_same(values: dict[str, Any], address: dict[str, Any]) -> bool:
    return all(values[name] == address[name] for name in ("landmark", "address", "zone_id"))
