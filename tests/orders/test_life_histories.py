"""Random lives of orders, from the basket to what comes back: after each step the whole shop fits together."""

import json
from decimal import Decimal
from typing import Any

import pytest
from flask import current_app
from hypothesis import example, given
from hypothesis import strategies as st

from grocery import money
from grocery.db import reader
from grocery.orders.changing import Delivery, change_status
from grocery.orders.documents.invoice import describe_invoice
from grocery.orders.documents.reading import OrderRecord, read_order
from grocery.orders.documents.rendering import render
from grocery.orders.documents.wording import Shop as Letterhead
from grocery.orders.fulfilment.checking_in import check_in
from grocery.orders.fulfilment.picking import SHORT_REASONS, Pick, pick_line
from grocery.orders.fulfilment.refusing import refuse_substitute
from grocery.orders.returns.service import take_back
from grocery.orders.tracking.links import find_link
from tests.orders.documents.paper import assert_invoice_is_order, pages_of
from tests.orders.histories import STEPS, Step, go_through, numbers, so_many
from tests.orders.small_shop import COUPONS, Shop
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")

#: What must hold besides, as what does not: the name of the law and the row that breaks it.
BROKEN_LIVES = """
    WITH moves AS (
        SELECT *, lag(status) OVER (PARTITION BY order_id ORDER BY id) AS before,
               lead(status) OVER (PARTITION BY order_id ORDER BY id) AS after
        FROM order_history
    ), back AS (
        SELECT line.*, coalesce(picked_quantity, line.quantity) AS sold, parts.*
        FROM order_lines AS line, LATERAL (
            SELECT sum(part.quantity) AS returned, sum(amount_cents) AS refunded, sum(part.vat_cents) AS vat_refunded
            FROM order_return_lines AS part WHERE line_id = line.id
        ) AS parts
        WHERE returned IS NOT NULL
    )
    SELECT 'history begins with nothing, and each entry goes on from the one before', id FROM moves
    WHERE from_status IS DISTINCT FROM before
    UNION ALL SELECT 'an order is where its history ends', orders.id FROM orders JOIN moves ON order_id = orders.id
    WHERE after IS NULL AND moves.status <> orders.status
    UNION ALL SELECT 'nothing goes where it must not', moves.id FROM moves JOIN orders ON orders.id = order_id
    WHERE from_status <> moves.status AND (from_status, moves.status, is_delivery_failed) NOT IN (
        SELECT * FROM (VALUES ('pending', 'confirmed'), ('confirmed', 'packed'), ('packed', 'shipped'),
            ('shipped', 'delivered')) AS way, (VALUES (true), (false)) AS any_end
        UNION VALUES ('pending', 'cancelled', false), ('confirmed', 'cancelled', false), ('packed', 'cancelled', false),
            ('shipped', 'cancelled', true)
    )
    UNION ALL SELECT 'a packed order has no line that nobody has picked, and not nothing', id FROM orders
    WHERE status IN ('packed', 'shipped', 'delivered') AND EXISTS (
        SELECT FROM order_lines WHERE order_id = orders.id AND picked_quantity IS NULL
    )
    UNION ALL SELECT 'no more is picked of a piece than ordered, nor a part of it', id FROM order_lines
    WHERE unit = 'each' AND (picked_quantity > quantity OR picked_quantity % 1 <> 0)
    UNION ALL SELECT 'only of a failed delivery something is checked in, and no more than went out', line.id
    FROM order_lines AS line JOIN orders ON orders.id = order_id
    WHERE checked_in_quantity IS NOT NULL
          AND (NOT is_delivery_failed OR checked_in_quantity NOT BETWEEN 0 AND picked_quantity)
    UNION ALL SELECT 'no more comes back than was sold, and only of what was delivered', back.id
    FROM back JOIN orders ON orders.id = order_id WHERE returned > sold OR status <> 'delivered'
    UNION ALL SELECT 'parts that come back add up to their share of what was paid', id FROM back
    WHERE refunded <> round((line_total_cents - discount_cents) * returned / sold)
          OR vat_refunded <> round(vat_cents * returned / sold)
    UNION ALL SELECT 'a return is the sum of its lines', id FROM order_returns AS made
    WHERE (refund_cents, vat_cents) <> (
        SELECT sum(amount_cents), sum(vat_cents) FROM order_return_lines WHERE return_id = made.id
    )
    UNION ALL SELECT 'what was delivered has its moment', id FROM orders
    WHERE (status = 'delivered') <> (delivered_at IS NOT NULL)
    UNION ALL SELECT 'what came back is in the books of what was sold', id FROM returns_ledger AS kept
    WHERE NOT EXISTS (SELECT FROM sales_ledger WHERE order_number = kept.order_number AND total_cents >= refund_cents)
"""

