"""Delivery reports: kept as they come, matched with the message that they speak of, and applied to it.

The provider proves nothing about itself and knows no id of ours, so a report counts when its id is the one that was
answered to our request and its number is the message's. The id of an attempt that had no answer is not known; a report
with an unknown id settles such a message if it is the only one of its number that is in doubt.
"""

from typing import Any

from flask import current_app
from sqlalchemy import text

from grocery.db import Row, db, delete_in_batches, reader
from grocery.notify.receipts.oddities import masked, oddities
from grocery.notify.receipts.words import explain, is_blocked, meaning_of, next_status
from grocery.notify.sending.claims import LEASE_SECONDS
from grocery.notify.sending.fallbacks import settle_fallbacks
from grocery.notify.suppressions.service import suppress

# How long after its lease a sender that died is found out, in seconds.
_SLACK_SECONDS = 10

_KEEP = text(
    """
    INSERT INTO delivery_reports (provider_id, phone, status, network_code, failure_reason, retry_count)
    VALUES (:id, :phone, :status, :network_code, :failure_reason, :retry_count)
    ON CONFLICT (provider_id, phone, status) DO NOTHING
    RETURNING *
    """
)

# One statement, hence one look at the table: were the two conditions asked one after the other, a message whose outcome
# is committed in between would be missed by both, and another one of the number settled in its place. `is_young` bars
# what was queued after the report came. `may_be_meant`: its last attempt was under way when the report came. One that
# was in doubt before, beside others, is not settled by a report that has waited: that spoke of the others perhaps, and
# to send twice is better than not at all.
_CANDIDATES = text(
    """
    SELECT n.id, n.status, n.recipient = r.phone AS is_same_phone, n.provider_id IS NOT DISTINCT FROM r.provider_id
               AS is_same_id, n.created_at <= r.received_at AS is_young,
           :is_new OR r.received_at BETWEEN n.attempted_at AND coalesce(
               n.next_attempt_at - make_interval(secs => :unknown_wait),
               n.attempted_at + make_interval(secs => :attempt_seconds)
           ) AS may_be_meant
    FROM delivery_reports AS r
    JOIN notifications AS n ON n.channel = 'sms' AND (
        n.provider_id = r.provider_id OR (n.recipient = r.phone AND n.status IN ('sending', 'unknown'))
    )
    WHERE r.id = :report_id
    """
)

# Whatever has changed since the look: a message in a sender's hands is not touched, nor one that is no longer meant.
_LOCK = text(
    """
    SELECT status FROM notifications
    WHERE id = :id AND recipient = :phone AND (
        status = 'unknown' OR (provider_id = :provider_id AND status <> 'sending')
    )
    FOR NO KEY UPDATE
    """
)

_MATCH = text("UPDATE delivery_reports SET notification_id = :notification_id WHERE id = :report_id")

_APPLY = text(
    """
    UPDATE notifications
    SET status = :status, next_attempt_at = NULL, provider_id = :provider_id, error = :error,
        sent_at = CASE WHEN :status = 'failed' THEN sent_at ELSE coalesce(sent_at, :received_at) END,
        delivered_at = CASE WHEN :status = 'delivered' THEN CAST(:received_at AS timestamptz) END
    WHERE id = :id
    """
)

# Those for which there is something to look at, only: the reports about messages of others are never matched.
_WAITING = text(
    """
    SELECT r.id FROM delivery_reports AS r
    WHERE r.notification_id IS NULL AND r.received_at > now() - make_interval(secs => :seconds)
      AND (
          EXISTS (
              SELECT FROM notifications AS n
              WHERE n.provider_id = r.provider_id AND n.recipient = r.phone AND n.channel = 'sms'
                AND n.status <> 'sending'
          ) OR EXISTS (
              SELECT FROM notifications AS n
              WHERE n.recipient = r.phone AND n.channel = 'sms' AND n.status = 'unknown'
          )
      )
    ORDER BY r.received_at, r.id
    """
)

_TAKE = text("SELECT * FROM delivery_reports WHERE id = :id AND notification_id IS NULL FOR UPDATE SKIP LOCKED")

