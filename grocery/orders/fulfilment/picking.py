"""Picking: what really goes into the bag. Weights, short picks and substitutes change the order at once.

The customer is not told of every step: what has changed is told in one message when the order is packed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.errors import InvalidError
from grocery.fields import quantity_number
from grocery.orders.actors import Actor
from grocery.orders.basket import BasketLine, Item, Source, read_basket
from grocery.orders.changing import list_lines
from grocery.orders.editing import drop_lines, find_line, insert_line, open_order, substitutes_of
from grocery.orders.fulfilment.errors import (
    ImplausibleWeightError,
    NeedsApprovalError,
    PickedTooMuchError,
    SubstituteError,
)
from grocery.orders.fulfilment.weights import is_above_ceiling, is_plausible, substitute_price
from grocery.orders.lines import quantity_of
from grocery.orders.lots import sum_quantities
from grocery.orders.quote import make_quote
from grocery.orders.reading import order_json
from grocery.orders.repricing import held_terms, list_discounts, price_line, reprice
from grocery.products.errors import OutOfStockError, ProductUnavailableError, Shortage
from grocery.products.inventory.correcting import correct_stock, count_stock
from grocery.products.stock import lock_stock, return_stock, take_stock

NOT_FOUND, DAMAGED = "not_found", "damaged"

#: Why less was picked: it is not on the shelf, it is spoiled, or the customer does not want all of it.
SHORT_REASONS = (NOT_FOUND, DAMAGED, "unwanted")

_PICK = text("""
    UPDATE order_lines SET picked_quantity = :picked, short_reason = :reason, picked_at = now(), picker_id = :picker_id
    WHERE id = :line_id
""")

_RISKS = text("SELECT allergens, is_age_restricted FROM products WHERE id = :product_id")


@dataclass(frozen=True)
class Pick:
    """What a picker has put into the bag; with `substitute_product_id` it is of that product.

    `reason` says why less was there than ordered. `approved`: the customer has said yes.
    """

    quantity: Decimal
    substitute_product_id: int | None = None
    reason: str | None = None
    approved: bool = False


def pick_line(
    session: Session, order_id: int, line_id: int, pick: Pick, actor: Actor, *, version: int | None
) -> dict[str, Any]:
    """Note what was picked for a line; the order as JSON-ready data. The same pick again changes nothing.

    Raises OrderNotFoundError, LineNotFoundError, StaleError, EditConflictError, NotEditableError, PickedTooMuchError,
    ImplausibleWeightError, NeedsApprovalError, SubstituteError, ProductUnavailableError, OutOfStockError, and
    InvalidError for a part of a piece.
    """
    order, _customer, lines = open_order(session, order_id, version)
    line = find_line(lines, line_id)
    picking = _substitute if pick.substitute_product_id else _take
    changed, move_stock = picking(session, line, lines, pick, actor)
    if changed is None:
        return order_json(order, lines, list_discounts(session, order_id), is_staff=actor.is_staff)
    repriced, new_lines, discounts = reprice(session, order, list_lines(session, order_id), actor, changed)
    lock_stock([change.product_id for change in move_stock])
    for change in move_stock:
        change.apply(order_id, actor)
    return order_json(repriced, new_lines, discounts, is_staff=actor.is_staff)


@dataclass(frozen=True)
class _StockChange:
    """What picking means for the stock of a product: `more` is taken for the order (below zero: given back).

    `found` comes into the books again before, `damaged` goes out of them after. An `is_empty` shelf has nothing left.
    """

    product_id: int
    more: Decimal
    found: Decimal = Decimal(0)
    damaged: Decimal = Decimal(0)
    is_empty: bool = False

    def apply(self, order_id: int, actor: Actor) -> None:
        if self.found:
            correct_stock(self.product_id, self.found, reason="counted", actor_id=actor.id, note="Found when picking")
        if self.more > 0:
            take_stock({self.product_id: self.more}, order_id=order_id, actor_id=actor.id)
        elif self.more < 0:
            return_stock({self.product_id: -self.more}, order_id=order_id, actor_id=actor.id)
        if self.damaged:
            correct_stock(self.product_id, -self.damaged, reason="damaged", actor_id=actor.id, note="When picking")
        if self.is_empty:
            count_stock(self.product_id, Decimal(0), actor_id=actor.id, note="Not found when picking")


_Outcome = tuple[dict[str, Any] | None, Sequence[_StockChange]]


def _take(session: Session, line: Row, lines: Sequence[Row], pick: Pick, actor: Actor) -> _Outcome:
    """Put so much of the line's own product into the bag; with more of it, what stood in for it is put back."""
    _check_quantity(line, pick)
    is_short = pick.quantity < line["quantity"]
    reason = pick.reason if is_short else None
    if line["picked_quantity"] == pick.quantity and line["short_reason"] == reason:
        return None, ()
    needless = substitutes_of(line, lines) if pick.quantity > quantity_of(line) else []
    dropped = drop_lines(session, needless)
    session.execute(_PICK, {"line_id": line["id"], "picked": pick.quantity, "reason": reason, "picker_id": actor.id})
    entry = {
        "name": line["name"],
        "ordered": quantity_number(line["quantity"]),
        "picked": quantity_number(pick.quantity),
        "reason": reason,
    }
    stock_change = _stock_change(line, pick.quantity, reason)
    return {"picked": [entry], **dropped}, _in_order([*_put_back(needless), stock_change])


