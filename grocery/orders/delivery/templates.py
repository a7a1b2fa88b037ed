"""Weekly templates, and the slots that are made from them two weeks ahead. Commits nothing."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from grocery import money
from grocery.db import Row, name_subject
from grocery.orders.delivery.errors import TemplateNotFoundError
from grocery.orders.delivery.weekly import WEEKDAYS, WeeklyWindow, windows_between
from grocery.orders.delivery.zones import keep_zone
from grocery.paging import Page, cut_page, decode_cursor, encode_cursor

#: Slots are made for today and so many days after it: two weeks.
DAYS_AHEAD = 13

_LIST = text("""
    SELECT * FROM slot_templates
    WHERE (CAST(:after AS bigint) IS NULL OR (zone_id, weekday, starts, id) > (:zone_id, :weekday, :starts, :after))
    ORDER BY zone_id, weekday, starts, id LIMIT :limit
""")
_ONE = text("SELECT * FROM slot_templates WHERE id = :template_id")

_CREATE = text("""
    INSERT INTO slot_templates (zone_id, weekday, starts, ends, capacity, cutoff_minutes, fee_cents)
    VALUES (:zone_id, :weekday, :starts, :ends, :capacity, :cutoff_minutes, :fee_cents) RETURNING *
""")
_REPLACE = text("""
    UPDATE slot_templates SET zone_id = :zone_id, weekday = :weekday, starts = :starts, ends = :ends,
           capacity = :capacity, cutoff_minutes = :cutoff_minutes, fee_cents = :fee_cents
    WHERE id = :template_id RETURNING *
""")
_DELETE = text("DELETE FROM slot_templates WHERE id = :template_id RETURNING id")

# Skipped are templates that somebody else makes slots of, and those whose zone is being deleted just now: a deletion
# holds the zone's row and waits for its templates.
_CLAIM = text("""
    SELECT template.* FROM slot_templates AS template JOIN delivery_zones AS zone ON zone.id = template.zone_id
    WHERE template.made_until IS NULL OR template.made_until < :last
    ORDER BY template.id
    FOR UPDATE OF template SKIP LOCKED FOR KEY SHARE OF zone SKIP LOCKED
""")

# In the same order whoever makes them: of two at once, one waits for the other, never each for the other.
_MAKE = text("""
    INSERT INTO delivery_slots (zone_id, starts_at, ends_at, cutoff_at, capacity, fee_cents)
    SELECT * FROM jsonb_to_recordset(CAST(:slots AS jsonb)) AS made (
        zone_id bigint, starts_at timestamptz, ends_at timestamptz, cutoff_at timestamptz, capacity int,
        fee_cents bigint
    )
    ORDER BY zone_id, starts_at, ends_at
    ON CONFLICT (zone_id, starts_at, ends_at) DO NOTHING RETURNING id