_FORGET = text(
    """
    DELETE FROM delivery_reports WHERE id IN (
        SELECT id FROM delivery_reports
        WHERE (notification_id IS NULL AND received_at < now() - make_interval(days => :unmatched_days))
           OR received_at < now() - make_interval(days => :matched_days)
        LIMIT :limit
        FOR UPDATE SKIP LOCKED
    )
    """
)

UNMATCHED_DAYS, MATCHED_DAYS = 7, 90


def take_report(form: Row) -> None:
    """Keep a report, and apply it if its message is known. One that was here before changes nothing.

    `form` is a loaded DeliveryReportSchema. Runs in the caller's `transaction()`.
    """
    retry_count = form["retry_count"]
    values = {**form, "retry_count": int(retry_count) if (retry_count or "").isdecimal() else None}
    report = db.session.execute(_KEEP, values).mappings().first()
    if report is None:
        return
    if meaning_of(report["status"]) is None:
        oddities().note("unknown status of a report", report["status"])
    _match(report, is_new=True)


def list_waiting(seconds: int) -> list[int]:
    """The ids of unmatched reports of the last `seconds` whose message may be known by now, the oldest first."""
    with reader() as connection:
        return list(connection.execute(_WAITING, {"seconds": seconds}).scalars())


def match_report(report_id: int) -> None:
    """Try anew to find the message of a report that waits; nothing happens if another process is at it."""
    report = db.session.execute(_TAKE, {"id": report_id}).mappings().first()
    if report is not None:
        _match(report, is_new=False)


def forget_reports(batch_size: int) -> None:
    """Delete the reports that are too old: UNMATCHED_DAYS, and MATCHED_DAYS. Stands at the edge: commits each batch."""
    delete_in_batches(_FORGET, batch_size, unmatched_days=UNMATCHED_DAYS, matched_days=MATCHED_DAYS)


def _match(report: Row, *, is_new: bool) -> None:
    notification_id = _find_message(report, is_new=is_new)
    if notification_id is None:
        return
    keys = {"id": notification_id, "phone": report["phone"], "provider_id": report["provider_id"]}
    status = db.session.execute(_LOCK, keys).scalar()
    if status is None:  # gone, or in a sender's hands again; looked at later
        return
    db.session.execute(_MATCH, {"notification_id": notification_id, "report_id": report["id"]})
    reported = next_status(status, report["status"])
    if reported is not None:
        _apply(report, notification_id, reported)


def _find_message(report: Row, *, is_new: bool) -> int | None:
    """The id of the message that a report speaks of, None when it is not known, or not known yet."""
    parameters = {
        "report_id": report["id"],
        "is_new": is_new,
        "attempt_seconds": LEASE_SECONDS + _SLACK_SECONDS,
        "unknown_wait": current_app.config["SMS_UNKNOWN_WAIT"],
    }
    candidates = db.session.execute(_CANDIDATES, parameters).all()
    known = [found for found in candidates if found.is_same_id]
    if known:
        return _known_message(report, known)
    in_doubt = [found for found in candidates if found.is_young]
    if meaning_of(report["status"]) is None or len(in_doubt) != 1:
        return None
    [only] = in_doubt
    return only.id if only.status == "unknown" and only.may_be_meant else None


def _known_message(report: Row, known: list[Any]) -> int | None:
    for found in known:
        if found.is_same_phone:
            return None if found.status == "sending" else found.id
    oddities().note("report with another number", f"notification {known[0].id}, number {masked(report['phone'])}")
    return None


def _apply(report: Row, notification_id: int, status: str) -> None:
    error = explain(report["status"], report["failure_reason"]) if status == "failed" else None
    values = {"provider_id": report["provider_id"], "received_at": report["received_at"]}
    db.session.execute(_APPLY, {**values, "id": notification_id, "status": status, "error": error})
    settle_fallbacks({notification_id: status})
    if status == "failed" and is_blocked(report["failure_reason"]):
        suppress("sms", report["phone"], "provider", report["failure_reason"])
