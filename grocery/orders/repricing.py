"""Pricing an order anew after its lines have changed, under the terms with which it was placed.

Unit prices stay those of the lines. Promotions are those that the order holds, whatever became of them since, and the
delivery costs what it did: what the shop takes out later must not cost the customer a discount or a free delivery. So
minimum baskets are not asked for again, nor are younger promotions given.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery import money
from grocery.db import Row
from grocery.orders.actors import Actor
from grocery.orders.lines import PricedLine, quantity_of
from grocery.orders.promotions.terms import Terms
from grocery.orders.quote import DeliveryTerms, Quote, make_quote
from grocery.orders.tracking.watchers import tell_watchers

_DISCOUNTS = text("SELECT * FROM order_discounts WHERE order_id = :order_id ORDER BY id")

_REPRICE = text("""
    UPDATE order_lines AS line SET line_total_cents = priced.line_total_cents,
           discount_cents = priced.discount_cents, vat_cents = priced.vat_cents
    FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS priced (
        id bigint, line_total_cents bigint, discount_cents bigint, vat_cents bigint
    )
    WHERE line.id = priced.id;
    UPDATE order_discounts AS held SET amount_cents = priced.amount_cents
    FROM jsonb_to_recordset(CAST(:discounts AS jsonb)) AS priced (id bigint, amount_cents bigint)
    WHERE held.id = priced.id;
    WITH repriced AS (
        UPDATE orders SET subtotal_cents = :subtotal_cents, discount_cents = :discount_cents,
               delivery_fee_cents = :delivery_fee_cents, vat_cents = :vat_cents, total_cents = :total_cents,
               version = version + 1, updated_at = now()
        WHERE id = :order_id
        RETURNING *
    ), noted AS (
        INSERT INTO order_history (order_id, event, from_status, status, actor_id, actor_role, changed)
        SELECT id, 'lines', status, status, :actor_id, :actor_role, CAST(:changed AS jsonb) FROM repriced
        RETURNING id
    )
    SELECT repriced.*, noted.id AS history_id FROM repriced, noted
""")

_AMOUNTS = ("subtotal_cents", "discount_cents", "delivery_fee_cents", "vat_cents", "total_cents")


def list_discounts(session: Session, order_id: int) -> list[Row]:
    """The promotions that an order holds, with their terms."""
    return list(session.execute(_DISCOUNTS, {"order_id": order_id}).mappings())


def reprice(
    session: Session, order: Row, lines: Sequence[Row], actor: Actor, changed: Mapping[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    """Price a locked order by its `lines` as they are now, and note in its history what has `changed`.

    Answers the rows of the order (with `history_id`), its lines and its discounts.
    """
    held = list_discounts(session, order["id"])
    quote = make_quote([price_line(line) for line in lines], held_terms(held), _delivery_terms(order))
    new_lines, new_discounts = _with_amounts(lines, held, quote)
    total = {"from": money.to_text(order["total_cents"]), "to": money.to_text(quote.total_cents)}
    parameters = {
        **{name: getattr(quote, name) for name in _AMOUNTS},
        "order_id": order["id"],
        "actor_id": actor.id,
        "actor_role": actor.role,
        "changed": orjson.dumps({**changed, "total": total}).decode(),
        "lines": _as_json(new_lines, "id", "line_total_cents", "discount_cents", "vat_cents"),
        "discounts": _as_json(new_discounts, "id", "amount_cents"),
    }
    row = session.execute(_REPRICE, parameters).mappings().one()
    tell_watchers(order["id"])
    return dict(row), new_lines, new_discounts


def held_terms(discounts: Sequence[Row]) -> list[Terms]:
    """The terms of the promotions that an order holds, as it has earned them."""
    return [Terms.from_json(discount["terms"]).as_held() for discount in discounts]


def price_line(line: Row) -> PricedLine:
    """A line of an order with its own price, for as much of it as counts."""
    return PricedLine(
        unit_price_cents=line["unit_price_cents"],
        quantity=quantity_of(line),
        vat_class=line["vat_class"],
        vat_rate=line["vat_rate"],
        unit=line["unit"],
        product_id=line["product_id"],
        category_ids=frozenset(line["category_ids"]),
    )


def _delivery_terms(order: Row) -> DeliveryTerms:
    price = order["delivery_price_cents"]
    is_free = price > 0 and order["delivery_fee_cents"] == 0
    return DeliveryTerms(price, order["free_from_cents"], is_free)


def _with_amounts(
    lines: Sequence[Row], held: Sequence[Row], quote: Quote
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    amounts = {discount.terms.as_held(): discount.amount_cents for discount in quote.discounts}
    priced_lines = [
        {
            **line,
            "line_total_cents": quoted.line.total_cents,
            "discount_cents": quoted.discount_cents,
            "vat_cents": quoted.vat_cents,
        }
        for line, quoted in zip(lines, quote.lines, strict=True)
    ]
    discounts = [
        {**discount, "amount_cents": amounts.get(Terms.from_json(discount["terms"]).as_held(), 0)} for discount in held
    ]
    return priced_lines, discounts


def _as_json(rows: Sequence[Mapping[str, Any]], *names: str) -> str:
    return orjson.dumps([{name: row[name] for name in names} for row in rows]).decode()
