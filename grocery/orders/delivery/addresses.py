"""The places that a customer has saved. Commits nothing."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.errors import UnauthenticatedError
from grocery.orders.delivery.errors import AddressNotFoundError, TooManyAddressesError
from grocery.orders.delivery.zones import keep_zone

#: Addresses of a customer.
MAX_ADDRESSES = 20

_LIST = text("SELECT * FROM addresses WHERE customer_id = :customer_id ORDER BY is_default DESC, id DESC")
_ONE = text("SELECT * FROM addresses WHERE id = :address_id AND customer_id = :customer_id")

# Requests of one customer take turns, so that together they keep to the limit and to one default.
_LOCK_CUSTOMER = text("SELECT id FROM customers WHERE id = :customer_id FOR NO KEY UPDATE")
_COUNT = text("SELECT count(*) FROM addresses WHERE customer_id = :customer_id")
_TAKE_DEFAULT = text("""
    UPDATE addresses SET is_default = false, updated_at = now() WHERE customer_id = :customer_id AND is_default
""")

_CREATE = text("""
    INSERT INTO addresses (customer_id, label, zone_id, address, landmark, phone, note, is_default)
    VALUES (:customer_id, :label, :zone_id, :address, :landmark, :phone, :note, :is_default) RETURNING *
""")
_REPLACE = text("""
    UPDATE addresses SET label = :label, zone_id = :zone_id, address = :address, landmark = :landmark, phone = :phone,
           note = :note, is_default = :is_default, updated_at = now()
    WHERE id = :address_id AND customer_id = :customer_id RETURNING *
""")
_DELETE = text("DELETE FROM addresses WHERE id = :address_id AND customer_id = :customer_id RETURNING id")


def list_addresses(connection: Connection, customer_id: int) -> list[dict[str, Any]]:
    """The addresses of a customer as JSON-ready data: the default, then the newest first."""
    return [address_json(row) for row in connection.execute(_LIST, {"customer_id": customer_id}).mappings()]


def get_address(connection: Connection | Session, address_id: int, customer_id: int) -> Row:
    """The address of this customer; raises AddressNotFoundError, also for another customer's."""
    parameters = {"address_id": address_id, "customer_id": customer_id}
    row = connection.execute(_ONE, parameters).mappings().one_or_none()
    if row is None:
        raise AddressNotFoundError(address_id)
    return row


def create_address(session: Session, customer_id: int, values: Mapping[str, Any]) -> Row:
    """Save an address (WriteAddressSchema); as the default, it takes that from the other one.

    Raises InvalidError for an unknown zone, TooManyAddressesError, and UnauthenticatedError for an account that is
    deleted meanwhile.
    """
    _prepare(session, customer_id, values)
    if session.execute(_COUNT, {"customer_id": customer_id}).scalar_one() >= MAX_ADDRESSES:
        raise TooManyAddressesError(MAX_ADDRESSES)
    return session.execute(_CREATE, {**values, "customer_id": customer_id}).mappings().one()


def replace_address(session: Session, address_id: int, customer_id: int, values: Mapping[str, Any]) -> Row:
    """Change an address. Raises AddressNotFoundError, also for another customer's; else as `create_address`."""
    _prepare(session, customer_id, values)
    parameters = {**values, "address_id": address_id, "customer_id": customer_id}
    row = session.execute(_REPLACE, parameters).mappings().one_or_none()
    if row is None:
        raise AddressNotFoundError(address_id)
    return row


def delete_address(session: Session, address_id: int, customer_id: int) -> None:
    """Forget an address; orders keep their copy. Raises AddressNotFoundError, also for another customer's."""
    if session.execute(_DELETE, {"address_id": address_id, "customer_id": customer_id}).scalar() is None:
        raise AddressNotFoundError(address_id)


def address_json(row: Row) -> dict[str, Any]:
    """A row of `addresses` as its customer sees it."""
    return {
        "id": row["id"],
        "label": row["label"],
        "zone_id": row["zone_id"],
        "address": row["address"],
        "landmark": row["landmark"],
        "phone": row["phone"],
        "note": row["note"],
        "is_default": row["is_default"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def _prepare(session: Session, customer_id: int, values: Mapping[str, Any]) -> None:
    """Let no other request of this customer in, keep the zone, and make room for a new default."""
    if session.execute(_LOCK_CUSTOMER, {"customer_id": customer_id}).scalar() is None:
        raise UnauthenticatedError("This account is gone.")
    if values["zone_id"] is not None:
        keep_zone(session, values["zone_id"])
    if values["is_default"]:
        session.execute(_TAKE_DEFAULT, {"customer_id": customer_id})