def _stock_change(line: Row, picked: Decimal, reason: str | None) -> _StockChange:
    """What another pick of a line means for the stock, after what an earlier one may have written off."""
    more = picked - quantity_of(line)
    if more == 0 and line["short_reason"] == reason:
        return _StockChange(line["product_id"], more)
    missed = line["quantity"] - quantity_of(line)
    damaged = line["quantity"] - picked if reason == DAMAGED else Decimal(0)
    found = Decimal(0)
    if line["short_reason"] == DAMAGED:
        found, damaged = max(missed - damaged, Decimal(0)), max(damaged - missed, Decimal(0))
    elif line["short_reason"] == NOT_FOUND:
        found = max(more, Decimal(0)) if reason == NOT_FOUND else missed
    return _StockChange(line["product_id"], more, found, damaged, is_empty=reason == NOT_FOUND)


def _substitute(session: Session, line: Row, lines: Sequence[Row], pick: Pick, actor: Actor) -> _Outcome:
    """Put another product into the bag for what is missing of the line; an earlier substitute is put back."""
    if line["substitute_for"] is not None:
        raise SubstituteError("This line is a substitute itself. Choose another one for the line that it is for.")
    earlier = substitutes_of(line, lines)
    substitute = _find_substitute(session, line, earlier, pick)
    kept = line["picked_quantity"] or Decimal(0)
    missing = line["quantity"] - kept
    if missing <= 0:
        raise SubstituteError("Nothing of this line is missing.")
    if line["unit"] == substitute.price.unit == "kg" and not is_plausible(missing, pick.quantity):
        raise ImplausibleWeightError
    _check_risks(session, line, substitute, pick)
    reason = pick.reason or line["short_reason"]
    is_there = any(
        one["product_id"] == substitute.item.product_id and quantity_of(one) == pick.quantity for one in earlier
    )
    if is_there and reason == line["short_reason"]:
        return None, ()
    drop_lines(session, earlier)
    session.execute(_PICK, {"line_id": line["id"], "picked": kept, "reason": reason, "picker_id": actor.id})
    missing_cents = _price_of_missing(session, line, lines, substitute, missing)
    price = substitute_price(substitute.price.unit_price_cents, pick.quantity, missing_cents)
    new_id = insert_line(session, line["order_id"], substitute, unit_price_cents=price, substitute_for=line["id"])
    session.execute(_PICK, {"line_id": new_id, "picked": pick.quantity, "reason": None, "picker_id": actor.id})
    changed = {
        "substituted": [
            {"name": line["name"], "by": substitute.name, "quantity": quantity_number(pick.quantity)},
        ]
    }
    return changed, _in_order(
        [
            *_put_back(earlier),
            _stock_change(line, kept, reason),
            _StockChange(substitute.item.product_id, pick.quantity),
        ]
    )


