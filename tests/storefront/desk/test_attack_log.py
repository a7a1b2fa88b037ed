"""The audit log of what is done at the desk: one entry for each change, by whom, and nothing of what was written."""

from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.storefront.conftest import Browser, Sql
from tests.storefront.desk.one_of_each import one_of_each
from tests.storefront.desk.shop_floor import ordered, state_of

SECRET = "xyzzy"

LOG = "SELECT action, actor_id, actor_role, subject_type, subject_id, details FROM audit_log ORDER BY id"

TIMES = {"starts_at": "2027-12-01T10:00", "ends_at": "2027-12-01T12:00"}
WEEKLY = {"starts": "14:00", "ends": "16:00", "capacity": "5", "cutoff_minutes": "60", "fee": "0"}
PRODUCT = {"name": SECRET, "price": "120", "unit": "each", "vat_class": "standard", "is_active": "1"}
OFFER = {"name": SECRET, "kind": "percent", "value_percent": "10", "scope": "basket", "is_active": "1"}
CAMPAIGN = {"name": SECRET, "channel": "sms", "body_en": f"Sugar {SECRET}"}
TEXT = "/admin/notifications/texts/order_delivered/customer/sms/en"

#: Address, form, and what the entry is about; None for what is made, and `-` for nothing.
CHANGES: list[tuple[str, dict[str, str], str]] = [
    ("/admin/orders/{order_id}/move", {"status": "cancelled", "note": SECRET, "version": "1"}, "order"),
    ("/admin/orders/{order_id}/lines/{line_id}", {"quantity": "2", "version": "1"}, "order"),
    ("/admin/orders/{order_id}/payments", {"kind": "capture", "amount": "1", "paid": "0.00", "note": SECRET}, "order"),
    ("/admin/picking/{order_id}/lines/{line_id}", {"quantity": "1", "seen": "-/-"}, "order"),
    ("/admin/products/new", {**PRODUCT, "category_id": "{category_id}", "stock": "3"}, "product"),
    ("/admin/products/{product_id}", {**PRODUCT, "category_id": "{category_id}", "version": "1"}, "product"),
    ("/admin/products/{product_id}/price", {"price": "120", "version": "1"}, "product"),
    ("/admin/products/{product_id}/count", {"stock": "3", "was": "1", "since": "0"}, "product"),
    ("/admin/products/{product_id}/on-sale", {"is_active": "false", "version": "1"}, "product"),
    ("/admin/products/{product_id}/stock", {"reason": "received", "quantity": "5", "note": SECRET}, "product"),
    ("/admin/products/{product_id}/prices", {"price": "40", "sure": "1", **TIMES, "note": SECRET}, "product"),
    ("/admin/products/{product_id}/prices/{change_id}/cancel", {}, "product"),
    ("/admin/products/{product_id}/delete", {"version": "1"}, "product"),
    ("/admin/products/categories", {"name": SECRET, "position": "5"}, "category"),
    ("/admin/products/categories/{category_id}", {"name": SECRET, "position": "5"}, "category"),
    ("/admin/promotions/new", OFFER, "promotion"),
    ("/admin/promotions/{promotion_id}", {**OFFER, "version": "1"}, "promotion"),
    ("/admin/promotions/{promotion_id}/switch", {"is_active": "false", "version": "1"}, "promotion"),
    ("/admin/promotions/{promotion_id}/delete", {"version": "1"}, "promotion"),
    ("/admin/slots/new", {**TIMES, "zone_id": "{zone_id}", "capacity": "5", "fee": "0"}, "slot"),
    ("/admin/slots/{slot_id}", {**TIMES, "zone_id": "{zone_id}", "capacity": "5", "fee": "0"}, "slot"),
    ("/admin/slots/{slot_id}/delete", {}, "slot"),
    ("/admin/slots/days/2026-12-01/close", {}, "-"),
    ("/admin/slots/days/2026-12-01/capacity", {"capacity": "9"}, "-"),
    ("/admin/slots/weekly", {**WEEKLY, "zone_id": "{zone_id}", "weekdays": "friday"}, "template"),
    ("/admin/slots/weekly/{template_id}", {**WEEKLY, "zone_id": "{zone_id}", "weekday": "friday"}, "template"),
    ("/admin/slots/weekly/{template_id}/delete", {}, "template"),
    ("/admin/slots/zones", {"name": SECRET, "fee": "150", "min_basket": "0"}, "zone"),
    ("/admin/slots/zones/{zone_id}", {"name": SECRET, "fee": "150", "min_basket": "0"}, "zone"),
    ("/admin/slots/zones/{zone_id}/delete", {}, "zone"),
    ("/admin/staff/new", {"name": SECRET, "email": "xyzzy@example.com", "role": "staff"}, "customer"),
    ("/admin/customers/{user_id}/role", {"role": "staff"}, "customer"),
    ("/admin/customers/{user_id}/active", {"is_active": "false"}, "customer"),
    ("/admin/customers/{user_id}/sign-out", {}, "customer"),
    ("/admin/customers/{user_id}/delete", {"is_sure": "1"}, "customer"),
    ("/admin/notifications/campaigns/new", CAMPAIGN, "campaign"),
    ("/admin/notifications/campaigns/{campaign_id}/edit", CAMPAIGN, "campaign"),
    ("/admin/notifications/campaigns/{campaign_id}/start", {}, "campaign"),
    ("/admin/notifications/campaigns/{campaign_id}/delete", {}, "campaign"),
    ("/admin/notifications/{notification_id}/resend", {}, "notification"),
    ("/admin/notifications/resend-failed", {"channel": "sms"}, "-"),
    (TEXT, {"source": f"Thanks, {SECRET}."}, "-"),
]


