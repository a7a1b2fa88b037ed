"""The address of every page of shop and desk, with things that exist, and why some are none to look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from grocery.storefront.desk.reports.words import REPORTS
from grocery.storefront.pages import StorePages
from tests.browser.full_shop import FullShop

#: Endpoints that show nothing to people, and why.
NO_PAGES = {
    "assets.send_asset": "a file",
    "shop.show_manifest": "a file",
    "shop.send_worker": "a file",
    "following.show_invoice": "a PDF",
    "following.show_credit_note": "a PDF",
    "following.stream": "leads to the stream",
    "desk_orders.show_packing_slip": "a PDF",
    "desk_orders.show_invoice": "a PDF",
    "desk_reports.show_reports": "leads to the first report",
    "desk_products.export_products": "a CSV file",
    "desk_products.download_refusals": "a CSV file",
}

#: Endpoints whose pages come only after a form; `test_accessibility` goes there.
STEPS = frozenset(
    {
        "account.show_code",
        "account.show_naming",
        "account.show_second_step",
        "account.show_choice",
        "account.show_phone_code",
    }
)

_ALL_STATES = [("order", state) for state in ("pending", "confirmed", "packed", "shipped", "delivered", "cancelled")]

# Pages that have several faces: by what they are asked for, or by the order or product that they show.
_FACES: dict[str, list[tuple[str, str]]] = {
    "shop.show_category": [("asked", ""), ("asked", "?in_stock=1")],
    "shop.search": [
        ("asked", f"?{asked}") for asked in ("", "q=bread", "q=breed", "q=xylophone", "q=bread&min_price=1")
    ],
    "shop.narrow_category": [("asked", ""), ("asked", "?max_price=500&in_stock=1")],
    "shop.narrow_search": [("asked", "?q=bread")],
    "shop.show_product": [("product", name) for name in ("product", "bad", "long", "sold_out")],
    "account.show_sign_in": [("asked", ""), ("asked", "?return_to=/checkout")],
    "account.show_verification": [("asked", "?token=none-such")],
    "account.show_invitation": [("asked", "?token=none-such")],
    "following.show_order": _ALL_STATES,
    "desk_orders.show_order": _ALL_STATES,
    "following.confirm_cancel": [("order", "pending")],
    "desk_orders.show_prints": [("asked", "?order={order_id}"), ("asked", "?order={order_id}&what=slips")],
    "desk_reports.show_report": [("name", name) for name in REPORTS],
}


@dataclass(frozen=True)
class ShopPage:
    endpoint: str
    access: str
    path: str


def list_pages(app: Flask, shop: FullShop) -> list[ShopPage]:
    """All that have a sample, of which `list_unsampled` sees to it that these are all."""
    return [page for rule in _page_rules(app) for page in _pages_of(app, rule, shop)]


def list_unsampled(app: Flask, shop: FullShop) -> list[str]:
    """Rules of pages for which this module knows no arguments."""
    return [rule.rule for rule in _page_rules(app) if not _names(rule) <= _samples(shop).keys()]


def _page_rules(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        blueprint = app.blueprints.get(rule.endpoint.rpartition(".")[0])
        is_page = isinstance(blueprint, StorePages) and "GET" in (rule.methods or ())
        if is_page and rule.endpoint not in NO_PAGES and rule.endpoint not in STEPS:
            yield rule


def _pages_of(app: Flask, rule: Rule, shop: FullShop) -> Iterator[ShopPage]:
    access: str = app.view_functions[rule.endpoint]._apidoc["access"]  # type: ignore[attr-defined]
    samples = _samples(shop)
    if not _names(rule) <= samples.keys():
        return
    for kind, face in _FACES.get(rule.endpoint, [("", "")]):
        arguments = {**(rule.defaults or {}), **{name: samples[name] for name in _names(rule)}}
        if kind == "order":
            arguments["order_id"] = shop.orders[face]["id"]
        elif kind == "product":
            arguments["product_id"] = shop.ids[face]
        elif kind and kind != "asked":
            arguments[kind] = face
        path = app.url_map.bind("localhost").build(rule.endpoint, arguments)
        asked = face.format(order_id=shop.orders["confirmed"]["id"]) if kind == "asked" else ""
        yield ShopPage(rule.endpoint, access, path + asked)


def _names(rule: Rule) -> set[str]:
    return rule.arguments - (rule.defaults or {}).keys()


def _samples(shop: FullShop) -> dict[str, Any]:
    """Arguments by name. The name of a product or category may be any: the shop leads to the right one."""
    order = shop.orders["confirmed"]
    ids = {f"{name}_id": value for name, value in shop.ids.items()}
    text = {"event": "order_placed", "audience": "customer", "channel": "sms", "language": "en"}
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    open_line = order["items"][-1]["id"]
    user_id = shop.people["customer"].id
    return {
        "order_id": order["id"],
        "line_id": open_line,
        "user_id": user_id,
        "name": "x",
        "day": tomorrow,
        **ids,
        **text,
    }
