"""The list of products: finding, and changing price, stock and sale on the spot."""

from decimal import Decimal
from typing import Any

import pytest

from tests.products.factories import make_product
from tests.storefront.conftest import Browser, Sql
from tests.storefront.conftest import words_in as text_of
from tests.storefront.parts import part_of

PARTS = {"X-Parts": "1"}


def price_of(run_sql: Sql, product_id: int) -> int:
    return int(run_sql("SELECT price_cents FROM products WHERE id = :id", id=product_id)[0][0])


def stock_of(run_sql: Sql, product_id: int) -> Decimal:
    return Decimal(run_sql("SELECT stock FROM products WHERE id = :id", id=product_id)[0][0])


@pytest.fixture
def rice(context: None) -> int:
    return make_product("Pantry/Rice", name="Pishori rice", sku="RICE-2", price_cents=200_00, stock=Decimal(10))


def test_filters_leave_what_they_say(desk: Browser, rice: int) -> None:
    make_product("Bakery", name="Brown bread", stock=Decimal(0))
    make_product("Bakery", name="Old bun", is_active=False)
    make_product("Bakery", name="Few cakes", stock=Decimal(2), low_stock_threshold=Decimal(3))

    def shown(query: str) -> list[str]:
        page = desk.get(f"/admin/products/?{query}").text
        names = ("Pishori rice", "Brown bread", "Old bun", "Few cakes")
        return [name for name in names if f"<b>{name}</b>" in page]

    assert shown("") == ["Pishori rice", "Brown bread", "Few cakes"]
    assert shown("state=low") == ["Few cakes"]
    assert shown("state=out") == ["Brown bread"]
    assert shown("state=withdrawn") == ["Old bun"]
    assert shown("q=rice-2") == ["Pishori rice"]
    assert shown("state=nothing&cursor=abc&category=9x") == ["Pishori rice", "Brown bread", "Few cakes"]
    assert shown("category=99999999999999999999999") == ["Pishori rice", "Brown bread", "Few cakes"]