@pytest.fixture
def parts(customer: Caller, soap: int, run_sql: Sql) -> dict[str, str]:
    return one_of_each(customer, soap, run_sql)


@pytest.mark.parametrize(("address", "form", "about"), CHANGES, ids=[address for address, _, _ in CHANGES])
def test_each_change_leaves_one_entry_without_what_was_written(
    boss: Browser, admin: Caller, parts: dict[str, str], run_sql: Sql, address: str, form: dict[str, str], about: str
) -> None:
    answer = boss.post(address.format(**parts), {name: text.format(**parts) for name, text in form.items()})
    assert answer.status_code == 303, answer.text
    log = run_sql(LOG)
    assert len(log) == 1, log
    _, actor_id, role, subject_type, subject_id, details = log[0]
    assert (actor_id, role) == (admin.person.id, "admin")
    assert (subject_type or "-") == about
    if f"{{{about}_id}}" in address:
        assert subject_id == int(parts[f"{about}_id"])
    else:
        assert (subject_id is None) == (about == "-")
    assert SECRET not in str(details)


REFUSED: list[tuple[str, dict[str, str]]] = [
    ("/admin/orders/{order_id}/move", {"status": "packed", "version": "9"}),
    ("/admin/products/{product_id}/price", {"price": "9999", "version": "1"}),
    ("/admin/products/{product_id}", {"name": ""}),
    ("/admin/promotions/{promotion_id}/switch", {"is_active": "true", "version": "9"}),
    ("/admin/customers/{user_id}/role", {"role": "king"}),
    ("/admin/customers/{user_id}/delete", {}),
    ("/admin/slots/{slot_id}", {"capacity": "-1"}),
]


@pytest.mark.parametrize(("address", "form"), REFUSED)
def test_what_was_refused_leaves_none(
    boss: Browser, parts: dict[str, str], run_sql: Sql, address: str, form: dict[str, str]
) -> None:
    boss.post(address.format(**parts), form)
    assert run_sql(LOG) == []


def test_packing_several_leaves_an_entry_for_each(
    desk: Browser, staff: Caller, customer: Caller, soap: int, run_sql: Sql
) -> None:
    orders = [ordered(customer, {soap: 1}) for _ in range(3)]
    ticked = [f"{order['id']}:{order['version']}" for order in orders]
    ticked[1] = f"{orders[1]['id']}:99"
    desk.post("/admin/orders/pack", {"order": [*ticked, "999999:1"]})
    assert [state_of(run_sql, order)[0] for order in orders] == ["packed", "pending", "packed"]
    entries: list[tuple[Any, ...]] = [entry[:5] for entry in run_sql(LOG)]
    action = "desk_orders.pack_orders"
    assert entries == [(action, staff.person.id, "staff", "order", orders[number]["id"]) for number in (0, 2)]
