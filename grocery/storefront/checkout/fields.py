"""The fields of the checkout's form: what was sent, what was kept of earlier, and what is usual for the customer."""

import re
import secrets
from typing import Any

from flask import current_app, request
from sqlalchemy import Connection

from grocery.auth.people import Person
from grocery.errors import InvalidError
from grocery.fields import storable
from grocery.orders.last_place import find_last_place
from grocery.phones import parse_phone

#: By name, with the characters that each may have; `place` is the id of a saved address, or NEW.
FIELDS = {
    "phone": 40,
    "method": 10,
    "place": 20,
    "zone_id": 20,
    "landmark": 300,
    "address": 300,
    "slot_id": 20,
    "if_unavailable": 20,
    "coupon": 40,
    "note": 500,
    "payment_method": 40,
    "key": 64,
}

NEW = "new"
DELIVERY, PICKUP = "delivery", "pickup"

_KEY = re.compile(r"[\w-]{16,64}", re.ASCII)

Values = dict[str, str]


def sent_values() -> Values:
    """The fields that this request brings, each within its length."""
    sent = {name: request.form[name] for name in FIELDS if name in request.form}
    return {name: storable(value).strip()[: FIELDS[name]] for name, value in sent.items()}


def usual_values(connection: Connection, person: Person | None, addresses: list[dict[str, Any]]) -> Values:
    """What a customer has had last; a place that was saved is chosen by its id."""
    if person is None:
        return {"method": DELIVERY, "place": NEW}
    last = find_last_place(connection, person.id) or {}
    known = next((one for one in addresses if _is_same_place(one, last)), addresses[0] if addresses else None)
    typed = {name: last.get(name) or "" for name in ("landmark", "address")} if known is None else {}
    return {
        "method": last.get("method") or DELIVERY,
        "place": str(known["id"]) if known else NEW,
        "zone_id": str(last.get("zone_id") or ""),
        "payment_method": last.get("payment_method") or "",
        **typed,
    }


def shown_values(usual: Values, kept: Values, sent: Values, person: Person | None) -> Values:
    """What the form shows: what was sent, else what was kept, else what is usual."""
    values = {**dict.fromkeys(FIELDS, ""), **usual, **kept, "key": "", **sent}
    if values["method"] not in (DELIVERY, PICKUP):
        values["method"] = DELIVERY
    if person and person.phone and _parse(values["phone"]) == person.phone:
        values["phone"] = ""  # it is called anyway
    if not is_key(values["key"]):
        values["key"] = secrets.token_urlsafe(16)
    return values


def is_key(written: str) -> bool:
    """Whether it is a key that a form of ours may have had, which makes a double tap one order."""
    return bool(_KEY.fullmatch(written))


def _is_same_place(address: dict[str, Any], last: dict[str, Any]) -> bool:
    return bool(last) and all(address[name] == last.get(name) for name in ("landmark", "address"))


def _parse(phone: str) -> str | None:
    try:
        return parse_phone(phone, current_app.config["DEFAULT_COUNTRY"])
    except InvalidError:
        return None
