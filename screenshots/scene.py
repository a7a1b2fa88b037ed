"""What has happened in the shop before the pictures are taken: orders of today, one of them half picked, a basket."""

import time
from typing import Any

from screenshots.camera import Camera
from screenshots.pictures import AMINA, STAFF
from screenshots.shop import Shop, ShopError

_BRIAN = "brian@example.com"
_WANJIKU = "wanjiku@example.com"

_BASKET: dict[str, float] = {
    "FLR-MAIZE-2KG": 2,
    "VEG-SUKUMA": 0.5,
    "VEG-TOMATO": 1,
    "DAI-MILK-500": 4,
    "BAK-BREAD-BROWN-400": 1,
}
_ON_THE_WAY: dict[str, float] = {"RIC-PISHORI-5KG": 1, "VEG-TOMATO": 1, "FRU-BANANA": 1.5, "DAI-MILK-500": 2}
_PICKED: dict[str, float] = {
    "VEG-TOMATO": 1.5,
    "VEG-ONION-RED": 1,
    "FRU-MANGO": 2,
    "DAI-MILK-500": 6,
    "FLR-MAIZE-2KG": 1,
}

_SECONDS_TO_CONFIRM = 30

# Who orders what for which of the next delivery times, and how far it gets.
_ORDERS: tuple[tuple[str, dict[str, float], int, str], ...] = (
    (_WANJIKU, {"DAI-MILK-500": 4, "BAK-BREAD-BROWN-400": 2, "DAI-EGGS-30": 1}, 0, "packed"),
    (_BRIAN, {"MEA-BEEF-BONE": 1, "VEG-POTATO": 2, "VEG-CARROT": 0.5, "VEG-DHANIA": 2}, 0, "confirmed"),
    (_WANJIKU, {"RIC-PISHORI-5KG": 1, "OIL-VEG-1L": 1, "SUG-WHITE-1KG": 2}, 1, "confirmed"),
    (_BRIAN, {"FRU-BANANA": 1, "FRU-AVOCADO": 1}, 1, "confirmed"),
    (_WANJIKU, {"TEA-LEAVES-250": 1, "SUG-WHITE-1KG": 1}, 2, "delivered"),
)


def set_scene(shop: Shop, camera: Camera) -> dict[str, str]:
    """Make it happen, as customers and staff would; the addresses and ids of what the pictures show, by name."""
    for sku, quantity in _BASKET.items():
        wish = {"quantity": quantity, "if_unavailable": "substitute"}
        shop.ask("PUT", f"/cart/items/{_product(shop, sku)['id']}", AMINA, json=wish)
    for who, quantities, slot, status in _ORDERS:
        _move(shop, _place(shop, who, quantities, slot), status)
    picking = _place(shop, _BRIAN, _PICKED, 0, note="Please ring twice, the bell is weak.")
    _start_picking(shop, camera, picking)
    shipped = _place(shop, AMINA, _ON_THE_WAY, None)
    _pick_something_else(shop, shipped)
    _move(shop, shipped, "shipped")
    placed = _place(shop, AMINA, {"FLR-MAIZE-2KG": 1, "VEG-SUKUMA": 1, "DAI-MILK-500": 2}, 0)
    tomato = _product(shop, "VEG-TOMATO")
    return {
        "category": f"/c/{tomato['category_id']}-vegetables",
        "product": f"/p/{tomato['id']}-nyanya-tomatoes",
        "picking": str(picking["id"]),
        "placed": str(placed["id"]),
        "shipped": str(shipped["id"]),
        "tracking": camera.find_link(AMINA, f"/account/orders/{shipped['id']}", "a[href*='/t/']"),
    }


def _product(shop: Shop, sku: str) -> dict[str, Any]:
    [product] = [one for one in shop.ask("GET", f"/products/?q={sku}", AMINA) if one["sku"] == sku]
    return dict(product)


def _place(
    shop: Shop, who: str, quantities: dict[str, float], slot: int | None, note: str | None = None
) -> dict[str, Any]:
    """``slot``: which of the next delivery times; None leaves the time open."""
    [zone, *_] = shop.ask("GET", "/delivery/zones", who)
    open_slots = [one for one in shop.ask("GET", f"/delivery/slots?zone={zone['id']}", who) if one["is_open"]]
    slot_id = None if slot is None else open_slots[slot]["id"]
    landmark = "near Shell, blue gate"
    delivery = {"method": "delivery", "zone_id": zone["id"], "slot_id": slot_id, "landmark": landmark}
    items = [
        {"product_id": _product(shop, sku)["id"], "quantity": quantity, "if_unavailable": "substitute"}
        for sku, quantity in quantities.items()
    ]
    order = shop.ask("POST", "/orders/", who, json={"items": items, "delivery": delivery, "note": note})
    return _wait_until_confirmed(shop, order["id"])


def _wait_until_confirmed(shop: Shop, order_id: int) -> dict[str, Any]:
    """The worker confirms it; whoever changes it at the same moment would be refused."""
    deadline = time.monotonic() + _SECONDS_TO_CONFIRM
    while time.monotonic() < deadline:
        order = shop.ask("GET", f"/orders/{order_id}", STAFF)
        if order["status"] == "confirmed":
            return dict(order)
        time.sleep(0.1)
    raise ShopError(f"Order {order_id} was not confirmed within {_SECONDS_TO_CONFIRM} s.")


def _move(shop: Shop, order: dict[str, Any], status: str) -> None:
    if order["status"] != status:
        shop.ask("PATCH", f"/orders/{order['id']}/status", STAFF, json={"status": status})


def _start_picking(shop: Shop, camera: Camera, order: dict[str, Any]) -> None:
    """The first two lines are in the bag, one of them not by the gram as ordered."""
    camera.press(STAFF, "/admin/picking", f"form[action$='/{order['id']}/start'] button")
    for item, picked in zip(order["items"], (1.46, 1), strict=False):
        address = f"/orders/{order['id']}/lines/{item['id']}/pick"
        shop.ask("POST", address, STAFF, json={"picked_quantity": picked})


def _pick_something_else(shop: Shop, order: dict[str, Any]) -> None:
    """The first line is not there: something like it is in the bag."""
    item, other = order["items"][0], _product(shop, "RIC-BASMATI-5KG")
    pick = {"picked_quantity": item["quantity"], "substitute_product_id": other["id"]}
    shop.ask("POST", f"/orders/{order['id']}/lines/{item['id']}/pick", STAFF, json=pick)
