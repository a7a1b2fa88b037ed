"""The basket of this request, read once however many places of a page ask for it."""

from decimal import Decimal
from typing import Any

from flask import current_app, g

from grocery.db import reader
from grocery.orders.cart.access import cart_owner, has_visitors_cart
from grocery.orders.cart.service import CartOwner, read_cart
from grocery.orders.delivery.zones import list_zones
from grocery.storefront.basket.hints import delivery_hint


def basket_owner() -> CartOwner:
    """Whose basket it is; a visitor without one has a new one by this request's token."""
    if "basket_owner" not in g:
        g.basket_owner = cart_owner()
    owner: CartOwner = g.basket_owner
    return owner


def current_basket() -> dict[str, Any] | None:
    """The cart as JSON-ready data; None for a visitor who has none, and on pages that do not ask who it is."""
    if "basket" not in g:
        g.basket = _read()
    basket: dict[str, Any] | None = g.basket
    return basket


def know_no_basket() -> None:
    """At the beginning of a page: `g` may be shared with the request before, in tests."""
    for name in ("basket", "basket_owner", "zones"):
        g.pop(name, None)


def forget_basket() -> None:
    """Read it again: it was changed."""
    g.pop("basket", None)


def basket_item(product_id: int) -> dict[str, Any] | None:
    """The item of a product in the basket; None when it is not in."""
    items: list[dict[str, Any]] = (current_basket() or {"items": []})["items"]
    return next((item for item in items if item["product_id"] == product_id), None)


def in_basket(product_id: int) -> Decimal | None:
    """How much of a product is in the basket."""
    item = basket_item(product_id)
    return Decimal(str(item["quantity"])) if item else None


def basket_hint() -> str | None:
    """What is missing to the minimum of a delivery, or to a free one; None for an empty basket."""
    basket = current_basket()
    if not basket or not basket["items"]:
        return None
    if "zones" not in g:
        with reader() as connection:
            g.zones = list_zones(connection)
    return delivery_hint(basket["subtotal"], g.zones)


def _read() -> dict[str, Any] | None:
    if "person" not in g or (g.person is None and "basket_owner" not in g and not has_visitors_cart()):
        return None
    owner = basket_owner()
    with reader() as connection:
        return read_cart(connection, owner, current_app.config["CURRENCY"])
