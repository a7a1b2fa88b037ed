from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from marshmallow import Schema

from grocery.orders import placing
from grocery.orders.schemas import OrderSchema
from tests.orders.conftest import Caller
from tests.orders.factories import place
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def shelf(context: None) -> dict[str, int]:
    return {
        "flour": make_product("Flour", name="Maize Flour 2 kg", sku="FLR", price_cents=189_00, vat_class="zero"),
        "soap": make_product("Home", name="Soap", sku="SOAP", price_cents=116_00, vat_class="standard"),
        "beef": make_product(
            "Meat",
            name="Beef",
            sku="BEEF",
            unit="kg",
            quantity_step=Decimal("0.25"),
            price_cents=119_90,
            stock=Decimal("5.5"),
        ),
    }


def assert_nothing_was_written(run_sql: Sql, stock: list[Decimal]) -> None:
    for table in ("orders", "order_lines", "order_history", "notifications", "idempotency_keys"):
        assert run_sql(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert [row[0] for row in run_sql("SELECT stock FROM products ORDER BY id")] == stock
    assert run_sql("SELECT count(*) FROM stock_movements WHERE reason <> 'opening'") == [(0,)]


UNTOUCHED = [Decimal(10), Decimal(10), Decimal("5.5")]


def test_an_order_is_priced_by_the_server_to_the_cent(customer: Caller, shelf: dict[str, int]) -> None:
    response = customer.post(
        "/orders/",
        json={
            "items": [
                {"product_id": shelf["flour"], "quantity": 2, "if_unavailable": "substitute"},
                {"product_id": shelf["soap"], "quantity": 1},
                {"product_id": shelf["beef"], "quantity": 0.75, "if_unavailable": "call"},
            ],
            "note": "  Ring twice ",
        },
    )
    assert response.status_code == 201
    order = response.json
    assert response.headers["Location"] == f"/orders/{order['id']}"
    placed_at = order.pop("placed_at")
    assert placed_at.endswith("Z")
    assert order.pop("updated_at") == placed_at
    assert order.pop("number").startswith("G-")
    lines = order.pop("items")
    assert [line.pop("id") for line in lines] == sorted(line_id["id"] for line_id in _items(customer, order["id"]))
    assert lines == [
        {
            "product_id": shelf["flour"],
            "sku": "FLR",
            "name": "Maize Flour 2 kg",
            "quantity": 2,
            "unit": "each",
            "unit_price": "189.00",
            "line_total": "378.00",
            "discount": "0.00",
            "vat_rate": "0.00",
            "if_unavailable": "substitute",
            "picked_quantity": None,
            "substitute_for": None,
            "short_reason": None,
        },
        {
            "product_id": shelf["soap"],
            "sku": "SOAP",
            "name": "Soap",
            "quantity": 1,
            "unit": "each",
            "unit_price": "116.00",
            "line_total": "116.00",
            "discount": "0.00",
            "vat_rate": "16.00",
            "if_unavailable": "remove",
            "picked_quantity": None,
            "substitute_for": None,
            "short_reason": None,
        },
        {
            "product_id": shelf["beef"],
            "sku": "BEEF",
            "name": "Beef",
            "quantity": 0.75,
            "unit": "kg",
            "unit_price": "119.90",
            "line_total": "89.93",
            "discount": "0.00",
            "vat_rate": "16.00",
            "if_unavailable": "call",
            "picked_quantity": None,
            "substitute_for": None,
            "short_reason": None,
        },
    ]
    assert order == {
        "id": order["id"],
        "status": "pending",
        "customer_id": customer.person.id,
        "subtotal": "583.93",
        "discounts": [],
        "delivery_fee": "0.00",
        "vat": "28.40",
        "vat_classes": [
            {"vat_class": "standard", "rate": "16.00", "gross": "205.93", "vat": "28.40"},
            {"vat_class": "zero", "rate": "0.00", "gross": "378.00", "vat": "0.00"},
        ],
        "total": "583.93",
        "paid": "0.00",
        "currency": "KES",
        "coupon": None,
        "delivery": {
            "method": "pickup",
            "zone_id": None,
            "slot_id": None,
            "slot_starts_at": None,
            "slot_ends_at": None,
            "received_by": None,
            "address": None,
            "landmark": None,
            "phone": "+254712345678",
            "note": None,
        },
        "payment_method": "cash_on_delivery",
        "note": "Ring twice",
        "version": 1,
        "allowed_statuses": ["cancelled"],
    }


def _items(caller: Caller, order_id: int) -> list[dict[str, Any]]:
    return caller.get(f"/orders/{order_id}").json["items"]


def test_what_was_answered_is_what_is_read(customer: Caller, shelf: dict[str, int]) -> None:
    order = place(customer, {shelf["beef"]: 1.25, shelf["flour"]: 3})
    assert customer.get(f"/orders/{order['id']}").json == order
    assert customer.get("/orders/").json == [order]


def test_the_documented_fields_are_those_that_are_answered(customer: Caller, shelf: dict[str, int]) -> None:
    order = place(customer, {shelf["flour"]: 1})

    def keys(schema: Schema) -> set[str]:
        return set(schema.fields)

    schema = OrderSchema()
    assert set(order) == keys(schema)
    assert set(order["items"][0]) == keys(schema.fields["items"].inner.schema)
    assert set(order["delivery"]) == keys(schema.fields["delivery"].schema)


def test_stock_ledger_history_and_notices_are_written_with_the_order(
    customer: Caller, shelf: dict[str, int], run_sql: Sql
) -> None:
    order = place(customer, {shelf["beef"]: 1.25, shelf["flour"]: 3})
    assert run_sql("SELECT stock FROM products ORDER BY id") == [(Decimal(7),), (Decimal(10),), (Decimal("4.25"),)]
    assert run_sql(
        "SELECT product_id, delta, order_id, actor_id FROM stock_movements WHERE reason = 'sold' ORDER BY product_id"
    ) == [
        (shelf["flour"], Decimal(-3), order["id"], customer.person.id),
        (shelf["beef"], Decimal("-1.25"), order["id"], customer.person.id),
    ]
    assert run_sql("SELECT event, from_status, status, actor_id, actor_role FROM order_history") == [
        ("placed", None, "pending", customer.person.id, "customer")
    ]
    notices = run_sql(
        "SELECT channel, event, recipient, customer_id, order_id, status FROM notifications ORDER BY 1, 3"
    )
    assert notices == [
        ("email", "order_placed", "amina@example.com", customer.person.id, order["id"], "pending"),
        ("email", "order_placed", "owner@shop.example", None, order["id"], "pending"),
        ("sms", "order_placed", "+254712345678", customer.person.id, order["id"], "pending"),
    ]


def test_the_order_keeps_its_own_copy_of_names_and_prices(
    customer: Caller, shelf: dict[str, int], run_sql: Sql
) -> None:
    order = place(customer, {shelf["flour"]: 2})
    run_sql("UPDATE products SET name = 'Other', price_cents = 1, vat_class = 'standard', sku = 'X' || id")
    assert customer.get(f"/orders/{order['id']}").json == order


def test_a_product_asked_for_twice_is_ordered_in_the_sum(customer: Caller, shelf: dict[str, int], run_sql: Sql) -> None:
    items = [{"product_id": shelf["flour"], "quantity": 6}, {"product_id": shelf["flour"], "quantity": 4}]
    order = customer.post("/orders/", json={"items": items}).json
    assert [(line["product_id"], line["quantity"]) for line in order["items"]] == [(shelf["flour"], 10)]
    assert run_sql("SELECT stock FROM products WHERE id = :id", id=shelf["flour"]) == [(Decimal(0),)]


def test_a_delivery_keeps_place_and_phone(customer: Caller, shelf: dict[str, int]) -> None:
    delivery = {"landmark": "near Shell, blue gate", "phone": "0733 123 456", "note": "Call first"}
    order = place(customer, {shelf["flour"]: 1}, delivery=delivery)
    assert order["delivery"] == {
        "method": "delivery",
        "zone_id": None,
        "slot_id": None,
        "slot_starts_at": None,
        "slot_ends_at": None,
        "received_by": None,
        "address": None,
        "landmark": "near Shell, blue gate",
        "phone": "+254733123456",
        "note": "Call first",
    }


def test_a_delivery_without_anyone_to_call_is_refused(
    other_customer: Caller, shelf: dict[str, int], run_sql: Sql
) -> None:
    body = {"items": [{"product_id": shelf["flour"], "quantity": 1}], "delivery": {"address": "Moi Avenue"}}
    response = other_customer.post("/orders/", json=body)
    assert response.status_code == 422
    assert list(response.json["errors"]["delivery"]) == ["phone"]
    assert_nothing_was_written(run_sql, UNTOUCHED)


def test_more_than_the_stock_is_refused_and_writes_nothing(
    customer: Caller, shelf: dict[str, int], run_sql: Sql
) -> None:
    items = [{"product_id": shelf["flour"], "quantity": 1}, {"product_id": shelf["beef"], "quantity": 5.75}]
    response = customer.post("/orders/", json={"items": items})
    assert response.status_code == 409
    assert response.json["code"] == "out_of_stock"
    assert response.json["items"] == [
        {"product_id": shelf["beef"], "name": "Beef", "requested": 5.75, "available": 5.5}
    ]
    assert_nothing_was_written(run_sql, UNTOUCHED)


def test_a_withdrawn_product_is_refused_and_writes_nothing(
    customer: Caller, shelf: dict[str, int], run_sql: Sql
) -> None:
    run_sql("UPDATE products SET is_active = false WHERE id = :id", id=shelf["soap"])
    items = [{"product_id": shelf["flour"], "quantity": 1}, {"product_id": shelf["soap"], "quantity": 1}]
    response = customer.post("/orders/", json={"items": items})
    assert (response.status_code, response.json["code"]) == (409, "product_unavailable")
    assert response.json["product_ids"] == [shelf["soap"]]
    assert_nothing_was_written(run_sql, UNTOUCHED)


def test_an_unknown_product_is_named_by_its_place(customer: Caller, shelf: dict[str, int], run_sql: Sql) -> None:
    items = [{"product_id": shelf["flour"], "quantity": 1}, {"product_id": 999_999_999, "quantity": 1}]
    response = customer.post("/orders/", json={"items": items})
    assert (response.status_code, response.json["code"]) == (422, "unknown_product")
    assert response.json["errors"] == {"items": {"1": {"product_id": ["Unknown product."]}}}
    assert_nothing_was_written(run_sql, UNTOUCHED)


def test_a_number_that_is_taken_or_in_the_books_is_not_given_again(
    customer: Caller, shelf: dict[str, int], run_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = place(customer, {shelf["soap"]: 1})["number"]
    run_sql(
        "INSERT INTO sales_ledger (order_number, placed_at, finished_at, currency, delivery_fee_cents, total_cents,"
        " vat_cents, vat, payment_method, cash_cents)"
        " VALUES ('G-AAAAAA', now(), now(), 'KES', 0, 0, 0, '{}', 'cash_on_delivery', 0)"
    )
    numbers = iter([taken, "G-AAAAAA", "G-CCCCCC"])
    monkeypatch.setattr(placing, "make_number", lambda: next(numbers))
    assert place(customer, {shelf["soap"]: 1})["number"] == "G-CCCCCC"


def test_another_total_than_the_one_shown_is_refused(customer: Caller, shelf: dict[str, int], run_sql: Sql) -> None:
    body = {"items": [{"product_id": shelf["flour"], "quantity": 1}], "expected_total": "188.00"}
    response = customer.post("/orders/", json=body)
    assert (response.status_code, response.json["code"]) == (409, "total_changed")
    assert (response.json["expected_total"], response.json["total"]) == ("188.00", "189.00")
    assert_nothing_was_written(run_sql, UNTOUCHED)
    assert customer.post("/orders/", json={**body, "expected_total": "189.00"}).status_code == 201


@pytest.mark.parametrize(
    ("product", "quantity"),
    [
        ("flour", 0),
        ("flour", -1),
        ("flour", 1.5),
        ("flour", 10**9),
        ("flour", "2"),
        ("flour", True),
        ("flour", None),
        ("beef", 0.0001),
        ("beef", 0.3),
        ("beef", 1.1),
    ],
)
def test_a_quantity_that_makes_no_sense_is_refused(
    customer: Caller, shelf: dict[str, int], run_sql: Sql, product: str, quantity: Any
) -> None:
    response = customer.post("/orders/", json={"items": [{"product_id": shelf[product], "quantity": quantity}]})
    assert response.status_code == 422
    assert list(response.json["errors"]["items"]["0"]) == ["quantity"]
    assert_nothing_was_written(run_sql, UNTOUCHED)


@pytest.mark.parametrize(
    "body",
    [
        {"items": []},
        {"items": {}},
        {"items": [None]},
        {"items": ["x"]},
        {"items": [{}]},
        {"items": [{"product_id": 2**63, "quantity": 1}]},
        {"items": [{"product_id": "1", "quantity": 1}]},
        {"items": [{"product_id": 1, "quantity": 1, "price": "0.01"}]},
        {"items": [{"product_id": 1, "quantity": 1, "if_unavailable": "pray"}]},
        {"items": [{"product_id": 1, "quantity": 1}], "total": "1.00"},
        {"items": [{"product_id": 1, "quantity": 1}], "customer_id": 1},
        {"items": [{"product_id": 1, "quantity": 1}], "note": "a\x00b"},
        {"items": [{"product_id": 1, "quantity": 1}], "note": "x" * 501},
        {"items": [{"product_id": 1, "quantity": 1}], "delivery": {"method": "drone"}},
        {"items": [{"product_id": 1, "quantity": 1}], "delivery": {"method": "delivery"}},
        {"items": [{"product_id": 1, "quantity": 1}], "delivery": {"address": "x", "phone": "12"}},
        {"items": [{"product_id": 1, "quantity": 1}], "payment_method": "iou"},
        {"items": [{"product_id": 1, "quantity": 1}] * 201},
        {"items": [{"product_id": number, "quantity": 1} for number in range(1, 10_001)]},
        [],
        "order",
        7,
        None,
    ],
)
def test_a_body_that_makes_no_sense_is_refused_and_writes_nothing(
    customer: Caller, shelf: dict[str, int], run_sql: Sql, body: Any
) -> None:
    response = customer.post("/orders/", json=body)
    assert response.status_code == 422
    assert response.mimetype == "application/problem+json"
    assert response.json["code"] == "validation_failed"
    assert response.json["errors"]
    assert_nothing_was_written(run_sql, UNTOUCHED)


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"items": NaN}', "application/json", 400),
        (b'{"items": [{"product_id": 1, "quantity": 1e400}]}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"note": "\\ud800"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"items=1", "application/x-www-form-urlencoded", 415),
        (b'{"items": []}', "text/plain", 415),
        (b" " * (1024 * 1024 + 1), "application/json", 413),
    ],
)
def test_a_body_that_is_not_json_is_refused(
    customer: Caller, shelf: dict[str, int], run_sql: Sql, data: bytes, content_type: str, status: int
) -> None:
    response = customer.post("/orders/", data=data, content_type=content_type)
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    assert_nothing_was_written(run_sql, UNTOUCHED)


def test_a_visitor_cannot_order(client: Any, shelf: dict[str, int], run_sql: Sql) -> None:
    response = client.post("/orders/", json={"items": [{"product_id": shelf["flour"], "quantity": 1}]})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert_nothing_was_written(run_sql, UNTOUCHED)
