"""A small shop whose customers and staff do what random histories say."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from flask import current_app

from grocery.auth.people import Person
from grocery.auth.service import delete_customer
from grocery.db import db, reader, transaction
from grocery.errors import GroceryError
from grocery.orders.actors import Actor
from grocery.orders.basket import Item, Source
from grocery.orders.changing import change_status
from grocery.orders.editing import add_line, remove_line, set_line_quantity
from grocery.orders.payments.service import record_payment
from grocery.orders.placing import Wish, place_order
from grocery.orders.promotions.service import delete_promotion
from grocery.orders.reading import get_order
from grocery.orders.states import allowed_statuses, takes_goods
from grocery.products.service import change_product, delete_product
from grocery.products.stock import adjust_stock
from tests.auth.factories import make_customer
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.laws import BROKEN
from tests.orders.promotions.factories import make_promotion
from tests.products.factories import make_category, make_product
from tests.products.ledger import select_rows

CREDITED = "SELECT coalesce(sum(refund_cents), 0) FROM order_returns WHERE order_id = :order_id"

EMPTY = """
    DELETE FROM notifications; DELETE FROM payments; DELETE FROM sales_ledger; DELETE FROM returns_ledger;
    DELETE FROM orders;
    DELETE FROM promotions; DELETE FROM delivery_zones; DELETE FROM products; DELETE FROM customers
"""

STATE = """
    SELECT json_build_object(
        'orders', (SELECT json_object_agg(id, orders ORDER BY id) FROM orders),
        'lines', (SELECT json_agg(line ORDER BY id) FROM order_lines AS line),
        'discounts', (SELECT json_agg(held ORDER BY id) FROM order_discounts AS held),
        'slots', (SELECT json_object_agg(id, slot ORDER BY id) FROM delivery_slots AS slot),
        'promotions', (SELECT json_agg(promotion ORDER BY id) FROM promotions AS promotion),
        'stock', (SELECT json_object_agg(id, stock ORDER BY id) FROM products),
        'payments', (SELECT json_agg(payment ORDER BY id) FROM payments AS payment),
        'ledger', (SELECT json_agg(ledger ORDER BY id) FROM sales_ledger AS ledger),
        'returned', (SELECT json_agg(back ORDER BY return_id, line_id) FROM order_return_lines AS back),
        'written', (SELECT count(*) FROM stock_movements) + (SELECT count(*) FROM order_history)
                   + (SELECT count(*) FROM notifications) + (SELECT count(*) FROM customers)
    )::text
