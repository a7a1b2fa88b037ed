"""What several walks through the shop have in common."""

import re
from typing import Any

from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import text

from grocery.db import db
from tests.browser.full_shop import FullShop
from tests.products.ledger import select_rows


def rows(app: Flask, statement: str, **parameters: object) -> list[tuple[Any, ...]]:
    """Rows of a statement, while the app serves a browser."""
    with app.app_context():
        found = select_rows(statement, **parameters)
        db.session.remove()
        return [tuple(row) for row in found]


def code_for(app: Flask, phone: str) -> str:
    """The code of the last SMS to a phone, as its owner reads it there."""
    statement = "SELECT body FROM notifications WHERE recipient = :phone AND priority = 0 ORDER BY id DESC LIMIT 1"
    [(body,)] = rows(app, statement, phone=phone)
    match = re.search(r"\b\d{6}\b", body)
    assert match, body
    return match[0]


def put_in(page: Page, shop: FullShop, name: str = "product") -> None:
    """Put a product into the basket on its page."""
    product_id = shop.ids[name]
    page.goto(f"{shop.address}/p/{product_id}-x")
    page.locator(f"[data-key=add-{product_id}]").click()
    expect(page.locator(f"[data-key=less-{product_id}]")).to_be_visible()


def order_number(page: Page) -> str:
    """Of the confirmation that is shown."""
    expect(page.get_by_role("heading", name="Thank you. Your order is placed.")).to_be_visible()
    return page.locator("dl.facts dd").first.inner_text()


def change(app: Flask, statement: str, **parameters: object) -> None:
    """What somebody else does meanwhile."""
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(statement), parameters)
