"""What there is to choose from, and what of it is chosen: the place, its area, and a time that is free."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from flask import current_app
from sqlalchemy import Connection

from grocery.fields import read_id
from grocery.money import to_cents, to_text
from grocery.orders.delivery.slots import list_slots
from grocery.orders.delivery.zones import list_zones
from grocery.orders.quote import DeliveryTerms
from grocery.storefront.checkout.fields import DELIVERY, Values

#: A page has the times of so many days at most, and of those so many without being asked.
_AHEAD = timedelta(days=8)
_MOST_SLOTS = 60
_NEAR_DAYS = 2

_NEAREST = 3

Slot = dict[str, Any]


@dataclass(frozen=True)
class Day:
    """The times of one day; one that is near is shown without being asked for."""

    starts_at: datetime
    slots: list[Slot]
    is_near: bool


@dataclass(frozen=True)
class Options:
    """`address` and `zone` are those chosen, None where there is none. `slot` is a free one, chosen by us if need be.

    `nearest` are the free times around one that the shopper wanted and cannot have.
    """

    is_delivery: bool
    zones: list[dict[str, Any]]
    addresses: list[dict[str, Any]]
    address: dict[str, Any] | None
    zone: dict[str, Any] | None
    slot: Slot | None
    wanted: Slot | None
    nearest: list[Slot]
    days: list[Day]

    @property
    def is_slot_lost(self) -> bool:
        return self.wanted is not None and not self.wanted["is_open"]


def read_options(connection: Connection, addresses: list[dict[str, Any]], values: Values, subtotal: str) -> Options:
    """For a customer's addresses and the goods of a basket (`subtotal`), whose delivery may be free."""
    zones = list_zones(connection)
    address = find_by_id(addresses, values["place"])
    zone = zone_of(values, address, zones)
    is_delivery = values["method"] == DELIVERY
    slots = _read_slots(connection, zone, subtotal) if is_delivery and zone else []
    free = [slot for slot in slots if slot["is_open"]]
    wanted = find_by_id(slots, values["slot_id"])
    nearest: list[Slot] = []
    chosen = wanted
    if wanted and not wanted["is_open"]:
        nearest = sorted(free, key=lambda slot: abs(slot["starts_at"] - wanted["starts_at"]))[:_NEAREST]
        chosen = nearest[0] if nearest else None
    elif wanted is None and not _wants_no_time(values, zone):
        chosen = free[0] if free else None
    days = _by_day([slot for slot in slots if slot not in nearest], chosen)
    return Options(is_delivery, zones, addresses, address, zone, chosen, wanted, nearest, days)


def find_by_id(rows: list[dict[str, Any]], written: str) -> dict[str, Any] | None:
    wanted = read_id(written)
    return next((row for row in rows if row["id"] == wanted), None)


def zone_of(values: Values, address: dict[str, Any] | None, zones: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The area of the place: that of a saved address, else the one that was chosen, else the only one."""
    saved = str(address["zone_id"] or "") if address else ""
    return find_by_id(zones, saved or values.get("zone_id", "")) or (zones[0] if len(zones) == 1 else None)


def _wants_no_time(values: Values, zone: dict[str, Any] | None) -> bool:
    return values["slot_id"] == "any" and zone is not None and not zone["is_slot_required"]


def _read_slots(connection: Connection, zone: dict[str, Any], subtotal: str) -> list[Slot]:
    """Those that take orders, and those that are full: a time that is missing would be asked for by phone."""
    now = datetime.now(UTC)
    asked = {
        "zone_id": zone["id"],
        "starts_from": None,
        "starts_until": now + _AHEAD,
        "limit": _MOST_SLOTS,
        "cursor": None,
    }
    found = [slot for slot in list_slots(connection, asked, now=now).items if slot["cutoff_at"] > now]
    return [{**slot, "price": _price(zone, slot, subtotal)} for slot in found]


def _price(zone: dict[str, Any], slot: Slot, subtotal: str) -> str:
    fee, extra, goods = (to_cents(Decimal(amount)) for amount in (zone["fee"], slot["fee"], subtotal))
    free_from = to_cents(Decimal(zone["free_from"])) if zone["free_from"] is not None else None
    return to_text(DeliveryTerms(fee + extra, free_from).fee_cents(goods))


def _by_day(slots: list[Slot], chosen: Slot | None) -> list[Day]:
    zone = current_app.config["TIMEZONE"]

    def day_of(slot: Slot) -> date:
        starts_at: datetime = slot["starts_at"]
        return starts_at.astimezone(zone).date()

    groups = [list(group) for _, group in groupby(slots, key=day_of)]
    near = [index for index, group in enumerate(groups) if any(slot["is_open"] for slot in group)][:_NEAR_DAYS]
    last = near[-1] if near else _NEAR_DAYS - 1
    return [
        Day(group[0]["starts_at"], group, index <= last or (chosen is not None and chosen in group))
        for index, group in enumerate(groups)
    ]
