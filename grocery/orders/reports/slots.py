"""How full the delivery slots were."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from grocery.db import Row
from grocery.orders.reports.reading import Report, Wanted, fill_spans, period_parameters, span_parameters

_IN_PERIOD = "starts_at >= :starts_at AND starts_at < :ends_at"
_SUMS = "count(*) AS slots, sum(capacity) AS capacity, sum(booked) AS booked"

_BY_SLOT = text(f"""
    SELECT slot.*, zone.name AS zone FROM delivery_slots AS slot JOIN delivery_zones AS zone ON zone.id = zone_id
    WHERE {_IN_PERIOD} ORDER BY starts_at, lower(zone.name), slot.id
""")  # noqa: S608  # made of constants
_BY_ZONE = text(f"""
    SELECT zone_id, zone.name AS zone, {_SUMS}
    FROM delivery_slots AS slot JOIN delivery_zones AS zone ON zone.id = zone_id
    WHERE {_IN_PERIOD} GROUP BY zone_id, zone.name ORDER BY lower(zone.name), zone_id
""")  # noqa: S608  # made of constants
_BY_TIME = text(f"""
    SELECT (CAST(:numbers AS int[]))[width_bucket(starts_at, CAST(:starts AS timestamptz[]))] AS number, {_SUMS}
    FROM delivery_slots WHERE {_IN_PERIOD} GROUP BY 1
""")  # noqa: S608  # made of constants

_USE = ("capacity", "booked", "used_percent")


def _read(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    parameters = period_parameters(wanted)
    if wanted.by == "slot":
        return (_slot_json(row, wanted) for row in connection.execute(_BY_SLOT, parameters).mappings())
    if wanted.by == "zone":
        return (_zone_json(row) for row in connection.execute(_BY_ZONE, parameters).mappings())
    spans = wanted.period.spans(wanted.by)
    found = connection.execute(_BY_TIME, {**parameters, **span_parameters(spans)}).mappings()
    return fill_spans(spans, wanted, {row["number"]: row for row in found}, _sums)


def _slot_json(row: Row, wanted: Wanted) -> dict[str, Any]:
    starts, ends = (row[name].astimezone(wanted.period.zone) for name in ("starts_at", "ends_at"))
    keys = {"slot_id": row["id"], "zone_id": row["zone_id"], "zone": row["zone"]}
    return {**keys, "day": f"{starts:%Y-%m-%d}", "starts": f"{starts:%H:%M}", "ends": f"{ends:%H:%M}", **_use(row)}


def _zone_json(row: Row) -> dict[str, Any]:
    return {"zone_id": row["zone_id"], "zone": row["zone"], **_sums(row)}


def _sums(row: Row | None) -> dict[str, Any]:
    return {"slots": row["slots"] if row else 0, **_use(row)}


def _use(row: Row | None) -> dict[str, Any]:
    capacity, booked = (int(row["capacity"]), int(row["booked"])) if row else (0, 0)
    used = round(100 * booked / capacity, 1) if capacity else None
    return {"capacity": capacity, "booked": booked, "used_percent": used}


SLOTS = Report(
    "slots",
    {
        "slot": ("slot_id", "zone_id", "zone", "day", "starts", "ends", *_USE),
        "zone": ("zone_id", "zone", "slots", *_USE),
        "day": ("day", "slots", *_USE),
        "weekday": ("weekday", "slots", *_USE),
        "hour": ("hour", "slots", *_USE),
        "total": ("from", "until", "slots", *_USE),
    },
    _read,
)
