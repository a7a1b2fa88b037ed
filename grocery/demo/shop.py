"""Filling an empty embedded database with a shop to look at: a Kenyan grocer's catalogue, people and orders.

It sends nothing to anybody, and its passwords are random: a demo shop that is reachable must not be open.
"""

import csv
import json
import os
import secrets
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.auth.people import Person
from grocery.auth.service import register
from grocery.config import Settings
from grocery.db import db, transaction
from grocery.demo.history import delivered_orders
from grocery.demo.people import ORDERS, PEOPLE, STAFF, DemoOrder
from grocery.demo.terms import COUPONS, SYNONYMS, TEMPLATES, ZONE
from grocery.errors import ConflictError
from grocery.orders.actors import Actor
from grocery.orders.basket import Item, Source
from grocery.orders.changing import change_status
from grocery.orders.delivery.schemas import WriteTemplateSchema, WriteZoneSchema
from grocery.orders.delivery.templates import create_template
from grocery.orders.delivery.zones import create_zone
from grocery.orders.placing import Wish, place_order
from grocery.orders.promotions.schemas import WritePromotionSchema
from grocery.orders.promotions.service import create_promotion
from grocery.products.imports.service import import_products
from grocery.products.inventory.days import shop_now
from grocery.products.search.service import add_synonyms

CATALOGUE = Path(__file__).parent / "catalogue.csv"

_OWN_PRODUCTS = text("SELECT EXISTS (SELECT FROM products WHERE sku IS NULL OR sku <> ALL(:skus))")
_PEOPLE = text("SELECT EXISTS (SELECT FROM customers)")
_SKUS = text("SELECT sku, id FROM products WHERE sku = ANY(:skus)")

# As if it had been placed and brought then, step by step; and no worker takes up the order that is to stay pending.
_BACKDATE = (
    text("""
        UPDATE orders SET placed_at = :placed_at, updated_at = :done_at, process_at = NULL,
               delivered_at = CASE WHEN delivered_at IS NOT NULL THEN CAST(:done_at AS timestamptz) END
        WHERE id = :order_id
    """),
    text("""
        UPDATE order_history SET at = :placed_at + (CAST(:done_at AS timestamptz) - :placed_at) * step.share
        FROM (
            SELECT id, (row_number() OVER (ORDER BY id) - 1.0) / greatest(count(*) OVER () - 1, 1) AS share
            FROM order_history WHERE order_id = :order_id
        ) AS step
        WHERE order_history.id = step.id
    """),
    text("UPDATE order_lines SET picked_at = :placed_at WHERE order_id = :order_id AND picked_at IS NOT NULL"),
    text("UPDATE payments SET at = :done_at WHERE order_id = :order_id"),
)


class NotEmptyError(ConflictError):
    def __init__(self) -> None:
        super().__init__("The database is not empty; the demo shop is only for an empty one.", code="not_empty")


def is_empty() -> bool:
    """Whether nobody has put anything into the database. Products of a demo load that was interrupted do not count."""
    skus = [row["sku"] for row in _catalogue()]
    has_people = db.session.execute(_PEOPLE).scalar()
    has_products = db.session.execute(_OWN_PRODUCTS, {"skus": skus}).scalar()
    return not has_people and not has_products


def load_demo(settings: Settings, on_progress: Callable[[int], None] = lambda _bytes_read: None) -> Path:
    """Fill the database; the file in DATA_DIR with the sign-ins. Raises NotEmptyError and changes nothing.

    Interrupted at any moment, it can be repeated: products come first and are known again, people and orders come in
    one transaction.
    """
    if not is_empty():
        raise NotEmptyError
    db.session.rollback()
    import_products(CATALOGUE, strict=True, on_progress=on_progress)
    path = settings.demo_sign_ins
    with transaction() as session:
        passwords = {person.email: secrets.token_urlsafe(9) for person in PEOPLE}
        people = {
            person.email: register(
                name=person.name,
                email=person.email,
                password=passwords[person.email],
                phone=person.phone,
                role=person.role,
                is_operator=True,
            )
            for person in PEOPLE
        }
        _make_terms(session)
        now = shop_now()
        for order in (*delivered_orders(now), *ORDERS):
            _make_order(session, order, people, now)
        session.execute(text("DELETE FROM notifications"))
        _write_privately(path, [vars(person) | {"password": passwords[person.email]} for person in PEOPLE])
    return path


def _make_terms(session: Session) -> None:
    zone = create_zone(session, WriteZoneSchema().load(ZONE))
    schema, now = WriteTemplateSchema(), shop_now()
    for template in TEMPLATES:
        create_template(session, schema.load({**template, "zone_id": zone["id"]}), now)
    for coupon in COUPONS:
        create_promotion(WritePromotionSchema().load(coupon))
    add_synonyms(SYNONYMS)


def _make_order(session: Session, order: DemoOrder, people: dict[str, Person], now: datetime) -> None:
    wish = Wish(
        Source(_items(session, order.items)),
        delivery={"method": "delivery", "landmark": order.landmark} if order.landmark else None,
        note=order.note,
    )
    placed = place_order(session, people[order.email], wish)
    if order.status != "pending":
        staff = people[STAFF.email]
        change_status(session, placed.order_id, order.status, Actor(staff.id, staff.role))
    placed_at = now - order.age
    times = {"order_id": placed.order_id, "placed_at": placed_at, "done_at": placed_at + order.took}
    for statement in _BACKDATE:
        session.execute(statement, times)


def _items(session: Session, quantities: dict[str, Decimal]) -> list[Item]:
    ids = {row.sku: row.id for row in session.execute(_SKUS, {"skus": list(quantities)})}
    return [Item(ids[sku], quantity, "substitute") for sku, quantity in quantities.items()]


def _catalogue() -> list[dict[str, str]]:
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write_privately(path: Path, value: Any) -> None:
    """Write a file that only its owner can read, all of it or nothing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(value, file, indent=2)
    draft.replace(path)