def test_a_name_with_markup_stays_text(boss: Browser) -> None:
    product_id = make_product(name="<script>alert(1)</script>", sku="=cmd|' /C calc'!A0")
    page = boss.get("/admin/products/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "=cmd|" in text_of(part_of(page, f"product-{product_id}"))
    for path in ("", "/stock", "/prices", "/delete"):
        assert "<script>alert" not in boss.get(f"/admin/products/{product_id}{path}").text


@pytest.mark.parametrize(
    ("written", "cents"), [("210", 210_00), ("KSh 210.50", 210_50), ("210,5", 210_50), ("0,599", None)]
)
def test_a_price_is_taken_in_any_clear_writing(
    boss: Browser, run_sql: Sql, rice: int, written: str, cents: int | None
) -> None:
    boss.post(f"/admin/products/{rice}/price", {"price": written, "version": "1"})
    assert price_of(run_sql, rice) == (cents or 200_00)


def test_saving_leads_back_to_the_row(boss: Browser, rice: int) -> None:
    form = {"price": "220", "version": "1", "return_to": "/admin/products/?q=rice"}
    answer = boss.post(f"/admin/products/{rice}/price", form)
    assert (answer.status_code, answer.location) == (303, f"/admin/products/?q=rice#product-{rice}")
    page = boss.get("/admin/products/?q=rice").text
    assert text_of(part_of(page, "said")) == "Price saved: Pishori rice"
    foreign = boss.post(f"/admin/products/{rice}/price", {"price": "230", "return_to": "//evil.example"})
    assert foreign.location == f"/admin/products/#product-{rice}"


def test_a_price_ten_times_as_high_is_asked_about_first(boss: Browser, run_sql: Sql, rice: int) -> None:
    form = {"price": "2000", "version": "1"}
    asked = boss.post(f"/admin/products/{rice}/price", form, headers=PARTS)
    assert "KSh 200 → KSh 2,000 is 10 times as much. Sure?" in text_of(part_of(asked.text, f"product-{rice}"))
    page = boss.post(f"/admin/products/{rice}/price", form)
    assert "Is this price right?" in page.text
    assert price_of(run_sql, rice) == 200_00
    assert run_sql("SELECT count(*) FROM price_history WHERE product_id = :id", id=rice) == [(0,)]
    boss.post(f"/admin/products/{rice}/price", {**form, "sure": "1"})
    assert price_of(run_sql, rice) == 2000_00


@pytest.mark.parametrize("price", ["50", "0", "66.66"])
def test_a_price_far_below_is_asked_about_too(boss: Browser, run_sql: Sql, rice: int, price: str) -> None:
    assert "Is this price right?" in boss.post(f"/admin/products/{rice}/price", {"price": price}).text
    assert price_of(run_sql, rice) == 200_00


@pytest.mark.parametrize("price", ["-5", "NaN", "1e3", "", "99999999999", "abc", "<b>1</b>", "1.234"])
def test_what_is_no_price_changes_nothing(boss: Browser, run_sql: Sql, rice: int, price: str) -> None:
    answer = boss.post(f"/admin/products/{rice}/price", {"price": price, "sure": "1"}, headers=PARTS)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert "<b>1</b>" not in answer.text
    assert price_of(run_sql, rice) == 200_00


def test_a_price_that_somebody_else_has_changed_is_not_overwritten(boss: Browser, run_sql: Sql, rice: int) -> None:
    boss.post(f"/admin/products/{rice}/price", {"price": "210", "version": "1"})
    answer = boss.post(f"/admin/products/{rice}/price", {"price": "220", "version": "1"}, headers=PARTS)
    assert "Somebody else has changed this meanwhile." in answer.text
    assert boss.post(f"/admin/products/{rice}/price", {"price": "220", "version": "x"}).status_code == 303
    assert price_of(run_sql, rice) == 210_00


def test_a_price_above_the_one_before_the_offer_ends_the_offer(boss: Browser, run_sql: Sql) -> None:
    product_id = make_product(price_cents=100_00, compare_at_price_cents=120_00)
    boss.post(f"/admin/products/{product_id}/price", {"price": "130"})
    found = run_sql("SELECT price_cents, compare_at_price_cents FROM products WHERE id = :id", id=product_id)
    assert found == [(130_00, None)]


def test_what_was_sold_meanwhile_stays_sold(desk: Browser, run_sql: Sql, rice: int) -> None:
    run_sql("UPDATE products SET stock = 8 WHERE id = :id", id=rice)
    run_sql("INSERT INTO stock_movements (product_id, delta, reason) VALUES (:id, -2, 'sold')", id=rice)
    answer = desk.post(f"/admin/products/{rice}/count", {"stock": "12", "was": "10", "since": "0"}, headers=PARTS)
    assert text_of(part_of(answer.text, "spoken")) == "Stock saved: Pishori rice"
    assert 'name="was" value="10"' in answer.text
    assert stock_of(run_sql, rice) == 10
    last = run_sql("SELECT delta, reason FROM stock_movements WHERE product_id = :id ORDER BY id DESC LIMIT 1", id=rice)
    assert last == [(Decimal("2.000"), "counted")]


@pytest.mark.parametrize("stock", ["-1", "NaN", "1.5", "99999999999", "", "1e3"])
def test_what_is_no_stock_changes_nothing(desk: Browser, run_sql: Sql, rice: int, stock: str) -> None:
    answer = desk.post(f"/admin/products/{rice}/count", {"stock": stock, "was": "10", "since": "0"}, headers=PARTS)
    assert 'role="alert"' in answer.text
    assert stock_of(run_sql, rice) == 10


def test_the_same_stock_again_notes_nothing(desk: Browser, run_sql: Sql, rice: int) -> None:
    desk.post(f"/admin/products/{rice}/count", {"stock": "10", "was": "10", "since": "0"})
    assert run_sql("SELECT count(*) FROM stock_movements WHERE product_id = :id", id=rice) == [(1,)]


def test_taking_off_sale_hides_it_from_the_shop(boss: Browser, rice: int) -> None:
    boss.post(f"/admin/products/{rice}/on-sale", {"is_active": "false", "version": "1"})
    assert text_of(part_of(boss.get("/admin/products/").text, "said")) == "Taken off sale: Pishori rice"
    assert "Pishori rice" not in boss.get("/search?q=rice").text
    row = boss.post(f"/admin/products/{rice}/on-sale", {"is_active": "true", "version": "2"}, headers=PARTS).text
    assert "Off sale" not in row
    assert "Pishori rice" in boss.get("/search?q=pishori").text
    assert boss.get("/admin/products/?state=withdrawn").text.count("Pishori rice") == 0


@pytest.mark.parametrize("path", ["price", "on-sale"])
def test_prices_and_sale_are_for_admins(desk: Browser, run_sql: Sql, rice: int, path: str) -> None:
    before: list[tuple[Any, ...]] = run_sql("SELECT * FROM products")
    assert desk.post(f"/admin/products/{rice}/{path}", {"price": "210", "is_active": "0"}).status_code == 403
    assert run_sql("SELECT * FROM products") == before
    page = desk.get("/admin/products/").text
    assert f'id="stock-{rice}"' in page
    assert f'id="price-{rice}"' not in page
    assert "Add a product" not in page


def test_what_customers_ask_for_is_listed(desk: Browser, run_sql: Sql) -> None:
    run_sql("INSERT INTO product_requests (words) VALUES ('Oat <milk>'), ('oat <milk>')")
    page = desk.get("/admin/products/requests")
    assert "oat <milk> 2 times" in text_of(page).lower()
    assert "<milk>" not in page.text


@pytest.mark.parametrize("path", ["price", "count", "on-sale", "picture", "stock", "prices", "delete"])
def test_products_that_there_are_not_are_404(boss: Browser, path: str) -> None:
    form = {
        "price": "1",
        "stock": "1",
        "was": "1",
        "since": "0",
        "reason": "counted",
        "quantity": "1",
        "is_active": "true",
    }
    assert boss.post(f"/admin/products/999999/{path}", form).status_code == 404