#: Why what was written off, or given back and sold since, cannot be picked; or it can.
SCARCE = frozenset({None, "out_of_stock", "insufficient_stock"})


class Life(Shop):
    """The shop with all that happens to an order between its placing and its end."""

    def pick(self, line: int, portion: int, reason: str | None, is_approved: bool) -> None:
        """Put so many tenths of what was ordered into the bag; 11 are above the ceiling by a gram."""
        picked = self.likely("lines", line, "pending", "confirmed")
        row, ordered = self.order_of(picked), Decimal(picked["quantity"])
        quantity = ordered * portion / 10 + (Decimal("0.001") if portion == 11 else 0)
        if picked["unit"] == "each":
            quantity = quantity.to_integral_value()
        elif portion == 12:
            quantity = ordered * 2 + Decimal("0.001")
        refusal = self.edit_refusal(row)
        if refusal is None and (picked["unit"] == "each" or picked["substitute_for"]) and quantity > ordered:
            refusal = "picked_too_much"
        elif refusal is None and quantity > ordered * 2:
            refusal = "implausible_weight"
        elif refusal is None and quantity > ordered * Decimal("1.1") and not is_approved:
            refusal = "needs_approval"
        pick = Pick(quantity, reason=reason, approved=is_approved)
        self.do_pick(row, picked, pick, refusal)

    def substitute(self, line: int, goods: int, count: int, reason: str | None, is_approved: bool) -> None:
        missing = self.likely("lines", line, "pending", "confirmed")
        row, other = self.order_of(missing), self.one_of(self.goods, goods)
        quantity = other.step * count
        kept, lines = Decimal(missing["picked_quantity"] or 0), self.lines(row)
        earlier = [
            self.held(one) for one in lines if one["substitute_for"] == missing["id"] and one["product_id"] == other.id
        ]
        refusal = self.edit_refusal(row)
        if refusal is None and (missing["substitute_for"] or other.id == missing["product_id"]):
            refusal = "validation_failed"
        elif refusal is None and self.stock_of(other.id) + sum(earlier) < quantity:
            refusal = "out_of_stock"
        elif refusal is None and kept >= missing["quantity"]:
            refusal = "validation_failed"
        elif refusal is None and not is_approved:
            refusal = "needs_approval"
        before = {one["id"] for one in lines}
        self.do_pick(row, missing, Pick(quantity, other.id, reason, is_approved), refusal)
        self.look()
        for one in self.lines(row):
            if one["id"] not in before:
                gone = Decimal(missing["quantity"]) - kept
                assert one["line_total_cents"] <= money.line_total(missing["unit_price_cents"], gone)
                assert one["substitute_for"] == missing["id"]

    def do_pick(self, row: dict[str, Any], line: dict[str, Any], pick: Pick, refusal: str | None) -> None:
        """What was given back for a line may be sold since; then it can be neither picked nor written off."""
        needed = max(Decimal(line["quantity"]), pick.quantity)
        is_scarce = line["product_id"] is not None and self.stock_of(line["product_id"]) < needed
        self.attempt_on(
            row,
            lambda session: pick_line(session, row["id"], line["id"], pick, self.staff, version=None),
            SCARCE if refusal is None and is_scarce else refusal,
        )

    def refuse(self, line: int) -> None:
        substitutes = [one for one in self.rows("lines") if one["substitute_for"] is not None]
        refused = self.one_of(substitutes, line)
        row = self.order_of(refused)
        is_late = row["status"] not in ("pending", "confirmed", "packed") and self.held(refused) > 0
        self.attempt_on(
            row,
            lambda session: refuse_substitute(
                session, row["id"], refused["id"], self.staff, owner_id=None, version=None
            ),
            "too_late" if is_late else None,
        )

    def ship(self, order: int) -> None:
        row = self.likely("orders", order, "pending", "confirmed", "packed")
        refusal = self.move_refusal(row, "shipped")
        self.attempt_on(row, lambda session: change_status(session, row["id"], "shipped", self.staff), refusal)

    def hand_over(self, order: int, collected: int | None) -> None:
        """The door is opened: so many cents are paid, or all that is due."""
        row = self.likely("orders", order, "shipped")
        due = row["total_cents"] - row["paid_cents"]
        refusal = self.move_refusal(row, "delivered")
        if refusal is None and collected is not None and collected > max(due, 0):
            refusal = "payment_exceeds_total"
        delivery = Delivery("Wanjiru", collected, self.staff.id)
        self.attempt_on(
            row,
            lambda session: change_status(session, row["id"], "delivered", self.staff, delivery=delivery),
            refusal,
        )

    def fail(self, order: int) -> None:
        row = self.likely("orders", order, "shipped")
        stock = self.state["stock"]
        self.attempt_on(
            row,
            lambda session: change_status(session, row["id"], "cancelled", self.staff, reason="delivery_failed"),
            None if row["status"] == "shipped" else "illegal_transition",
        )
        self.look()
        assert self.state["stock"] == stock

    def check_in(self, line: int, portion: int, is_sellable: bool) -> None:
        failed = [one for one in self.rows("lines") if self.order_of(one)["is_delivery_failed"]]
        back = self.one_of(failed, line)
        row, quantity = self.order_of(back), self.part(back, portion)
        left = self.held(back) - (back["checked_in_quantity"] or 0)
        item = {"line_id": back["id"], "quantity": quantity, "is_sellable": is_sellable}
        stock = self.stock_of(back["product_id"]) if back["product_id"] else None
        refusal = "validation_failed" if quantity > left else None
        self.attempt_on(row, lambda session: check_in(session, row["id"], [item], self.staff), refusal)
        if stock is not None:
            self.look()
            is_on_shelf = refusal is None and is_sellable
            assert self.stock_of(back["product_id"]) == stock + (quantity if is_on_shelf else 0)

    def take_back(self, line: int, portion: int, is_restocked: bool, is_paid_back: bool) -> None:
        back = self.likely("lines", line, "delivered")
        row, quantity = self.order_of(back), self.part(back, portion)
        earlier = [one for one in self.rows("returned") if one["line_id"] == back["id"]]
        before = sum((Decimal(one["quantity"]) for one in earlier), Decimal(0))
        paid, held = back["line_total_cents"] - back["discount_cents"], self.held(back)
        refusal = None
        if row["status"] != "delivered":
            refusal = "not_delivered"
        elif quantity > held - before:
            refusal = "validation_failed"
        else:
            refund = money.round_half_up(paid * (before + quantity) / held) - sum(
                one["amount_cents"] for one in earlier
            )
            if is_paid_back and refund > row["paid_cents"]:
                refusal = "refund_exceeds_paid"
        item = {"line_id": back["id"], "quantity": quantity, "is_restocked": is_restocked}

        def act(session: Any) -> Any:
            return take_back(
                session, row["id"], [item], self.staff, reason="other", note=None, is_paid_back=is_paid_back
            )

        if answer := self.attempt(act, refusal):
            assert answer["refund"] == money.to_text(refund)
            assert answer["items"][0]["amount"] == money.to_text(refund)

    def part(self, line: dict[str, Any], portion: int) -> Decimal:
        """So many thirds of what the order has of it, above nothing."""
        part = max(self.held(line) * portion / 3, Decimal("0.001"))
        return part.quantize(Decimal("0.001")) if line["unit"] == "kg" else max(part.to_integral_value(), Decimal(1))

    def likely(self, name: str, number: int, *statuses: str) -> Any:
        """An order or a line in one of these statuses; one time in twelve in any."""
        rows = self.rows(name)
        fitting = [row for row in rows if (row if name == "orders" else self.order_of(row))["status"] in statuses]
        return self.one_of(rows if number == 11 else fitting, number)

    def order_of(self, line: dict[str, Any]) -> dict[str, Any]:
        return self.state["orders"][str(line["order_id"])]

    def check(self) -> None:
        super().check()
        assert select_rows(BROKEN_LIVES) == []

    def assert_invoices_are_orders(self) -> None:
        """What stands on the last order's invoice is what stands in its JSON."""
        for row in self.rows("orders")[-1:]:
            with reader() as connection:
                record = read_order(connection, row["id"], self.staff)
            document = describe_invoice(record, Letterhead.of(current_app.config), find_link(row["id"]))
            order = json.loads(current_app.json.dumps(record.json))
            assert_invoice_is_order(" ".join(pages_of(render(document))), order, **_also_said(record))