"""


FEE, FREE_FROM, SLOT_FEES = 150_00, 900_00, (0, 49_99)

COUPONS: list[dict[str, Any]] = [
    {"kind": "fixed", "value": Decimal(75), "min_basket_cents": 250_00},
    {"kind": "percent", "value": Decimal("33.33"), "scope": "categories"},
    {"kind": "free_delivery", "value": Decimal(0)},
]


@dataclass(frozen=True)
class Goods:
    """A product of the shop; asked for in so many units of `step`."""

    id: int
    price_cents: int
    step: Decimal
    is_food: bool

    def total_cents(self, quantity: Decimal) -> int:
        return int(self.price_cents * quantity + Decimal("0.5"))


class NothingThereError(Exception):
    """A step has nothing to be about; the history goes on with the next one."""


class Shop:
    """What customers and staff do; what is refused must be refused for the right reason, and change nothing."""

    def __init__(self, coupon: dict[str, Any], stock: int):
        with db.engine.begin() as connection:
            connection.exec_driver_sql(EMPTY)
        self.staff = Actor(make_customer("Njeri", role="staff", password=None).id, "staff")
        self.customers = [self.new_customer() for _ in range(4)]
        self.goods = [
            self.make_goods("Food/Flour/Maize", 100_00, stock, vat_class="zero"),
            self.make_goods("Food/Beans", 45_55, stock),
            self.make_goods("Food/Meat", 120_41, stock, unit="kg", step=Decimal("0.25")),
            self.make_goods("Home", 333_33, stock, vat_class="exempt"),
        ]
        food = [make_category("Food")]
        zone = make_zone(fee_cents=FEE, free_from_cents=FREE_FROM)
        self.slots = [make_slot(zone, hours=24 + 3 * n, capacity=2, fee_cents=fee) for n, fee in enumerate(SLOT_FEES)]
        self.offers = [
            make_promotion(value=Decimal("12.5"), category_ids=food),
            make_promotion(
                kind="buy_x_get_y",
                value=Decimal(0),
                buy_quantity=2,
                get_quantity=1,
                product_ids=[self.goods[0].id, self.goods[1].id],
            ),
        ]
        self.coupon = coupon
        limits = {"code": "SAVE", "usage_limit": 3, "usage_limit_per_customer": 1}
        make_promotion(**coupon, **limits, category_ids=food if coupon["kind"] == "percent" else ())
        self.erased_uses = 0
        self.look()

    def place(
        self, customer: int, wanted: dict[int, int], is_coupon: bool, slot: int | None, is_delivery: bool
    ) -> None:
        person = self.one_of(self.customers, customer)
        asked = {self.one_of(self.goods, index): count for index, count in wanted.items()}
        items = [Item(goods.id, goods.step * count) for goods, count in asked.items()]
        delivery = {"method": "delivery", "address": "Moi Avenue 1", "phone": "+254712345678"} if is_delivery else None
        slot = slot if is_delivery else None
        if delivery and slot is not None:
            delivery["slot_id"] = self.slots[slot]
        wish = Wish(Source(items), "SAVE" if is_coupon else None, delivery)
        subtotal = sum(goods.total_cents(goods.step * count) for goods, count in asked.items())
        fee = FEE + (0 if slot is None else SLOT_FEES[slot]) if is_delivery and subtotal < FREE_FROM else 0
        reason = (
            ("out_of_stock" if any(self.stock_of(item.product_id) < item.quantity for item in items) else None)
            or ("slot_full" if slot is not None and self.is_full(self.slots[slot]) else None)
            or (self.coupon_refusal(person, subtotal, fee, asked) if is_coupon else None)
        )

        def act(session: Any) -> Any:
            return place_order(session, person, wish)

        if placed := self.attempt(act, reason):
            self.assert_read(json.loads(placed.answer), Actor(person.id, "customer"))

    def coupon_refusal(self, person: Person, subtotal: int, fee: int, asked: dict[Goods, int]) -> str | None:
        held = [self.state["orders"][str(one["order_id"])] for one in self.rows("discounts") if one["code"]]
        open_uses = [order for order in held if order["status"] != "cancelled"]
        if len(open_uses) + self.erased_uses >= 3:
            return "coupon_used_up"
        if any(order["customer_id"] == person.id for order in open_uses):
            return "coupon_already_used"
        if subtotal < self.coupon.get("min_basket_cents", 0):
            return "coupon_below_minimum"
        is_fitting = {"fixed": True, "percent": any(goods.is_food for goods in asked), "free_delivery": fee > 0}
        return None if is_fitting[self.coupon["kind"]] else "coupon_not_applicable"

    def add(self, order: int, goods: int, count: int) -> None:
        row, added = self.order(order), self.one_of(self.goods, goods)
        quantity = added.step * count
        reason = (
            self.edit_refusal(row)
            or ("line_exists" if any(line["product_id"] == added.id for line in self.lines(row)) else None)
            or ("out_of_stock" if self.stock_of(added.id) < quantity else None)
        )
        item = Item(added.id, quantity)
        self.attempt_on(row, lambda session: add_line(session, row["id"], item, self.staff, version=None), reason)

    def set_quantity(self, line: int, count: int) -> None:
        changed = self.one_of(self.rows("lines"), line)
        row = self.state["orders"][str(changed["order_id"])]
        step = Decimal("0.25") if changed["unit"] == "kg" else Decimal(1)
        more = Decimal(0) if step * count == changed["quantity"] else step * count - self.held(changed)
        is_short = more > 0 and changed["product_id"] is not None and self.stock_of(changed["product_id"]) < more
        self.attempt_on(
            row,
            lambda session: set_line_quantity(
                session, row["id"], changed["id"], step * count, self.staff, version=row["version"]
            ),
            self.edit_refusal(row) or ("out_of_stock" if is_short else None),
        )

    def remove(self, line: int) -> None:
        removed = self.one_of(self.rows("lines"), line)
        row = self.state["orders"][str(removed["order_id"])]
        is_all = all(removed["id"] in (line["id"], line["substitute_for"]) for line in self.lines(row))
        self.attempt_on(
            row,
            lambda session: remove_line(session, row["id"], removed["id"], self.staff, version=None),
            self.edit_refusal(row) or ("last_line" if is_all else None),
        )

    def move(self, order: int, to: str) -> None:
        row = self.order(order)
        self.attempt_on(
            row, lambda session: change_status(session, row["id"], to, self.staff), self.move_refusal(row, to)
        )

    def deliver(self, order: int) -> None:
        """All that is still due is collected."""
        row = self.order(order)
        reason = self.move_refusal(row, "delivered")
        self.attempt_on(row, lambda session: change_status(session, row["id"], "delivered", self.staff), reason)

    def cancel_as_customer(self, order: int) -> None:
        row = self.order(order)
        owner = Actor(row["customer_id"], "customer")
        reason = None if row["status"] in ("pending", "confirmed") else "illegal_transition"
        self.attempt_on(
            row,
            lambda session: change_status(session, row["id"], "cancelled", owner, owner_id=owner.id),
            reason,
            reader_role=owner,
        )

    def pay(self, order: int, kind: str, amount: int) -> None:
        row = self.order(order)
        [(credited,)] = select_rows(CREDITED, order_id=row["id"])
        due = row["total_cents"] - credited - row["paid_cents"]
        if kind == "refund":
            reason = "refund_exceeds_paid" if amount > row["paid_cents"] else None
        else:
            is_cancelled = row["status"] == "cancelled"
            reason = "order_cancelled" if is_cancelled else "payment_exceeds_total" if amount > due else None

        def act(session: Any) -> Any:
            return record_payment(
                session, row["id"], kind=kind, amount_cents=amount, collector_id=None, actor=self.staff, note=None
            )

        self.attempt(act, reason)

    def receive(self, goods: int, count: int) -> None:
        received = self.one_of(self.goods, goods)
        with transaction():
            adjust_stock(received.id, received.step * count, reason="received", actor_id=None)

    def set_price(self, goods: int, price: int) -> None:
        priced = self.one_of(self.goods, goods)
        with transaction():
            change_product(priced.id, {"price_cents": price}, version=None, actor_id=None)
        self.goods[self.goods.index(priced)] = replace(priced, price_cents=price)

    def end_offer(self, offer: int) -> None:
        ended = self.one_of(self.offers, offer)
        with transaction():
            delete_promotion(ended, version=None)
        self.offers.remove(ended)

    def delete(self, goods: int) -> None:
        """A product is deleted: orders that are not packed lose their line, the others keep it."""
        # Two are left, so that there is something to order.
        deleted = self.one_of(self.goods if len(self.goods) > 2 else [], goods)
        with transaction():
            delete_product(deleted.id, version=None, actor_id=None)
        self.goods.remove(deleted)

    def erase(self, order: int) -> None:
        """The account of a customer is deleted, with all their orders; somebody else comes in their place."""
        customer_id = self.order(order)["customer_id"]
        orders = {row["id"]: row["status"] for row in self.rows("orders") if row["customer_id"] == customer_id}
        delivered = [order_id for order_id, status in orders.items() if status == "delivered"]
        uses = sum(one["code"] is not None and one["order_id"] in delivered for one in self.rows("discounts"))
        books = len(self.rows("ledger")) + len(delivered)
        stock = dict(self.state["stock"])
        for line in self.rows("lines"):
            if orders.get(line["order_id"]) in ("pending", "confirmed", "packed") and line["product_id"]:
                stock[str(line["product_id"])] += self.held(line)

        def act(_session: Any) -> bool:
            delete_customer(customer_id, None)
            return True

        if self.attempt(act, "order_in_transit" if "shipped" in orders.values() else None):
            self.erased_uses += uses
            self.customers = [one for one in self.customers if one.id != customer_id] + [self.new_customer()]
            self.look()
            assert self.state["stock"] == stock
            assert len(self.rows("ledger")) == books
            assert not [row for row in self.rows("orders") if row["customer_id"] == customer_id]

    def check(self) -> None:
        db.session.remove()
        assert select_rows(BROKEN, erased_uses=self.erased_uses) == []
        self.look()

    def attempt_on(
        self,
        order: dict[str, Any],
        act: Callable[[Any], Any],
        reason: str | frozenset[str | None] | None,
        reader_role: Actor | None = None,
    ) -> None:
        """Do something with an order: what it answers must be what is read afterwards."""
        if answer := self.attempt(act, reason):
            self.assert_read(json.loads(current_app.json.dumps(answer)), reader_role or self.staff)
            assert answer["id"] == order["id"]
            if order["delivery_fee_cents"] == 0:
                assert answer["delivery_fee"] == "0.00"

    def attempt(self, act: Callable[[Any], Any], reason: str | frozenset[str | None] | None) -> Any:
        """What `act` answers; None when it is refused, which must leave all as it was.

        And be for this reason, or for one of these, which None is one of if it may as well be done.
        """
        try:
            with transaction() as session:
                answer = act(session)
        except GroceryError as refusal:
            answer, refused_for = None, refusal.code
            before = self.state
            self.look()
            assert self.state == before
        else:
            refused_for = None
        assert refused_for in (reason if isinstance(reason, frozenset) else {reason})
        return answer

    def assert_read(self, answer: dict[str, Any], actor: Actor) -> None:
        with reader() as connection:
            assert answer == json.loads(current_app.json.dumps(get_order(connection, answer["id"], actor)))

    def look(self) -> None:
        """Read all that an attempt may have changed."""
        self.state = json.loads(select_rows(STATE)[0][0], parse_float=Decimal)

    def rows(self, name: str) -> list[dict[str, Any]]:
        found = self.state[name] or []
        return list(found.values()) if isinstance(found, dict) else found

    def order(self, number: int) -> dict[str, Any]:
        return self.one_of(self.rows("orders"), number)

    def lines(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        return [line for line in self.rows("lines") if line["order_id"] == order["id"]]

    def move_refusal(self, order: dict[str, Any], to: str) -> str | None:
        if to not in allowed_statuses(order["status"], is_staff=True):
            return "illegal_transition"
        is_empty = takes_goods(order["status"], to) and not any(self.held(line) for line in self.lines(order))
        return "nothing_picked" if is_empty else None

    def edit_refusal(self, order: dict[str, Any]) -> str | None:
        return None if order["status"] in ("pending", "confirmed") else "not_editable"

    def stock_of(self, product_id: int) -> Decimal:
        return Decimal(self.state["stock"][str(product_id)])

    def is_full(self, slot_id: int) -> bool:
        slot = self.state["slots"][str(slot_id)]
        return slot["booked"] >= slot["capacity"]

    @staticmethod
    def held(line: dict[str, Any]) -> Decimal:
        """What the order has of it: what was picked, and until then what was ordered."""
        return Decimal(line["quantity"] if line["picked_quantity"] is None else line["picked_quantity"])

    @staticmethod
    def one_of(things: list[Any], number: int) -> Any:
        if not things:
            raise NothingThereError
        return things[number % len(things)]

    @staticmethod
    def new_customer() -> Person:
        return make_customer(password=None)

    @staticmethod
    def make_goods(category: str, price: int, stock: int, *, step: Decimal = Decimal(1), **more: Any) -> Goods:
        product_id = make_product(category, price_cents=price, stock=Decimal(stock), quantity_step=step, **more)
        return Goods(product_id, price, step, category.startswith("Food"))