""")
_NOTE_MADE = text("UPDATE slot_templates SET made_until = greatest(made_until, :last) WHERE id = ANY(:ids)")


def list_templates(connection: Connection, *, limit: int, cursor: str | None) -> Page:
    """Templates by zone, weekday and start. Raises InvalidError for a cursor of another list."""
    zone_id, weekday, minutes, after = decode_cursor(cursor, int, int, int, int) if cursor else (0, 0, 0, None)
    hour, minute = divmod(min(max(minutes, 0), 24 * 60 - 1), 60)
    parameters = {"zone_id": zone_id, "weekday": weekday, "starts": time(hour, minute), "after": after}
    found = connection.execute(_LIST, {**parameters, "limit": limit + 1}).mappings().all()
    rows, next_cursor = cut_page(found, limit, _cursor_after)
    return Page([template_json(row) for row in rows], next_cursor)


def get_template(connection: Connection | Session, template_id: int) -> Row:
    """Raises TemplateNotFoundError."""
    row = connection.execute(_ONE, {"template_id": template_id}).mappings().one_or_none()
    if row is None:
        raise TemplateNotFoundError(template_id)
    return row


def create_template(session: Session, values: Mapping[str, Any], now: datetime) -> Row:
    """Make a template (WriteTemplateSchema) and its slots; `now` in the shop's time.

    Raises InvalidError for an unknown zone.
    """
    keep_zone(session, values["zone_id"])
    template = session.execute(_CREATE, dict(values)).mappings().one()
    name_subject("template", template["id"])
    _make(session, [template], now)
    return get_template(session, template["id"])


def replace_template(session: Session, template_id: int, values: Mapping[str, Any], now: datetime) -> Row:
    """Change a template for the days whose slots are not made yet; slots that are there stay as they are.

    `now` in the shop's time. Raises TemplateNotFoundError, and InvalidError for an unknown zone.
    """
    keep_zone(session, values["zone_id"])
    template = session.execute(_REPLACE, {**values, "template_id": template_id}).mappings().one_or_none()
    if template is None:
        raise TemplateNotFoundError(template_id)
    _make(session, [template], now)
    return get_template(session, template_id)


def delete_template(session: Session, template_id: int) -> None:
    """Make no more slots of a template; those that are there stay. Raises TemplateNotFoundError."""
    if session.execute(_DELETE, {"template_id": template_id}).scalar() is None:
        raise TemplateNotFoundError(template_id)


def make_slots(session: Session, now: datetime) -> int:
    """Make the slots of all templates for the days, up to DAYS_AHEAD, that were not made yet; how many were new.

    `now` in the shop's time. Safe to repeat, and to run twice at once: a day is made once, so what staff have deleted
    since does not come back.
    """
    claimed = session.execute(_CLAIM, {"last": _last_day(now)}).mappings().all()
    return _make(session, claimed, now) if claimed else 0


def template_json(row: Row) -> dict[str, Any]:
    """A row of `slot_templates` as JSON-ready data."""
    return {
        "id": row["id"],
        "zone_id": row["zone_id"],
        "weekday": WEEKDAYS[row["weekday"]],
        "starts": f"{row['starts']:%H:%M}",
        "ends": f"{row['ends']:%H:%M}",
        "capacity": row["capacity"],
        "cutoff_minutes": row["cutoff_minutes"],
        "fee": money.to_text(row["fee_cents"]),
        "made_until": None if row["made_until"] is None else row["made_until"].isoformat(),
    }


def _make(session: Session, templates: Sequence[Row], now: datetime) -> int:
    """The part of `make_slots` for templates whose rows are locked, and whose zones cannot go."""
    slots = [slot for template in templates for slot in _slots_to_make(template, now)]
    made = session.execute(_MAKE, {"slots": orjson.dumps(slots).decode()}).all()
    session.execute(_NOTE_MADE, {"last": _last_day(now), "ids": [template["id"] for template in templates]})
    return len(made)


def _slots_to_make(template: Row, now: datetime) -> list[dict[str, Any]]:
    """The slots of the days after `made_until`, but for windows that have started."""
    made_until: date | None = template["made_until"]
    first = max(now.date(), made_until + timedelta(days=1)) if made_until else now.date()
    weekly = WeeklyWindow(template["weekday"], template["starts"], template["ends"], template["cutoff_minutes"])
    return [
        {
            "zone_id": template["zone_id"],
            "starts_at": window.starts_at,
            "ends_at": window.ends_at,
            "cutoff_at": window.cutoff_at,
            "capacity": template["capacity"],
            "fee_cents": template["fee_cents"],
        }
        for window in windows_between(weekly, first, _last_day(now), now.tzinfo)
        if window.starts_at > now
    ]


def _last_day(now: datetime) -> date:
    return now.date() + timedelta(days=DAYS_AHEAD)


def _cursor_after(row: Row) -> str:
    starts: time = row["starts"]
    return encode_cursor(row["zone_id"], row["weekday"], starts.hour * 60 + starts.minute, row["id"])