def _also_said(record: OrderRecord) -> dict[str, str]:
    owed = record.owed_cents
    said = {f"note_{n}": f"-{money.to_text(one['refund_cents'])}" for n, one in enumerate(record.returns)}
    if owed < 0:
        said["to_be_paid_back"] = money.to_text(-owed)
    return {"due": money.to_text(max(owed, 0)), **said}


_portions = st.sampled_from([0, 3, 5, 9, 10, 10, 11, 12])
_reasons = st.sampled_from([None, *SHORT_REASONS])
_yes = st.sampled_from([True, True, True, False])

#: As STEPS of the histories of amounts, which is what happens besides.
LIFE: dict[str, tuple[int, dict[str, st.SearchStrategy[Any]]]] = {
    **{name: (1, arguments) for name, (_, arguments) in STEPS.items()},
    "place": (4, {**STEPS["place"][1], "is_coupon": st.sampled_from([False, False, True])}),
    "pick": (8, {"line": numbers, "portion": _portions, "reason": _reasons, "is_approved": _yes}),
    "substitute": (
        5,
        {"line": numbers, "goods": numbers, "count": st.integers(1, 4), "reason": _reasons, "is_approved": _yes},
    ),
    "refuse": (3, {"line": numbers}),
    "move": (2, {"order": numbers, "to": st.sampled_from(["confirmed", "packed", "packed", "cancelled"])}),
    "ship": (8, {"order": numbers}),
    "hand_over": (8, {"order": numbers, "collected": st.sampled_from([None, None, 0, 1, 100_00, 100_000_00])}),
    "fail": (4, {"order": numbers}),
    "check_in": (6, {"line": numbers, "portion": st.integers(1, 3), "is_sellable": st.booleans()}),
    "take_back": (
        8,
        {"line": numbers, "portion": st.integers(1, 3), "is_restocked": st.booleans(), "is_paid_back": st.booleans()},
    ),
    "erase": (1, STEPS["erase"][1]),
}


