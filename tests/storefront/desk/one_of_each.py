"""A shop in which each address of the desk leads to something: one of each thing that addresses name."""

import re
from collections.abc import Iterator, Mapping

from flask import Flask
from werkzeug.routing import Rule

from tests.auth.factories import make_customer
from tests.notify.campaigns.factories import make_campaign
from tests.notify.factories import make_notification
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot, make_template, make_zone
from tests.orders.promotions.factories import make_promotion
from tests.storefront.conftest import Sql
from tests.storefront.desk.shop_floor import ordered

#: Parts of addresses that are words.
WORDS = {
    "name": "sales",
    "event": "order_placed",
    "audience": "customer",
    "channel": "sms",
    "language": "en",
    "day": "2026-12-01",
    "action": "start",
}

#: What only admins may do, by the blueprint; of the others staff may do what is in STAFF_ALSO.
ADMIN_AREAS = ("desk_people", "desk_notifications", "desk_audit", "desk_reports", "desk_promotions")
STAFF_ALSO = {
    "desk_products": (
        "list_products",
        "show_requests",
        "put_stock",
        "show_stock",
        "save_stock",
        "show_prices",
        "show_expiring",
    ),
    "desk_slots": ("show_week", "show_day", "show_slot"),
}

_PART = re.compile(r"<(?:int:)?(\w+)>")


def one_of_each(customer: Caller, product_id: int, run_sql: Sql) -> dict[str, str]:
    """What each part of an address stands for, by its name."""
    order = ordered(customer, {product_id: 1})
    zone = make_zone()
    [(category_id,)] = run_sql("SELECT category_id FROM products WHERE id = :id", id=product_id)
    [(change_id,)] = run_sql(
        "INSERT INTO price_changes (product_id, price_cents, starts_at) "
        "VALUES (:id, 5000, now() + interval '1 day') RETURNING id",
        id=product_id,
    )
    [(import_id,)] = run_sql(
        "INSERT INTO product_imports (status, filename, dry_run, strict, mapping, delimiter, ignored_columns, size) "
        "VALUES ('done', 'goods.csv', true, false, '{}', ',', '{}', 1) RETURNING id"
    )
    found = {
        "order_id": order["id"],
        "line_id": order["lines"][product_id],
        "product_id": product_id,
        "category_id": category_id,
        "change_id": change_id,
        "import_id": import_id,
        "zone_id": zone,
        "slot_id": make_slot(zone),
        "template_id": make_template(zone),
        "promotion_id": make_promotion(name="Fresh week"),
        "campaign_id": make_campaign(),
        "notification_id": make_notification(status="failed"),
        "user_id": make_customer("Peter", is_email_verified=True).id,
    }
    return {name: str(value) for name, value in found.items()} | WORDS


def desk_rules(app: Flask, *methods: str) -> Iterator[tuple[str, Rule]]:
    """Method and rule of every route of the desk."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0].partition("_")[0] == "desk":
            yield from ((method, rule) for method in methods if method in (rule.methods or ()))


def address_of(rule: Rule, parts: Mapping[str, str]) -> str:
    return _PART.sub(lambda found: parts[found[1]], rule.rule)


def is_for_staff(rule: Rule) -> bool:
    """Whether staff who are no admins may use a route."""
    area, _, name = rule.endpoint.partition(".")
    return area not in ADMIN_AREAS and (area not in STAFF_ALSO or name in STAFF_ALSO[area])
