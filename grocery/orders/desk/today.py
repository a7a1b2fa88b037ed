"""The desk's figures: what was ordered and sold, how far picking is. Each statement reads two weeks at most."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from grocery import money
from grocery.orders.payments.cash_up import day_bounds
from grocery.orders.reports.fulfilment import FULFILMENT
from grocery.orders.reports.sales import SALES
from grocery.orders.reports.service import make_wanted, read_rows

#: Days of the chart, today included: with the same weekday of last week twice.
CHART_DAYS = 14

# Both days up to the same time of the day: a morning is not compared with a whole day.
_PLACED = text("""
    SELECT count(*) FILTER (WHERE placed_at >= :starts_at) AS today,
           count(*) FILTER (WHERE placed_at < :starts_at) AS before,
           coalesce(sum(total_cents) FILTER (WHERE placed_at >= :starts_at), 0) AS today_cents,
           coalesce(sum(total_cents) FILTER (WHERE placed_at < :starts_at), 0) AS before_cents
    FROM orders
    WHERE status <> 'cancelled'
          AND ((placed_at >= :starts_at AND placed_at <= :now)
               OR (placed_at >= :before_starts_at AND placed_at <= :before_now))
""")

# What has to be picked by tonight: for slots of today and late ones. Who collects has no slot, and comes any time.
_PICKING = text("""
    SELECT count(DISTINCT orders.id) AS orders, count(line.id) AS lines,
           count(line.id) FILTER (WHERE line.picked_quantity IS NOT NULL) AS picked
    FROM orders JOIN order_lines AS line ON line.order_id = orders.id AND line.substitute_for IS NULL
    WHERE orders.status IN ('pending', 'confirmed')
          AND (orders.slot_starts_at IS NULL OR orders.slot_starts_at < :ends_at)
""")


@dataclass(frozen=True)
class Placed:
    """Orders of today by now and of the same weekday last week by the same time, without those that were cancelled."""

    today: int
    before: int
    today_amount: str
    before_amount: str


@dataclass(frozen=True)
class Progress:
    """Orders that wait to be packed today, their lines, and how many of these are in a bag."""

    orders: int
    lines: int
    picked: int


def read_placed(connection: Connection, now: datetime, zone: ZoneInfo) -> Placed:
    today = now.astimezone(zone).date()
    week = timedelta(days=7)
    parameters = {
        "starts_at": day_bounds(today, zone)[0],
        "before_starts_at": day_bounds(today - week, zone)[0],
        "now": now,
        "before_now": now - week,
    }
    row = connection.execute(_PLACED, parameters).one()
    return Placed(row.today, row.before, money.to_text(int(row.today_cents)), money.to_text(int(row.before_cents)))


def read_progress(connection: Connection, today: date, zone: ZoneInfo) -> Progress:
    row = connection.execute(_PICKING, {"ends_at": day_bounds(today, zone)[1]}).one()
    return Progress(row.orders, row.lines, row.picked)


def read_sales(today: date) -> list[dict[str, Any]]:
    """What was sold on each of the last days: rows of the sales report with `day`, `orders`, `gross` …"""
    first = today - timedelta(days=CHART_DAYS - 1)
    return list(read_rows(SALES, make_wanted({"by": "day", "first": first, "last": today})))


def read_hours(today: date) -> list[dict[str, Any]]:
    """How many orders were placed in each hour of today: rows of the fulfilment report with `hour`, `placed` …"""
    return list(read_rows(FULFILMENT, make_wanted({"by": "hour", "first": today, "last": today})))
