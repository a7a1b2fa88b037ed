"""Promotions over HTTP: made, read, listed, deleted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from grocery.orders.promotions import examples
from grocery.orders.promotions.schemas import PromotionSchema, WritePromotionSchema
from tests.orders.conftest import Caller
from tests.orders.promotions.factories import hold_promotion, make_promotion
from tests.orders.promotions.stored import body_of, count_promotions, stored
from tests.problems import assert_problem
from tests.products.factories import make_category, make_product
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")


def soon(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


# Making


def test_the_least_that_a_promotion_needs_and_its_defaults(admin: Caller) -> None:
    answer = admin.post("/promotions/", json={"name": " Free  delivery ", "kind": "FREE_delivery"})
    assert answer.status_code == 201, answer.json
    [(promotion_id, created_at)] = select_rows("SELECT id, created_at FROM promotions")
    moment = created_at.isoformat().replace("+00:00", "Z")
    assert answer.json == {
        "id": promotion_id,
        "name": "Free delivery",
        "code": None,
        "kind": "free_delivery",
        "value": "0.00",
        "buy_quantity": None,
        "get_quantity": None,
        "scope": "basket",
        "product_ids": [],
        "category_ids": [],
        "min_basket": None,
        "usage_limit": None,
        "usage_limit_per_customer": None,
        "customer_id": None,
        "starts_at": None,
        "ends_at": None,
        "is_active": True,
        "state": "active",
        "used": 0,
        "created_at": moment,
        "updated_at": moment,
        "version": 1,
    }
    assert set(answer.json) == set(PromotionSchema().fields) == set(examples.PROMOTION)
    assert answer.headers["Location"] == f"/promotions/{promotion_id}"
    assert answer.headers["ETag"].startswith('"1-')
    assert admin.get(f"/promotions/{promotion_id}").json == answer.json
    assert admin.get("/promotions/").json == [answer.json]


def test_all_that_a_coupon_can_have(admin: Caller, customer: Caller) -> None:
    products = [make_product(), make_product()]
    sent = body_of(
        code=" save-10_x ",
        value=12.5,
        product_ids=[products[1], products[0], products[1]],
        category_ids=[],
        scope="Products",
        min_basket=500,
        usage_limit=200,
        usage_limit_per_customer=1,
        customer_id=customer.person.id,
        starts_at="2026-12-01T03:00:00+03:00",
        ends_at="2199-12-24T00:00:00.5Z",
        is_active=False,
    )
    answer = admin.post("/promotions/", json=sent)
    assert answer.status_code == 201, answer.json
    expected = {
        "code": "SAVE-10_X",
        "value": "12.50",
        "scope": "products",
        "product_ids": products,
        "category_ids": [],
        "min_basket": "500.00",
        "usage_limit": 200,
        "usage_limit_per_customer": 1,
        "customer_id": customer.person.id,
        "starts_at": "2026-12-01T00:00:00Z",
        "ends_at": "2199-12-24T00:00:00.500000Z",
        "is_active": False,
        "state": "off",
    }
    assert {name: answer.json[name] for name in expected} == expected
    assert select_rows("SELECT code, kind, scope, value, min_basket_cents, used_count FROM promotions") == [
        ("SAVE-10_X", "percent", "products", Decimal("12.50"), 500_00, 0)
    ]


def test_a_promotion_for_categories(admin: Caller) -> None:
    dairy, pantry = make_category("Dairy"), make_category("Pantry")
    sent = body_of(kind="buy_x_get_y", buy_quantity=2, get_quantity=1000, category_ids=[pantry, dairy, pantry])
    answer = admin.post("/promotions/", json=sent)
    assert answer.status_code == 201, answer.json
    names = ("scope", "category_ids", "product_ids", "buy_quantity", "get_quantity", "value")
    assert [answer.json[name] for name in names] == ["categories", [dairy, pantry], [], 2, 1000, "10.00"]


@pytest.mark.parametrize(
    "kind_and_value",
    [
        {"kind": "percent", "value": "0.01"},
        {"kind": "percent", "value": 100},
        {"kind": "fixed", "value": "10000000.00"},
        {"kind": "Fixed", "value": 0.5},
        {"kind": "free_delivery", "value": "7"},
        {"kind": "free_delivery", "value": None},
        {"kind": "buy_x_get_y", "buy_quantity": 1, "get_quantity": 1},
        {"kind": "percent", "value": 5, "buy_quantity": None, "product_ids": None, "category_ids": None, "scope": None},
        {"kind": "percent", "value": 5, "scope": "basket", "min_basket": "0", "usage_limit": 1_000_000},
    ],
)
def test_values_at_the_edges_of_what_is_allowed(admin: Caller, kind_and_value: dict[str, Any]) -> None:
    answer = admin.post("/promotions/", json={"name": "Edge", **kind_and_value})
    assert answer.status_code == 201, answer.json
    assert answer.json["value"] == f"{Decimal(str(kind_and_value.get('value') or 0)):.2f}"
    assert answer.json["scope"] == "basket"


def test_a_thousand_products_are_named(admin: Caller, run_sql: Any) -> None:
    rows = run_sql(
        "INSERT INTO products (name, category_id, category_path, price_cents)"
        " SELECT 'Product ' || n, :category, 'Dairy', 100 FROM generate_series(1, 1000) AS n RETURNING id",
        category=make_category("Dairy"),
    )
    ids = sorted(product_id for (product_id,) in rows)
    answer = admin.post("/promotions/", json=body_of(product_ids=ids[::-1]))
    assert (answer.status_code, answer.json["product_ids"]) == (201, ids)


# Codes


def test_a_code_is_taken_in_any_letter_case(admin: Caller) -> None:
    make_promotion(code="SAVE10")
    other = make_promotion(code="OTHER")
    before = stored(other)
    for answer in (
        admin.post("/promotions/", json=body_of(code="Save10")),
        admin.put(f"/promotions/{other}", json=body_of(code="save10")),
    ):
        assert_problem(answer, 409, "code_taken")
        assert answer.json["detail"] == "Another promotion has the code SAVE10."
    assert (count_promotions(), stored(other)) == (2, before)


def test_of_eight_admins_with_the_same_code_at_once_one_makes_it(admin: Caller) -> None:
    def post(_: int) -> int:
        return admin.post("/promotions/", json=body_of(code="SAVE10")).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(post, range(8))) == [201] + [409] * 7
    assert select_rows("SELECT code FROM promotions") == [("SAVE10",)]


def test_a_code_is_free_again_when_its_promotion_is_gone(admin: Caller) -> None:
    first = admin.post("/promotions/", json=body_of(code="SAVE10")).json["id"]
    assert admin.delete(f"/promotions/{first}").status_code == 204
    assert admin.post("/promotions/", json=body_of(code="SAVE10")).status_code == 201


# Reading


def test_the_state_says_the_first_thing_that_is_in_the_way(admin: Caller) -> None:
    past, ahead = {"ends_at": soon(-1)}, {"starts_at": soon(1)}
    used_up = make_promotion(usage_limit=1, **ahead)
    hold_promotion(used_up)
    over = make_promotion(usage_limit=1, **past)
    hold_promotion(over)
    given_back = make_promotion(usage_limit=1)
    hold_promotion(given_back, status="cancelled")
    expected = {
        make_promotion(): "active",
        make_promotion(starts_at=soon(-2), ends_at=soon(1), usage_limit=1): "active",
        make_promotion(**ahead): "scheduled",
        make_promotion(**past): "ended",
        make_promotion(is_active=False, **past): "off",
        used_up: "used_up",
        over: "ended",
        given_back: "active",
    }
    assert {one["id"]: one["state"] for one in admin.get("/promotions/").json} == expected


def test_the_orders_that_hold_it_are_counted_but_not_those_cancelled(admin: Caller) -> None:
    promotion, other = make_promotion(code="SAVE10"), make_promotion()
    for status in ("pending", "delivered", "cancelled"):
        hold_promotion(promotion, status=status)
    hold_promotion(other)
    assert admin.get(f"/promotions/{promotion}").json["used"] == 2
    assert [(one["id"], one["used"]) for one in admin.get("/promotions/").json] == [(other, 1), (promotion, 2)]


def test_products_that_are_deleted_leave_it_a_promotion_for_products(admin: Caller) -> None:
    products = [make_product(), make_product()]
    promotion = make_promotion(product_ids=products)
    for gone, left in ((products[0], [products[1]]), (products[1], [])):
        assert admin.delete(f"/products/{gone}").status_code == 204
        answer = admin.get(f"/promotions/{promotion}").json
        assert (answer["scope"], answer["product_ids"], answer["version"]) == ("products", left, 1)


def test_a_category_that_is_deleted_leaves_it_a_promotion_for_categories(admin: Caller) -> None:
    category = make_category("Dairy")
    promotion = make_promotion(category_ids=[category])
    assert admin.delete(f"/categories/{category}").status_code == 204
    answer = admin.get(f"/promotions/{promotion}").json
    assert (answer["scope"], answer["category_ids"]) == ("categories", [])


def test_a_personal_coupon_goes_with_its_customer(admin: Caller, customer: Caller) -> None:
    promotion, other = make_promotion(code="MINE", customer_id=customer.person.id), make_promotion(code="ALL")
    assert admin.delete(f"/auth/users/{customer.person.id}").status_code == 204
    assert admin.get(f"/promotions/{promotion}").status_code == 404
    assert admin.get(f"/promotions/{other}").status_code == 200


def test_the_list_is_in_pages_newest_first(admin: Caller) -> None:
    made = [make_promotion() for _ in range(7)]
    seen: list[int] = []
    following: str | None = "/promotions/?limit=3"
    pages = 0
    while following:
        answer = admin.get(following)
        seen += [one["id"] for one in answer.json]
        link = answer.headers.get("Link")
        following = link.removeprefix("<").removesuffix('>; rel="next"') if link else None
        pages += 1
    assert (seen, pages) == (made[::-1], 3)


def test_the_list_is_filtered(admin: Caller) -> None:
    coupon = make_promotion(code="SAVE10", is_active=False)
    fixed = make_promotion(kind="fixed")
    plain = make_promotion()

    def ids(query: str) -> list[int]:
        answer = admin.get(f"/promotions/?{query}")
        assert answer.status_code == 200, answer.json
        return [one["id"] for one in answer.json]

    assert ids("is_active=false") == [coupon]
    assert ids("is_active=true") == [plain, fixed]
    assert ids("code=sAve10") == [coupon]
    assert ids("code=SAVE1") == []
    assert ids("kind=PERCENT") == [plain, coupon]
    assert ids("kind=percent&is_active=true&limit=1") == [plain]
    assert ids("kind=buy_x_get_y") == []


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "cursor=x", "cursor=WyJhIl0", "is_active=yes", "code=a%20b", "code=", "kind=x", "q=1"],
)
def test_bad_arguments_of_the_list(admin: Caller, query: str) -> None:
    answer = admin.get(f"/promotions/?{query}")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


# Who may


def test_only_admins_see_promotions(admin: Caller, staff: Caller, customer: Caller) -> None:
    promotion = make_promotion()
    before = stored(promotion)
    for method, path in (
        ("get", "/promotions/"),
        ("post", "/promotions/"),
        ("get", f"/promotions/{promotion}"),
        ("put", f"/promotions/{promotion}"),
        ("delete", f"/promotions/{promotion}"),
    ):
        sent = {"json": body_of(name="Mine")} if method in ("post", "put") else {}
        for who in (staff, customer):
            assert_problem(getattr(who, method)(path, **sent), 403, "forbidden")
        assert getattr(admin.client, method)(path, **sent).status_code == 401
    assert (count_promotions(), stored(promotion)) == (1, before)


@pytest.mark.parametrize("promotion_id", [999_999, 0, 2**63 - 1, 2**63, 10**30])
def test_what_is_not_there_is_said_before_anything_else(admin: Caller, promotion_id: int) -> None:
    address = f"/promotions/{promotion_id}"
    assert_problem(admin.get(address), 404, "not_found")
    assert_problem(admin.delete(address), 404, "not_found")
    assert_problem(admin.delete(address, headers={"If-Match": "nonsense"}), 404, "not_found")
    for sent in ({"json": body_of()}, {"json": {"nonsense": 1}}, {"json": body_of(product_ids=[5])}, {"data": "x"}, {}):
        assert_problem(admin.put(address, **sent), 404, "not_found")
    assert count_promotions() == 0


# Deleting


def test_orders_keep_the_discount_of_a_promotion_that_is_deleted(admin: Caller) -> None:
    promotion = make_promotion(code="SAVE10", product_ids=[make_product()], usage_limit=5)
    order = hold_promotion(promotion)
    answer = admin.delete(f"/promotions/{promotion}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert count_promotions() == 0
    assert select_rows("SELECT order_id, promotion_id, code, name FROM order_discounts") == [
        (order, None, "SAVE10", "Ten percent")
    ]
    assert admin.delete(f"/promotions/{promotion}").status_code == 404


def test_the_example_is_what_can_be_sent() -> None:
    loaded = WritePromotionSchema().load(examples.WANTED)
    assert (loaded["value"], loaded["starts_at"]) == (Decimal("10.00"), datetime(2026, 12, 1, tzinfo=UTC))