def _put_back(substitutes: Sequence[Row]) -> list[_StockChange]:
    return [_StockChange(one["product_id"], -quantity_of(one)) for one in substitutes]


def _price_of_missing(
    session: Session, line: Row, lines: Sequence[Row], substitute: BasketLine, missing: Decimal
) -> int:
    """What the missing part of a line would have cost.

    Promotions that are for the line and not for its substitute are taken off here; all others are taken off the
    substitute when the order is priced anew.
    """
    held = held_terms(list_discounts(session, line["order_id"]))
    own = [terms for terms in held if terms.is_for_lines and not terms.is_for(substitute.price)]
    in_full = [{**one, "picked_quantity": None} if one["id"] == line["id"] else one for one in lines]
    quote = make_quote([price_line(one) for one in in_full], own)
    quoted = quote.lines[[one["id"] for one in lines].index(line["id"])]
    return int(quoted.net_cents * missing / line["quantity"])


def _in_order(changes: Sequence[_StockChange]) -> list[_StockChange]:
    """By product; what is given back comes before what is taken of the same."""
    return sorted(changes, key=lambda change: (change.product_id, change.more))


def _check_quantity(line: Row, pick: Pick) -> None:
    if line["unit"] == "each":
        if pick.quantity % 1:
            message = "Must be a whole number: the product is sold by piece."
            raise InvalidError(message, errors={"picked_quantity": [message]})
        if pick.quantity > line["quantity"]:
            raise PickedTooMuchError(quantity_number(line["quantity"]))
    elif line["substitute_for"] is not None and pick.quantity > line["quantity"]:
        # Its price was made for this quantity: more of it could cost more than what it stands in for.
        raise PickedTooMuchError(quantity_number(line["quantity"]))
    elif not is_plausible(line["quantity"], pick.quantity):
        raise ImplausibleWeightError
    elif is_above_ceiling(line["quantity"], pick.quantity) and not pick.approved:
        raise NeedsApprovalError(["over_ceiling"])


def _find_substitute(session: Session, line: Row, earlier: Sequence[Row], pick: Pick) -> BasketLine:
    if not pick.quantity:
        message = "How much of the substitute?"
        raise InvalidError(message, errors={"picked_quantity": [message]})
    if pick.substitute_product_id == line["product_id"]:
        raise SubstituteError("It is the same product.")
    found = read_basket(session, Source([Item(pick.substitute_product_id or 0, pick.quantity)])).lines
    if not found:
        raise SubstituteError("Unknown product.")
    substitute = found[0]
    if substitute.price.unit == "each" and pick.quantity % 1:
        message = "Must be a whole number: the product is sold by piece."
        raise InvalidError(message, errors={"picked_quantity": [message]})
    if not substitute.is_active:
        raise ProductUnavailableError([substitute.item.product_id])
    # What is in the bag already goes back before.
    held = sum_quantities(earlier).get(substitute.item.product_id, Decimal(0))
    if (available := substitute.stock + held) < pick.quantity:
        raise OutOfStockError([Shortage(substitute.item.product_id, substitute.name, pick.quantity, available)])
    return substitute


def _check_risks(session: Session, line: Row, substitute: BasketLine, pick: Pick) -> None:
    """Raise NeedsApprovalError where a customer could mind: by their wish, allergens, or age."""
    if pick.approved:
        return
    original = session.execute(_RISKS, {"product_id": line["product_id"]}).mappings().one_or_none()
    other: Mapping[Any, Any] = session.execute(_RISKS, {"product_id": substitute.item.product_id}).mappings().one()
    known: Mapping[Any, Any] = original or {"allergens": [], "is_age_restricted": False}
    reasons = []
    if line["if_unavailable"] != "substitute":
        reasons.append(f"wish_is_{line['if_unavailable']}")
    reasons += [f"allergen:{allergen}" for allergen in sorted(set(other["allergens"]) - set(known["allergens"]))]
    if other["is_age_restricted"] and not known["is_age_restricted"]:
        reasons.append("age_restricted")
    if reasons:
        raise NeedsApprovalError(reasons)
