"""How the outbox is doing, in figures: for `/metrics` and `flask notify status`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import Flask, current_app
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import Connection, text

from grocery.db import Row, reader
from grocery.metrics import figures_reader, first_id_since
from grocery.notify.models import CHANNELS, STATUSES, Notification
from grocery.notify.policy import PRIORITY_WORDS
from grocery.notify.receipts.oddities import TALLY
from grocery.queues import doorbell

# What has to be done yet: a small part of the table, each half by an index of its own; with OR all was read. An e-mail
# that stands in the place of an SMS waits for that one, not for us.
_WAITING = text("""
    SELECT channel, priority, count(*) AS number,
           extract(epoch FROM now() - min(created_at)) AS oldest_seconds
    FROM (
        SELECT channel, priority, created_at FROM notifications
        WHERE next_attempt_at IS NOT NULL AND status <> 'sending'
          AND (fallback_for_id IS NULL OR next_attempt_at <= now())
        UNION ALL
        SELECT channel, priority, created_at FROM notifications WHERE status = 'sending'
    ) AS waiting
    GROUP BY channel, priority
""")

# By the id, since the index on the time knows nothing of what was written since the last vacuum.
_RECENT = text("""
    SELECT channel, status, count(*) AS number, sum(repeats) AS repeats
    FROM notifications WHERE id >= :first_id AND created_at > now() - make_interval(secs => :seconds)
    GROUP BY channel, status
""")

_CHANNELS = text("""
    SELECT name, paused_until > now() AS is_paused, paused_until, failures, error FROM channels
""")

_REST = text("""
    SELECT (SELECT count(*) FROM inbound_sms WHERE status = 'received') AS inbound_waiting,
           (SELECT count(*) FROM delivery_reports WHERE notification_id IS NULL) AS reports_unmatched,
           (SELECT coalesce(sum(amount), 0) FROM sms_spending
            WHERE currency = :currency AND day = (now() AT TIME ZONE :timezone)::date) AS spent
""")


_HOUR, _DAY = 3600, 86_400


@dataclass(frozen=True, kw_only=True)
class State:
    """`waiting` has channel, priority, number and the age of the oldest in seconds; `spent` is what today's SMS have
    cost, in the shop's currency."""

    waiting: Sequence[Row]
    channels: Mapping[str, Row]
    inbound_waiting: int
    reports_unmatched: int
    spent: Decimal


@dataclass(frozen=True, kw_only=True)
class Figures(State):
    """`last_day` counts what was queued in the last 24 hours by channel and status."""

    last_day: Sequence[Row]


def read_figures() -> Figures:
    """For people, who look at them now and then."""
    with reader() as connection:
        return Figures(**_read_state(connection), last_day=_read_recent(connection, _DAY))


def _read_state(connection: Connection) -> dict[str, Any]:
    config = current_app.config
    place = {"currency": config["CURRENCY"], "timezone": config["TIMEZONE"].key}
    return {
        "waiting": connection.execute(_WAITING).mappings().all(),
        "channels": {row["name"]: row for row in connection.execute(_CHANNELS).mappings()},
        **connection.execute(_REST, place).mappings().one(),
    }


def _read_recent(connection: Connection, seconds: int) -> Sequence[Row]:
    first_id = first_id_since(connection, Notification.id, Notification.created_at, seconds)
    return connection.execute(_RECENT, {"first_id": first_id, "seconds": seconds}).mappings().all()


def metric_families(_app: Flask) -> list[Metric]:
    """The answer to the signal `metrics_asked`."""
    with figures_reader() as connection:
        figures = State(**_read_state(connection))
        last_hour = _read_recent(connection, _HOUR)
    return [
        *_waiting_families(figures),
        *_last_hour_families(last_hour),
        _channel_family(figures),
        *_spending_families(figures),
        _oddity_family(),
        _single("grocery_inbound_sms_waiting", "SMS from customers, not answered yet.", figures.inbound_waiting),
        _single(
            "grocery_delivery_reports_unmatched",
            "Delivery reports of which nobody knows the message.",
            figures.reports_unmatched,
        ),
    ]


def _waiting_families(figures: State) -> list[Metric]:
    number = GaugeMetricFamily(
        "grocery_notifications_waiting", "Messages that are to be sent yet.", labels=["channel", "priority"]
    )
    age = GaugeMetricFamily(
        "grocery_notifications_oldest_unsent_seconds",
        "Age of the oldest message that is to be sent yet, in seconds.",
        labels=["channel", "priority"],
    )
    rows: dict[tuple[str, int], Any] = {(row["channel"], row["priority"]): row for row in figures.waiting}
    for channel in CHANNELS:
        for priority, word in PRIORITY_WORDS.items():
            row = rows.get((channel, priority))
            number.add_metric([channel, word], row["number"] if row else 0)
            age.add_metric([channel, word], float(row["oldest_seconds"]) if row else 0)
    return [number, age]


def _last_hour_families(last_hour: Sequence[Row]) -> list[Metric]:
    number = GaugeMetricFamily(
        "grocery_notifications_last_hour", "Messages of the last hour by status.", labels=["channel", "status"]
    )
    repeats = GaugeMetricFamily(
        "grocery_notifications_repeats_last_hour",
        "Attempts for messages of the last hour that were made although an earlier one may have arrived.",
        labels=["channel"],
    )
    found = {(row["channel"], row["status"]): row for row in last_hour}
    for channel in CHANNELS:
        rows = {status: found.get((channel, status)) for status in STATUSES}
        for status, row in rows.items():
            number.add_metric([channel, status], row["number"] if row else 0)
        repeats.add_metric([channel], sum(row["repeats"] for row in rows.values() if row))
    return [number, repeats]


def _channel_family(figures: State) -> Metric:
    paused = GaugeMetricFamily(
        "grocery_channel_paused", "1 while nothing is sent because the provider cannot be used.", labels=["channel"]
    )
    for channel in CHANNELS:
        row = figures.channels.get(channel)
        paused.add_metric([channel], 1 if row and row["is_paused"] else 0)
    return paused


def _spending_families(figures: State) -> list[Metric]:
    spent = GaugeMetricFamily("grocery_sms_spent_today", "What today's SMS have cost.", labels=["currency"])
    spent.add_metric([current_app.config["CURRENCY"]], float(figures.spent))
    budget = current_app.config["SMS_DAILY_BUDGET"]
    if budget is None:
        return [spent]
    return [spent, _single("grocery_sms_daily_budget", "What the SMS of a day may cost.", float(budget))]


def _oddity_family() -> Metric:
    oddities = CounterMetricFamily(
        "grocery_callback_oddities", "What was odd about the calls of providers, by kind.", labels=["kind"]
    )
    for kind, count in sorted(doorbell().read_counts(TALLY).items()):
        oddities.add_metric([kind], count)
    return oddities


def _single(name: str, description: str, value: float) -> Metric:
    return GaugeMetricFamily(name, description, value=value)
