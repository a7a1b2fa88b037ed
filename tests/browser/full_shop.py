"""A shop as it is after some weeks: the demo shop, and all that can happen to orders, messages and products."""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from grocery.auth.models import Customer
from grocery.auth.people import PERSON_COLUMNS, Person
from grocery.db import db, transaction
from grocery.demo.shop import load_demo
from grocery.notify.suppressions.service import suppress
from grocery.orders.tracking.links import make_token
from grocery.products.images.encoding import read_picture
from grocery.products.images.service import set_picture
from grocery.products.requests.service import request_product
from tests.auth.factories import sign_in
from tests.browser.pictures import picture
from tests.conftest import IsolatedClient
from tests.notify.campaigns.factories import make_campaign
from tests.notify.factories import make_notification
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import in_hours
from tests.orders.factories import move, place
from tests.products.factories import make_product
from tests.products.imports.conftest import work

#: What would do harm if a page showed it as it is.
MARKUP = "<script>alert('hello')</script> & \"Sons\""

_CSV = "sku,name,category,price,unit\nNEW-1,Green Gram,Pantry,150.00,each\nNEW-2,=1+1,Pantry,-3,each\n"


@dataclass
class FullShop:
    """People by role, orders (as the API shows them) by what has become of them, and ids of other things by name."""

    people: dict[str, Person]
    orders: dict[str, dict[str, Any]]
    ids: dict[str, int]
    token: str
    address: str = ""


def fill(app: Flask, directory: Path) -> FullShop:
    """Needs an application context, and an empty database."""
    settings = app.extensions["settings"]
    load_demo(replace(settings, data_dir=directory))
    people = {role: _person(email) for role, email in _EMAILS.items()}
    client = IsolatedClient(app, app.response_class)
    admin, staff, customer = (Caller(client, people[role], sign_in(people[role])) for role in _EMAILS)
    ids = _fill_catalogue(admin, customer)
    orders = _fill_orders(customer, staff)
    _fill_desk(admin, orders["packed"])
    _fill_account(customer, orders["delivered"])
    ids |= {name: _scalar(statement) for name, statement in _IDS.items()}
    return FullShop(people, orders, ids, make_token(orders["shipped"]["id"], app.config["SECRET_KEY"]))


_EMAILS = {"admin": "admin@example.com", "staff": "staff@example.com", "customer": "amina@example.com"}

# One of each kind that pages are about.
_IDS = {
    "category": "SELECT id FROM categories WHERE path = 'Fruit & Vegetables'",
    "product": "SELECT id FROM products WHERE sku = 'VEG-SUKUMA'",
    "slot": "SELECT min(id) FROM delivery_slots",
    "zone": "SELECT min(id) FROM delivery_zones",
    "template": "SELECT min(id) FROM slot_templates",
    "promotion": "SELECT min(id) FROM promotions",
    "notification": "SELECT min(id) FROM notifications WHERE status = 'failed'",
    "campaign": "SELECT min(id) FROM campaigns",
    "import": "SELECT min(id) FROM product_imports",
    "list": "SELECT min(id) FROM shopping_lists",
    "address": "SELECT min(id) FROM addresses",
    "audit": "SELECT max(id) FROM audit_log",
}


def _person(email: str) -> Person:
    with db.engine.connect() as connection:
        return Person(*connection.execute(select(*PERSON_COLUMNS).where(Customer.email == email)).one())


def _scalar(statement: str, **parameters: object) -> Any:
    with db.engine.connect() as connection:
        return connection.scalar(text(statement), parameters)


def _product(sku: str) -> int:
    product_id: int = _scalar("SELECT id FROM products WHERE sku = :sku", sku=sku)
    return product_id


def _fill_catalogue(admin: Caller, customer: Caller) -> dict[str, int]:
    """Pictures, prices that are to come, something that is sold out and has a bad name."""
    bad = make_product("Fruit & Vegetables/Fruit", name=MARKUP, sku="BAD", stock=40, description=MARKUP)
    long = make_product(
        "Fruit & Vegetables/Fruit",
        name="Stone Ground Wholegrain Breakfast Porridge with Strawberries, Unsweetened, of the Rift Valley",
        compare_at_price_cents=123_456_00,
        price_cents=98_765_43,
    )
    sold_out = make_product("Fruit & Vegetables/Fruit", name="Loquats", stock=0)
    for number, product_id in enumerate((bad, _product("VEG-TOMATO"), _product("VEG-SUKUMA"))):
        with transaction():
            set_picture(product_id, read_picture(BytesIO(picture(number))), version=None, actor_id=admin.person.id)
    kale = f"/products/{_product('VEG-SUKUMA')}"
    _ok(admin.post(f"{kale}/prices", json={"price": "70.00", "starts_at": in_hours(240).isoformat()}))
    _ok(admin.post(f"{kale}/stock", json={"delta": 5, "reason": "received"}))
    _ok(customer.put(f"/products/{sold_out}/alert"))
    for words in ("Oat milk", MARKUP):
        with transaction() as session:
            request_product(session, words, customer.person.id)
    return {"bad": bad, "long": long, "sold_out": sold_out}