def _steps(at_least: int, at_most: int, *names: str) -> st.SearchStrategy[list[Step]]:
    """So many steps with these names, or with any."""
    weighted = [name for name in names or LIFE for _ in range(LIFE[name][0])]
    step = st.sampled_from(weighted).flatmap(
        lambda name: st.tuples(st.just(name), st.fixed_dictionaries(LIFE[name][1]))
    )
    return st.integers(at_least, at_most).flatmap(lambda size: st.lists(step, min_size=size, max_size=size))


def _lives(longest: int) -> st.SearchStrategy[list[Step]]:
    """Lives with up to so many steps of each part: one in three goes where it goes, the others to the door."""
    placed = _steps(1, 2, "place")
    parts = [
        placed,
        _steps(0, longest, "pick", "pick", "substitute", "refuse", "set_quantity", "remove", "add"),
        _steps(1, 1, "ship"),
        _steps(1, 1, "hand_over", "fail"),
        _steps(1, longest, "take_back", "check_in", "erase", "delete", "pay", "place", "hand_over", "fail"),
    ]
    to_the_door = st.tuples(*parts).map(lambda lists: [step for one in lists for step in one])
    anywhere = st.builds(list.__add__, placed, _steps(longest, 2 * longest))
    return st.sampled_from([anywhere, to_the_door, to_the_door]).flatmap(lambda lives: lives)


def _step(name: str, **arguments: Any) -> Step:
    return name, arguments


_ORDER = _step("place", customer=0, wanted={0: 4, 1: 3, 2: 4, 3: 1}, is_coupon=True, slot=0, is_delivery=True)
_PICKED = [
    _ORDER,
    _step("pick", line=0, portion=5, reason="damaged", is_approved=False),
    _step("pick", line=1, portion=0, reason="not_found", is_approved=False),
    _step("substitute", line=1, goods=3, count=1, reason=None, is_approved=True),
    _step("pick", line=2, portion=11, reason=None, is_approved=True),
    _step("ship", order=0),
]
#: To the door and back in thirds; and back to the shop.
RETURNED = [
    *_PICKED,
    _step("hand_over", order=0, collected=100_00),
    *[
        _step("take_back", line=line, portion=1, is_restocked=bool(line % 2), is_paid_back=line == 0)
        for line in (0, 2, 2, 2, 2, 4)
    ],
    _step("erase", order=0),
]
FAILED = [
    *_PICKED,
    _step("fail", order=0),
    *[_step("check_in", line=line, portion=2, is_sellable=line > 1) for line in (0, 2, 2, 4, 4)],
    _step("delete", goods=0),
    _step("check_in", line=0, portion=1, is_sellable=True),
]


def live(histories: int, lives: st.SearchStrategy[Any], *, printed: int, is_proof: bool = False) -> None:
    """So many lives, one in `printed` on paper, too."""

    @so_many(histories, is_proof=is_proof)
    @given(
        coupon=st.sampled_from(COUPONS),
        stock=st.integers(5, 30),
        history=lives,
        is_printed=st.sampled_from([True] + [False] * (printed - 1)),
    )
    @example(coupon=COUPONS[0], stock=30, history=RETURNED, is_printed=False)
    @example(coupon=COUPONS[0], stock=30, history=RETURNED[:-1], is_printed=True)
    @example(coupon=COUPONS[1], stock=30, history=FAILED, is_printed=True)
    def unfold(coupon: dict[str, Any], stock: int, history: list[Step], is_printed: bool) -> None:
        shop = Life(coupon, stock)
        go_through(history, shop)
        if is_printed:
            shop.assert_invoices_are_orders()

    unfold()


def test_a_shop_fits_together_through_random_lives_of_orders() -> None:
    live(60, _lives(4), printed=6)


@pytest.mark.prove
@pytest.mark.parametrize("block", range(100))
def test_it_does_through_five_thousand_lives(block: int) -> None:
    live(50, _lives(12), printed=5, is_proof=True)
