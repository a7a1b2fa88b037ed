"""What staff do with the stock by hand: receive, count, write off. Stock and lots change together."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from grocery.db import db
from grocery.errors import InvalidError, UnauthenticatedError
from grocery.products.inventory.days import shop_today
from grocery.products.inventory.errors import InsufficientLotError
from grocery.products.inventory.lots import allot, lock_lot, lock_lots, receive_lot, take_from_lots
from grocery.products.stock import Part, adjust_stock, check_quantity, lock_product

_LOCK_ACTOR = text("SELECT id FROM customers WHERE id = :actor_id FOR KEY SHARE")


def change_stock(product_id: int, body: Mapping[str, Any], *, actor_id: int | None) -> dict[str, Any]:
    """Do what a body of ChangeStockSchema says; answers the stock now, and the lot that was made.

    Raises what the functions below raise, and UnauthenticatedError for an account that is deleted meanwhile.
    """
    lock_actor(actor_id)
    noted: dict[str, Any] = {"actor_id": actor_id, "note": body.get("note")}
    if "quantity" in body:
        count_stock(product_id, body["quantity"], **noted)
        return {"product_id": product_id, "stock": body["quantity"]}
    if "lot" in body:
        stock, lot_id = receive_stock(product_id, body["delta"], lot=body["lot"], **noted)
        return {"product_id": product_id, "stock": stock, "lot_id": lot_id}
    changes: dict[str, Any] = {"reason": body["reason"], "lot_id": body.get("lot_id"), **noted}
    return {"product_id": product_id, "stock": correct_stock(product_id, body["delta"], **changes)}


def receive_stock(
    product_id: int,
    quantity: Decimal,
    *,
    lot: Mapping[str, Any] | None,
    actor_id: int | None,
    note: str | None = None,
) -> tuple[Decimal, int | None]:
    """Add what was delivered, as a lot (`code`, `expires_on`) if it is one; answers the new stock and the lot's id.

    Raises ProductNotFoundError, and InvalidError for a lot that has expired, a part of a piece or too much.
    """
    if lot is None:
        return adjust_stock(product_id, quantity, reason="received", actor_id=actor_id, note=note), None
    _check_date(lot["expires_on"])
    lock_product(product_id)
    values: dict[str, Any] = {"code": lot["code"], "expires_on": lot["expires_on"]}
    lot_id = receive_lot(product_id, quantity, **values, actor_id=actor_id)
    parts = [Part(quantity, lot_id)]
    stock = adjust_stock(product_id, quantity, reason="received", actor_id=actor_id, note=note, parts=parts)
    return stock, lot_id


def correct_stock(
    product_id: int,
    delta: Decimal,
    *,
    reason: str,
    actor_id: int | None,
    note: str | None = None,
    lot_id: int | None = None,
) -> Decimal:
    """Add `delta` to the stock (negative: take away); answers the new stock.

    What goes is taken from the lot `lot_id`, else from the lots that expire first, as far as they reach. Raises
    ProductNotFoundError, InsufficientStockError, InsufficientLotError, and InvalidError for another product's lot, a
    part of a piece or too much.
    """
    noted: dict[str, Any] = {"reason": reason, "actor_id": actor_id, "note": note}
    if delta > 0:
        return adjust_stock(product_id, delta, **noted)
    lock_product(product_id)
    taken = allot(lock_lots([product_id]), -delta) if lot_id is None else _from_lot(product_id, lot_id, -delta)
    stock = adjust_stock(product_id, delta, **noted, parts=_parts(delta, taken))
    take_from_lots(taken)
    return stock


def count_stock(product_id: int, quantity: Decimal, *, actor_id: int | None, note: str | None = None) -> Decimal:
    """Set the stock to what was counted and note the difference, if there is one; answers the stock before.

    What is missing is taken from the lots that expire first. Raises ProductNotFoundError, and InvalidError for a part
    of a piece. `quantity` must be from 0 to MAX_STOCK.
    """
    product = lock_product(product_id)
    check_quantity(product.unit, quantity, "quantity")
    if quantity != product.stock:
        correct_stock(product_id, quantity - product.stock, reason="counted", actor_id=actor_id, note=note)
    return Decimal(product.stock)


def lock_actor(actor_id: int | None) -> None:
    """Before the product: who is noted in the ledger may be about to be deleted, which locks people before products."""
    if actor_id is not None and db.session.execute(_LOCK_ACTOR, {"actor_id": actor_id}).scalar() is None:
        raise UnauthenticatedError("This account is gone.")


def _parts(delta: Decimal, taken: Mapping[int, Decimal]) -> list[Part]:
    """The rows of the ledger: one for each lot, and one for what no lot had."""
    parts = [Part(-quantity, lot_id) for lot_id, quantity in taken.items()]
    rest = delta + sum(taken.values())
    return [*parts, Part(rest)] if rest else parts


def _from_lot(product_id: int, lot_id: int, quantity: Decimal) -> dict[int, Decimal]:
    remaining = lock_lot(product_id, lot_id)
    if remaining is None:
        raise InvalidError("One or more fields are not valid.", errors={"lot_id": ["The product has no such lot."]})
    if remaining < quantity:
        raise InsufficientLotError(remaining)
    return {lot_id: quantity}


def _check_date(expires_on: date | None) -> None:
    if expires_on is not None and expires_on < shop_today():
        detail = f"The lot has expired on {expires_on} already."
        raise InvalidError(detail, errors={"lot": {"expires_on": ["Must not be in the past."]}})
