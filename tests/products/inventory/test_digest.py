"""The morning's e-mail to admins: once a day, and only when something has become low."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import text

from grocery.db import db, transaction
from grocery.products.inventory.digest import is_digest_due, queue_digest
from grocery.products.inventory.tasks import send_digest
from tests.products.factories import make_product
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")

MORNING = datetime(2026, 3, 2, 7, 0, tzinfo=ZoneInfo("Africa/Nairobi"))
DAY = timedelta(days=1)


def look(now: datetime) -> int | None:
    """How many products were told as new; None when it was not time."""
    with transaction() as session:
        return queue_digest(session, now) if is_digest_due(session, now) else None


def mails() -> list[tuple]:
    return select_rows("SELECT recipient, subject, dedupe_key FROM notifications ORDER BY id")


def set_stock(product_id: int, stock: int) -> None:
    with db.engine.begin() as connection:
        connection.execute(
            text("UPDATE products SET stock = :stock WHERE id = :id"), {"id": product_id, "stock": stock}
        )


def make_low(name: str) -> int:
    return make_product(name=name, stock=Decimal(2), low_stock_threshold=Decimal(5))


def test_admins_are_told_in_the_morning() -> None:
    make_low("Milk")
    assert look(MORNING - timedelta(minutes=1)) is None
    assert mails() == []
    assert look(MORNING) == 1
    assert mails() == [("owner@shop.example", "Low in stock: Milk", "stock_low:2026-03-02:owner@shop.example")]
    [(body,)] = select_rows("SELECT body FROM notifications")
    assert "Milk (" in body
    assert "2 left" in body
    assert "1 in all" in body


def test_they_are_told_in_the_language_of_the_shop(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SHOP_LANGUAGE", "sw")
    make_low("Maziwa")
    assert look(MORNING) == 1
    [(subject, body, language)] = select_rows("SELECT subject, body, language FROM notifications")
    assert (subject, language) == ("Zinakaribia kwisha: Maziwa", "sw")
    assert "zimebaki 2\n" in body


def test_they_are_told_once_a_day() -> None:
    make_low("Milk")
    assert look(MORNING + timedelta(hours=5)) == 1
    make_low("Bread")
    assert look(MORNING + timedelta(hours=6)) is None
    assert look(MORNING + DAY) == 1
    assert [subject for _, subject, _ in mails()] == ["Low in stock: Milk", "Low in stock: Bread"]
    assert select_rows("SELECT day FROM stock_digests ORDER BY day") == [(date(2026, 3, 2),), (date(2026, 3, 3),)]


def test_what_stays_low_is_not_told_again_and_what_becomes_low_again_is() -> None:
    milk, bread = make_low("Milk"), make_low("Bread")
    assert look(MORNING) == 2
    assert look(MORNING + DAY) == 0
    set_stock(milk, 50)
    assert look(MORNING + 2 * DAY) == 0
    set_stock(milk, 1)
    assert look(MORNING + 3 * DAY) == 1
    assert [subject for _, subject, _ in mails()] == ["Low in stock: Milk and 1 more", "Low in stock: Milk"]
    assert bread


def test_nothing_low_is_nothing_to_tell() -> None:
    make_product(stock=Decimal(50), low_stock_threshold=Decimal(5))
    make_product(stock=Decimal(0))
    assert look(MORNING) == 0
    assert mails() == []


def test_a_mail_names_fifty_products_and_counts_the_rest() -> None:
    with db.engine.begin() as connection:
        make_low("Product")
        connection.execute(
            text("""
            INSERT INTO products (name, category_id, price_cents, stock, low_stock_threshold)
            SELECT 'Product', category_id, 1, 2, 5 FROM products, generate_series(1, 52)
        """)
        )
    assert look(MORNING) == 53
    [(body,)] = select_rows("SELECT body FROM notifications")
    assert body.count(" 2 left\n") == 50
    assert "... and 3 more." in body
    assert mails()[0][1] == "Low in stock: Product and 52 more"


def test_the_relay_looks_at_the_shops_own_time() -> None:
    make_low("Milk")
    send_digest()
    now = datetime.now(ZoneInfo("Africa/Nairobi"))
    expected = [(now.date(),)] if now.hour >= 7 else []
    assert select_rows("SELECT day FROM stock_digests") == expected
    send_digest()
    assert len(mails()) == len(expected)
