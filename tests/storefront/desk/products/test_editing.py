"""The page of a product: all fields, pictures, stock, prices, and its end."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.factories import place
from tests.products.factories import make_category, make_product
from tests.products.images.conftest import media
from tests.products.images.pictures import jpeg
from tests.storefront.conftest import Browser, Sql
from tests.storefront.conftest import words_in as text_of

__all__ = ["media"]


def filled(**changes: str) -> dict[str, str]:
    form = {
        "name": "Oat milk",
        "category_id": str(make_category("Drinks")),
        "price": "310",
        "unit": "each",
        "vat_class": "standard",
        "allergens": "oats, gluten",
        "stock": "12",
        "is_active": "1",
    }
    return {**form, **changes}


def send_file(boss: Browser, path: str, data: bytes, **fields: str) -> Any:
    # By hand, since Werkzeug's client leaves a temporary file open for a large form.
    boss.get("/admin/products/")
    parts = [
        f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {"csrf_token": boss.csrf_token, **fields}.items()
    ]
    head = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="x.jpg"\r\n\r\n'
    body = b"".join(parts) + head + data + b"\r\n--cut--\r\n"
    return boss.client.post(path, data=body, content_type="multipart/form-data; boundary=cut")


def test_a_product_is_made_with_its_stock(boss: Browser, run_sql: Sql) -> None:
    answer = boss.post("/admin/products/new", filled())
    [(product_id, price, allergens, stock)] = run_sql("SELECT id, price_cents, allergens, stock FROM products")
    assert (answer.status_code, answer.location) == (303, f"/admin/products/{product_id}")
    assert (price, allergens, stock) == (310_00, ["oats", "gluten"], 12)
    assert run_sql("SELECT reason, actor_id IS NOT NULL FROM stock_movements") == [("opening", True)]
    assert "Added: Oat milk" in text_of(boss.get(answer.location))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"price": "-1"}, "Write the price as 149 or 149.50."),
        ({"price": "NaN"}, "Write the price as 149 or 149.50."),
        ({"category_id": ""}, "Please fill this in."),
        ({"category_id": "999999"}, "Choose a category."),
        ({"category_id": "x"}, "Choose a category."),
        ({"stock": "-3"}, "Write how many there are, such as 24; by piece whole ones."),
        ({"stock": "1.5"}, "Write how many there are, such as 24; by piece whole ones."),
        ({"barcode": "123"}, "A barcode has 8 to 14 digits."),
        ({"compare_at_price": "300"}, "Must be above the price."),
        ({"country_of_origin": "ZZ"}, "Two letters, such as KE."),
        ({"sku": "TAKEN"}, "Another product has this SKU."),
    ],
)
def test_what_is_wrong_stands_beside_the_field(
    boss: Browser, run_sql: Sql, changes: dict[str, str], message: str
) -> None:
    make_product(sku="TAKEN", name="Other")
    answer = boss.post("/admin/products/new", filled(**changes, description="Kept <b>"))
    assert answer.status_code == 422
    assert answer.text.count(message) == 2  # in the summary, and beside the field
    assert "<title>Error: " in answer.text
    assert "Kept &lt;b&gt;" in answer.text
    assert run_sql("SELECT name FROM products") == [("Other",)]


def test_saving_keeps_picture_and_stock(boss: Browser, run_sql: Sql) -> None:
    product_id = make_product(image_url="https://example.com/a.jpg", price_cents=300_00)
    boss.post(f"/admin/products/{product_id}", filled(version="1", stock="99"))
    found = run_sql("SELECT name, image_url, stock, version FROM products")
    assert found == [("Oat milk", "https://example.com/a.jpg", Decimal(10), 2)]


def test_a_price_far_from_the_one_before_needs_a_tick(boss: Browser, run_sql: Sql) -> None:
    product_id = make_product(price_cents=31_00)
    asked = boss.post(f"/admin/products/{product_id}", filled(version="1"))
    assert asked.status_code == 422
    assert "The price would be 10 times as much. If it is right, tick the box." in asked.text
    assert run_sql("SELECT price_cents FROM products") == [(31_00,)]
    boss.post(f"/admin/products/{product_id}", filled(version="1", sure="1"))
    assert run_sql("SELECT price_cents FROM products") == [(310_00,)]


def test_an_older_page_overwrites_nothing_and_keeps_what_was_typed(boss: Browser, run_sql: Sql) -> None:
    product_id = make_product(price_cents=300_00, name="First")
    run_sql("UPDATE products SET version = 5")
    answer = boss.post(f"/admin/products/{product_id}", filled(version="4"))
    assert answer.status_code == 422
    assert "Somebody else has changed this meanwhile." in answer.text
    assert 'value="Oat milk"' in answer.text
    assert run_sql("SELECT name FROM products") == [("First",)]


def test_deleting_names_the_orders_first(boss: Browser, customer: Caller, run_sql: Sql) -> None:
    product_id, other = make_product(name="Old jam"), make_product()
    alone, both = place(customer, {product_id: 1}), place(customer, {product_id: 1, other: 1})
    page = text_of(boss.get(f"/admin/products/{product_id}/delete"))
    assert "2 open orders have it." in page
    assert alone["number"] in page
    assert both["number"] in page
    boss.post(f"/admin/products/{product_id}/delete", {"version": "7"})
    assert run_sql("SELECT count(*) FROM products WHERE id = :id AND is_active", id=product_id) == [(1,)]
    answer = boss.post(f"/admin/products/{product_id}/delete", {"version": "1"})
    assert answer.location == "/admin/products/"
    assert run_sql("SELECT id FROM products") == [(other,)]
    assert run_sql("SELECT status FROM orders ORDER BY id") == [("cancelled",), ("pending",)]


def test_a_photo_becomes_the_picture(boss: Browser, run_sql: Sql, media: Path) -> None:
    product_id = make_product()
    answer = send_file(boss, f"/admin/products/{product_id}/picture", jpeg(), version="1")
    assert (answer.status_code, answer.location) == (303, f"/admin/products/{product_id}")
    assert "The new picture is in the shop." in text_of(boss.get(answer.location))
    assert run_sql("SELECT image_url IS NOT NULL FROM products") == [(True,)]
    boss.post(f"/admin/products/{product_id}/picture/remove", {"version": "2"})
    assert run_sql("SELECT image_url FROM products") == [(None,)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Choose a photo first."),
        (b"GIF89a not a picture", "This is no picture that we can read."),
        (b"<svg onload=alert(1)>", "This is no picture that we can read."),
        (b"\xff" * (10 * 1024 * 1024 + 1), "The file is too big: 10 MB at most."),
        (b"\xff" * (11 * 1024 * 1024), "The file is too big: 10 MB at most."),
    ],
    ids=["nothing", "gif", "svg", "a byte too many", "far too big"],
)
def test_what_is_no_photo_changes_nothing(boss: Browser, run_sql: Sql, media: Path, data: bytes, message: str) -> None:
    product_id = make_product()
    answer = send_file(boss, f"/admin/products/{product_id}/picture", data, version="1")
    assert answer.status_code == 303
    assert message in text_of(boss.get(answer.location))
    assert run_sql("SELECT image_url, version FROM products") == [(None, 1)]


def test_a_large_form_is_not_read_for_others(desk: Browser, run_sql: Sql, media: Path) -> None:
    product_id = make_product()
    answer = send_file(desk, f"/admin/products/{product_id}/picture", b"\xff" * (2 * 1024 * 1024))
    assert answer.status_code == 303
    assert send_file(desk, f"/admin/products/{product_id}/picture", jpeg()).status_code == 403
    assert run_sql("SELECT image_url FROM products") == [(None,)]


def test_stock_is_changed_with_a_reason(desk: Browser, run_sql: Sql) -> None:
    product_id = make_product()
    path = f"/admin/products/{product_id}/stock"
    for form in (
        {"reason": "received", "quantity": "5", "code": "L-1", "expires_on": "2999-01-31", "note": "from <Juma>"},
        {"reason": "damaged", "quantity": "2"},
        {"reason": "counted", "quantity": "11"},
    ):
        assert desk.post(path, form).status_code == 303, form
    found = run_sql("SELECT delta, reason, lot_id IS NOT NULL FROM stock_movements ORDER BY id")
    assert found[1:] == [(5, "received", True), (-2, "damaged", True), (-2, "counted", True)]
    page = desk.get(path)
    assert "Delivered to us from <Juma> +5 15" in text_of(page)
    assert "<Juma>" not in page.text


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"reason": "damaged", "quantity": "11"}, "So many are not in stock."),
        ({"reason": "damaged", "quantity": "-1"}, "Write how many, such as 24; by piece whole ones."),
        ({"reason": "received", "quantity": "0"}, "Write how many, such as 24; by piece whole ones."),
        ({"reason": "received", "quantity": "1.5"}, "Write how many, such as 24; by piece whole ones."),
        ({"reason": "received", "quantity": "NaN"}, "Write how many, such as 24; by piece whole ones."),
        ({"reason": "received", "quantity": "1e9"}, "Write how many, such as 24; by piece whole ones."),
        ({"reason": "sold", "quantity": "1"}, "Choose what has happened."),
        ({"reason": "received", "quantity": "1", "code": "A", "expires_on": "2001-01-01"}, "A lot has a code;"),
        ({"reason": "expired", "quantity": "1", "lot_id": "999999"}, "This product has no such lot."),
    ],
)
def test_what_cannot_be_leaves_the_stock(desk: Browser, run_sql: Sql, form: dict[str, str], message: str) -> None:
    product_id = make_product()
    answer = desk.post(f"/admin/products/{product_id}/stock", form)
    assert answer.status_code == 422
    assert message in text_of(answer)
    assert run_sql("SELECT stock FROM products") == [(10,)]
    assert run_sql("SELECT count(*) FROM stock_lots") == [(0,)]


def test_an_offer_is_planned_and_called_off(boss: Browser, run_sql: Sql) -> None:
    product_id = make_product(price_cents=100_00)
    path = f"/admin/products/{product_id}/prices"
    wrong = boss.post(path, {"price": "120", "ends_at": "2026-01-01T10:00"})
    assert wrong.status_code == 422
    assert run_sql("SELECT count(*) FROM price_changes") == [(0,)]
    run_sql("SELECT 1")
    [(start, end)] = run_sql(
        "SELECT to_char(now() + interval '2 days', 'YYYY-MM-DD'), to_char(now() + interval '4 days', 'YYYY-MM-DD')"
    )
    form = {"price": "80", "starts_at": f"{start}T08:00", "ends_at": f"{end}T20:00"}
    assert boss.post(path, form).status_code == 303
    [(change_id, hour)] = run_sql("SELECT id, extract(hour FROM starts_at AT TIME ZONE 'UTC') FROM price_changes")
    assert hour == 5  # eight o'clock in Nairobi
    assert "KSh 80 to come" in text_of(boss.get(path))
    boss.post(f"{path}/{change_id}/cancel")
    assert run_sql("SELECT status FROM price_changes") == [("cancelled",)]


ADMINS_ONLY = [
    ("GET", "/new"),
    ("POST", "/new"),
    ("GET", "/{id}"),
    ("POST", "/{id}"),
    ("GET", "/{id}/delete"),
    ("POST", "/{id}/delete"),
    ("POST", "/{id}/picture"),
    ("POST", "/{id}/picture/remove"),
    ("POST", "/{id}/prices"),
    ("POST", "/{id}/prices/1/cancel"),
    ("GET", "/categories"),
    ("POST", "/categories"),
    ("GET", "/import"),
    ("POST", "/import"),
    ("GET", "/export.csv"),
    ("GET", "/imports/1"),
    ("POST", "/imports/1/apply"),
    ("GET", "/imports/1/refused.csv"),
]


@pytest.mark.parametrize(("method", "path"), ADMINS_ONLY)
def test_staff_are_kept_out_of_what_is_for_admins(desk: Browser, run_sql: Sql, method: str, path: str) -> None:
    product_id = make_product(name="Stays")
    place_of = f"/admin/products{path.format(id=product_id)}"
    answer = desk.get(place_of) if method == "GET" else desk.post(place_of, filled())
    assert answer.status_code == 403
    assert run_sql("SELECT name, price_cents FROM products") == [("Stays", 100_00)]


def test_staff_see_stock_and_prices(desk: Browser) -> None:
    product_id = make_product()
    for path in ("stock", "prices"):
        page = desk.get(f"/admin/products/{product_id}/{path}")
        assert page.status_code == 200
        assert "Plan an offer" not in page.text


def test_categories_are_added_moved_and_deleted(boss: Browser, run_sql: Sql) -> None:
    drinks, pantry = make_category("Drinks"), make_category("Pantry")
    boss.post("/admin/products/categories", {"name": "Juice", "parent_id": str(drinks)})
    [(juice,)] = run_sql("SELECT id FROM categories WHERE path = 'Drinks/Juice'")
    form = {"name": "Juices <i>", "parent_id": str(pantry), "position": "3"}
    assert boss.post(f"/admin/products/categories/{juice}", form).status_code == 303
    assert run_sql("SELECT path, position FROM categories WHERE id = :id", id=juice) == [("Pantry/Juices <i>", 3)]
    assert "<i>" not in boss.get("/admin/products/categories").text
    cycle = boss.post(f"/admin/products/categories/{pantry}", {"name": "Pantry", "parent_id": str(juice)})
    assert "It cannot be below itself." in cycle.text
    boss.post(f"/admin/products/categories/{pantry}/delete")
    assert "There are products or categories in it." in text_of(boss.get(f"/admin/products/categories/{pantry}"))
    boss.post(f"/admin/products/categories/{juice}/delete")
    assert run_sql("SELECT path FROM categories ORDER BY path") == [("Drinks",), ("Pantry",)]


@pytest.mark.parametrize("form", [{"name": ""}, {"name": "a/b"}, {"name": "Drinks"}, {"name": "X", "parent_id": "x"}])
def test_categories_that_cannot_be_are_refused(boss: Browser, run_sql: Sql, form: dict[str, str]) -> None:
    make_category("Drinks")
    assert boss.post("/admin/products/categories", form).status_code == 422
    assert run_sql("SELECT path FROM categories") == [("Drinks",)]
