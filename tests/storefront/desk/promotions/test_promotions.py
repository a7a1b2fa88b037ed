"""Offers: the list by state, the form of each kind, and their end."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.orders.promotions.factories import hold_promotion, make_promotion
from tests.products.factories import make_category, make_product
from tests.storefront.conftest import Browser, Sql
from tests.storefront.conftest import words_in as text_of

ALL = "SELECT name, code, kind, scope, value, buy_quantity, get_quantity FROM promotions"


def filled(**changes: str) -> dict[str, str]:
    return {
        "name": "Fresh week",
        "kind": "percent",
        "value_percent": "10",
        "scope": "basket",
        "is_active": "1",
        **changes,
    }


def test_the_list_says_what_state_each_is_in(boss: Browser) -> None:
    now = datetime.now(UTC)
    make_promotion(name="Now <b>", code="NOW10")
    make_promotion(name="Later", starts_at=now + timedelta(days=1))
    make_promotion(name="Past", ends_at=now - timedelta(days=1))
    make_promotion(name="Stopped", is_active=False)
    used_up = make_promotion(name="Gone", usage_limit=1)
    hold_promotion(used_up)
    page = boss.get("/admin/promotions/")
    words = text_of(page)
    places = [words.index(one) for one in ("Running 1", "Now <b>", "Planned 1", "Later", "Over 1", "Past", "Used up 1")]
    assert places == sorted(places)
    assert "used 1 of 1 times" in words
    assert "Switched off 1 Stopped" in words
    assert "Now <b>" not in page.text


@pytest.mark.parametrize(
    ("form", "stored"),
    [
        (filled(code="fresh10"), ("Fresh week", "FRESH10", "percent", "basket", Decimal("10.00"), None, None)),
        (
            filled(kind="fixed", value_fixed="KSh 1,000", value_percent="99", buy_quantity="2"),
            ("Fresh week", None, "fixed", "basket", Decimal("1000.00"), None, None),
        ),
        (
            filled(kind="buy_x_get_y", buy_quantity="2", get_quantity="1", value_fixed="5"),
            ("Fresh week", None, "buy_x_get_y", "basket", Decimal("0.00"), 2, 1),
        ),
        (
            filled(kind="free_delivery", scope="products", products="nothing"),
            ("Fresh week", None, "free_delivery", "basket", Decimal("0.00"), None, None),
        ),
    ],
)
def test_only_the_fields_of_the_kind_count(
    boss: Browser, run_sql: Sql, form: dict[str, str], stored: tuple[object, ...]
) -> None:
    answer = boss.post("/admin/promotions/new", form)
    assert (answer.status_code, answer.location) == (303, "/admin/promotions/")
    assert run_sql(ALL) == [stored]


def test_products_are_added_by_sku_barcode_or_name(boss: Browser, run_sql: Sql) -> None:
    ids = [make_product(sku="A-1"), make_product(barcode="12345678"), make_product(name="Brown Bread")]
    form = filled(scope="products", products="A-1\r\n12345678\n brown bread \n")
    boss.post("/admin/promotions/new", form)
    assert sorted(row[0] for row in run_sql("SELECT product_id FROM promotion_products")) == sorted(ids)
    assert run_sql("SELECT scope FROM promotions") == [("products",)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"kind": ""}, "Please fill this in."),
        ({"kind": "gift"}, "Choose what customers get."),
        ({"value_percent": "101"}, "Above 0; of percent 100 at most."),
        ({"value_percent": "-1"}, "Above 0; of percent 100 at most."),
        ({"value_percent": "NaN"}, "Above 0; of percent 100 at most."),
        ({"kind": "buy_x_get_y", "buy_quantity": "0", "get_quantity": "1"}, "A whole number, such as 2."),
        ({"code": "a b"}, "3 to 40 letters from A to Z"),
        ({"code": "TAKEN"}, "Another offer has this code."),
        ({"scope": "products"}, "Choose at least one, or choose the whole basket."),
        ({"scope": "products", "products": "NO-SUCH <b>"}, "Not found: NO-SUCH"),
        ({"scope": "categories"}, "Choose at least one, or choose the whole basket."),
        ({"usage_limit": "0"}, "A whole number above 0, or nothing."),
        ({"customer_id": "999999", "code": "MINE"}, "There is no such customer."),
        ({"starts_at": "2026-12-02T10:00", "ends_at": "2026-12-01T10:00"}, "Must be after the start."),
        ({"ends_at": "tomorrow"}, "After the start."),
    ],
)
def test_what_cannot_be_stands_beside_its_field(
    boss: Browser, run_sql: Sql, changes: dict[str, str], message: str
) -> None:
    make_promotion(name="Other", code="TAKEN")
    answer = boss.post("/admin/promotions/new", filled(**changes))
    assert answer.status_code == 422
    assert answer.text.count(message) == 2
    assert "NO-SUCH <b>" not in answer.text
    assert run_sql("SELECT name FROM promotions") == [("Other",)]


def test_editing_shows_what_there_is_and_keeps_it(boss: Browser, run_sql: Sql) -> None:
    fruit = make_category("Fruit")
    promotion_id = make_promotion(
        name="Fruit", category_ids=[fruit], starts_at=datetime(2026, 12, 1, 5, 0, tzinfo=UTC), usage_limit=50
    )
    page = boss.get(f"/admin/promotions/{promotion_id}").text
    assert 'value="2026-12-01T08:00"' in page  # eight o'clock in Nairobi
    assert f'name="category_ids" value="{fruit}" checked' in page
    form = filled(
        name="Fruit days",
        scope="categories",
        category_ids=str(fruit),
        value_percent="10.00",
        starts_at="2026-12-01T08:00",
        version="1",
    )
    assert boss.post(f"/admin/promotions/{promotion_id}", form).status_code == 303
    found = run_sql("SELECT name, scope, value, extract(hour FROM starts_at AT TIME ZONE 'UTC') FROM promotions")
    assert found == [("Fruit days", "categories", Decimal("10.00"), 5)]
    stale = boss.post(f"/admin/promotions/{promotion_id}", {**form, "name": "Older"})
    assert "Somebody else has changed this meanwhile." in stale.text
    assert run_sql("SELECT name FROM promotions") == [("Fruit days",)]


def test_the_limit_cannot_go_below_what_is_used(boss: Browser, run_sql: Sql) -> None:
    promotion_id = make_promotion(usage_limit=5)
    hold_promotion(promotion_id)
    hold_promotion(promotion_id)
    answer = boss.post(f"/admin/promotions/{promotion_id}", filled(usage_limit="1"))
    assert "More orders than that use it already." in answer.text
    assert run_sql("SELECT usage_limit FROM promotions") == [(5,)]


def test_one_is_ended_now_even_if_another_has_its_number_as_code(boss: Browser, run_sql: Sql) -> None:
    promotion_id = make_promotion(name="Mine")
    make_promotion(name="Other", code=f"{promotion_id:04}")
    boss.post(f"/admin/promotions/{promotion_id}/switch", {"is_active": "false", "version": "1"})
    assert run_sql("SELECT name, is_active FROM promotions ORDER BY id") == [("Mine", False), ("Other", True)]
    assert "Ended: Mine" in text_of(boss.get("/admin/promotions/"))
    boss.post(f"/admin/promotions/{promotion_id}/switch", {"is_active": "true", "version": "1"})
    assert run_sql("SELECT is_active FROM promotions WHERE id = :id", id=promotion_id) == [(False,)]  # an older page
    boss.post(f"/admin/promotions/{promotion_id}/switch", {"is_active": "true", "version": "2"})
    assert run_sql("SELECT is_active FROM promotions WHERE id = :id", id=promotion_id) == [(True,)]


def test_deleting(boss: Browser, run_sql: Sql) -> None:
    promotion_id = make_promotion()
    boss.post(f"/admin/promotions/{promotion_id}/delete", {"version": "9"})
    assert run_sql("SELECT count(*) FROM promotions") == [(1,)]
    boss.post(f"/admin/promotions/{promotion_id}/delete", {"version": "1"})
    assert run_sql("SELECT count(*) FROM promotions") == [(0,)]
    assert boss.get(f"/admin/promotions/{promotion_id}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("get", "new"), ("post", "new"), ("get", "{id}"), ("post", "{id}"), ("post", "{id}/switch")],
)
def test_offers_are_for_admins(desk: Browser, run_sql: Sql, method: str, path: str) -> None:
    promotion_id = make_promotion(name="Stays")
    answer = getattr(desk, method)(f"/admin/promotions/{path.format(id=promotion_id)}")
    assert answer.status_code == 403
    assert run_sql("SELECT name, is_active FROM promotions") == [("Stays", True)]


def test_an_offer_for_a_product_begins_with_it(boss: Browser) -> None:
    product_id = make_product(name="Jam <i>")
    page = boss.get(f"/admin/promotions/new?product={product_id}").text
    assert f'name="product_ids" value="{product_id}" checked' in page
    assert "Jam <i>" not in page
    assert boss.get("/admin/promotions/new?product=abc").status_code == 200
