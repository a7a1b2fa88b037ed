"""docs/privacy.md against the database: no table with data about people is missing from it."""

from pathlib import Path

import pytest

from grocery.db import Base
from grocery.notify.receipts.service import MATCHED_DAYS, UNMATCHED_DAYS
from grocery.notify.ussd.store import LANGUAGE_SECONDS, SESSION_SECONDS

DOCUMENT = Path(__file__).parent.parent / "docs" / "privacy.md"

_ORDERS = "Orders, with the place of delivery, notes, who received them"
_SAVED = "Saved addresses, customers' carts, shopping lists, alerts"
_LEDGERS = "Ledgers, payments, stock movements"
_WORK = "What staff have done: campaigns, own texts, prices, lots, runs, imports"

#: The row of the page that speaks of each table in which people are.
ON_THE_PAGE = {
    "addresses": _SAVED,
    "audit_log": "Audit log",
    "campaigns": _WORK,
    "cart_items": _SAVED,
    "carts": _SAVED,
    "customers": "Name, e-mail, phone, choices",
    "delivery_reports": "Delivery reports of SMS",
    "delivery_runs": _WORK,
    "idempotency_keys": "Idempotency keys",
    "inbound_sms": "SMS to the shop",
    "known_devices": "Devices that have signed in",
    "lot_picks": _ORDERS,
    "notifications": "Messages to people",
    "one_time_codes": "Codes by SMS and e-mail",
    "order_discounts": _ORDERS,
    "order_history": _ORDERS,
    "order_lines": _ORDERS,
    "order_return_lines": _ORDERS,
    "order_returns": _ORDERS,
    "orders": _ORDERS,
    "payments": _LEDGERS,
    "price_changes": _WORK,
    "price_history": _WORK,
    "product_imports": _WORK,
    "product_requests": "What the shop was asked to stock",
    "promotions": "Coupons of one's own",
    "recovery_codes": "Second factors",
    "returns_ledger": _LEDGERS,
    "sales_ledger": _LEDGERS,
    "second_factors": "Second factors",
    "shopping_list_items": _SAVED,
    "shopping_lists": _SAVED,
    "stock_alerts": _SAVED,
    "stock_lots": _WORK,
    "stock_movements": _LEDGERS,
    "suppressions": "Suppression list",
    "text_overrides": _WORK,
    "token_blocklist": "Sign-ins, with the kind of device",
    "token_families": "Sign-ins, with the kind of device",
}

#: The catalogue, what is for sale and when, and what the program remembers of its own work.
WITHOUT_PEOPLE = {
    "categories",
    "channels",
    "delivery_slots",
    "delivery_zones",
    "import_chunks",
    "import_parts",
    "import_refusals",
    "picture_sweeps",
    "products",
    "promotion_categories",
    "promotion_products",
    "slot_templates",
    "sms_spending",
    "stock_digests",
    "synonyms",
    "vocabulary_state",
    "words",
}

#: Columns that are about somebody, whatever else the table is for.
TELLING = {"phone", "email", "recipient", "address", "landmark", "received_by", "target", "customer_id", "actor_id"}


def rows() -> dict[str, str]:
    """How long each thing is kept, by its name."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]
    return {row[0]: row[-1] for row in cells}


def test_every_table_with_data_about_people_is_on_the_page() -> None:
    unplaced = Base.metadata.tables.keys() - ON_THE_PAGE.keys() - WITHOUT_PEOPLE
    assert unplaced == set(), "add a row to docs/privacy.md, and name it here"
    assert set(ON_THE_PAGE.values()) - rows().keys() == set()


def test_what_is_filled_in_at_the_checkout_has_a_row_of_its_own() -> None:
    assert "draft" in Base.metadata.tables["carts"].columns
    assert "until it is ordered" in rows()["What was filled in at the checkout: place, phone, notes"]


def test_tables_without_people_have_nobody_in_them() -> None:
    found = [
        f"{name}.{column.name}"
        for name in WITHOUT_PEOPLE
        for column in Base.metadata.tables[name].columns
        if column.name in TELLING
        or any(key.target_fullname in ("customers.id", "orders.id") for key in column.foreign_keys)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "how_long"),
    [
        ("Delivery reports of SMS", f"{MATCHED_DAYS} days, {UNMATCHED_DAYS} when"),
        ("What was keyed in by USSD", f"{SESSION_SECONDS // 60} minutes"),
        ("What was keyed in by USSD", f"{LANGUAGE_SECONDS // 86_400} days"),
    ],
)
def test_times_are_those_of_the_program(what: str, how_long: str) -> None:
    assert how_long in rows()[what]