def _fill_orders(customer: Caller, staff: Caller) -> dict[str, dict[str, Any]]:
    """One in each state; those from `confirmed` on are picked, some lines short, weighed or something else."""
    orders = {
        status: _order(customer) for status in ("pending", "confirmed", "packed", "shipped", "delivered", "cancelled")
    }
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE orders SET process_at = NULL"))
    for status in ("confirmed", "packed", "shipped", "delivered"):
        move(staff, orders[status], "confirmed")
        _pick(staff, orders[status], is_done=status != "confirmed")
    for status in ("packed", "shipped", "delivered", "cancelled"):
        move(staff, orders[status], status, **({"note": MARKUP} if status == "cancelled" else {}))
    delivered = orders["delivered"]
    item = {"line_id": delivered["items"][0]["id"], "quantity": 1}
    _ok(staff.post(f"/orders/{delivered['id']}/returns", json={"items": [item], "reason": "damaged"}))
    return orders


def _order(customer: Caller) -> dict[str, Any]:
    quantities = {"FLR-MAIZE-2KG": 2, "VEG-SUKUMA": 0.5, "DAI-MILK-500": 4, "BAD": 1}
    items = {_product(sku): quantity for sku, quantity in quantities.items()}
    zone_id = _scalar("SELECT min(id) FROM delivery_zones")
    slot_id = _scalar("SELECT id FROM delivery_slots WHERE booked < capacity AND cutoff_at > now() ORDER BY starts_at")
    delivery = {
        "method": "delivery",
        "zone_id": zone_id,
        "slot_id": slot_id,
        "landmark": "near Shell, blue gate",
        "address": MARKUP,
    }
    return place(customer, items, delivery=delivery, note=f"Ring twice. {MARKUP}")


def _pick(staff: Caller, order: dict[str, Any], *, is_done: bool) -> None:
    """The first line is short, the second weighed, the third something else; the last one stays open."""
    first, weighed, other, last = order["items"]
    _pick_line(staff, order, first, 1, reason="not_found")
    _pick_line(staff, order, weighed, 0.45)
    _pick_line(staff, order, other, 3, substitute_product_id=_product("DAI-YOGHURT-500"), approved=True)
    if is_done:
        _pick_line(staff, order, last, 1)


def _pick_line(staff: Caller, order: dict[str, Any], line: dict[str, Any], quantity: float, **body: Any) -> None:
    path = f"/orders/{order['id']}/lines/{line['id']}/pick"
    _ok(staff.post(path, json={"picked_quantity": quantity, **body}))


def _fill_desk(admin: Caller, order: dict[str, Any]) -> None:
    """Messages that were sent, failed and wait, campaigns, imports, people, and what customers wrote by SMS."""
    for status, error in (("sent", None), ("failed", "The number does not exist"), ("pending", None)):
        make_notification(status=status, error=error, body=f"Karibu! {MARKUP}", order_id=order["id"], attempts=1)
    make_notification(channel="email", status="failed", error="550 no such mailbox", customer_id=order["customer_id"])
    for status in ("draft", "paused"):
        make_campaign(status=status, name=f"Jamhuri {status}")
    with transaction():
        suppress("sms", "+254700000009", "stop")
    _ok(admin.post("/products/import", data=_CSV, headers={"Content-Type": "text/csv"}))
    work()
    _ok(admin.post("/auth/users", json={"name": MARKUP, "email": "new@example.com", "role": "staff"}))


def _fill_account(customer: Caller, order: dict[str, Any]) -> None:
    _ok(customer.post("/lists/", json={"name": f"Weekly {MARKUP}"[:60], "order_id": order["id"]}))
    _ok(customer.post("/addresses/", json={"landmark": "near Shell, blue gate", "label": "Home", "is_default": True}))


def _ok(answer: TestResponse) -> None:
    assert answer.status_code < 300, answer.get_data(as_text=True)
