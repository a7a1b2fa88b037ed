"""Random lives of SMS to one or two numbers: whatever reports come when, messages only move forward."""

from collections import Counter
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from grocery.db import db
from grocery.notify.receipts.jobs import match_fresh
from tests.fakes.africastalking import Callbacks
from tests.notify.factories import find_notification, make_notification
from tests.notify.receipts.factories import change, reports

pytestmark = pytest.mark.usefixtures("provider")

NUMBERS = ("+254711000001", "+254711000002")
WORDS = ("Sent", "Buffered", "Success", "Failed", "Rejected", "Teleported")

# How far a message is on its way when no sender has it in hand. What is failed or delivered stays so.
RANKS = {"pending": 0, "unknown": 0, "sent": 1, "delivered": 2, "failed": 2}

_which = st.integers(0, 2)
_steps = st.one_of(
    st.tuples(st.just("claim"), _which),
    st.tuples(st.just("hear_nothing"), _which),
    st.tuples(st.just("hear_yes"), _which),
    st.tuples(st.just("delete"), _which),
    # Whose id it has (3: nobody's), which number, which word.
    st.tuples(st.just("report"), st.integers(0, 3), st.integers(0, 1), st.sampled_from(WORDS)),
    st.tuples(st.just("sweep")),
)


class Life:
    """Three messages, two of them to the same number. Each is accepted by the provider under an id of its own."""

    def __init__(self, provider: Callbacks) -> None:
        with db.engine.begin() as connection:
            connection.execute(text("DELETE FROM delivery_reports"))
            connection.execute(text("DELETE FROM notifications"))
            connection.execute(text("DELETE FROM suppressions"))
        self._provider = provider
        numbers = (NUMBERS[0], NUMBERS[0], NUMBERS[1])
        self._ids = [make_notification(recipient=number, created_at="now() - interval '1 hour'") for number in numbers]
        self._known = {sms: find_notification(sms) for sms in self._ids}

    def claim(self, which: int) -> None:
        self._change(which, ("pending", "unknown"), status="sending", next_attempt_at=None)

    def hear_nothing(self, which: int) -> None:
        due = "now() + interval '90 seconds'"
        self._change(which, ("sending",), status="unknown", next_attempt_at=due, provider_id=None)

    def hear_yes(self, which: int) -> None:
        self._change(which, ("sending",), status="sent", provider_id=f"ATXid_{which}", sent_at="now()")

    def delete(self, which: int) -> None:
        with db.engine.begin() as connection:
            connection.execute(text("DELETE FROM notifications WHERE id = :id"), {"id": self._ids[which]})
        self._known.pop(self._ids[which], None)

    def report(self, whose: int, number: int, word: str) -> None:
        form = {"id": f"ATXid_{whose}", "status": word, "phoneNumber": NUMBERS[number]}
        kept = len(reports())
        assert self._provider.send("/delivery", form).status == 200
        self._look(may_change=1 if len(reports()) > kept else 0)

    def sweep(self) -> None:
        match_fresh()
        self._look(may_change=len(self._ids))

    def assert_reports_fit(self) -> None:
        """Each matched report has its message's number, and no message has those of two ids, nor an id two messages."""
        with db.engine.connect() as connection:
            matched = connection.execute(
                text(
                    "SELECT r.provider_id, r.phone, n.id, n.recipient, n.provider_id AS now FROM delivery_reports AS r "
                    "JOIN notifications AS n ON n.id = r.notification_id"
                )
            ).all()
        assert all(row.phone == row.recipient for row in matched)
        per_report = Counter(provider_id for provider_id, _ in {(row.provider_id, row.id) for row in matched})
        assert set(per_report.values()) <= {1}

    def _change(self, which: int, from_statuses: tuple[str, ...], **values: Any) -> None:
        sms = self._ids[which]
        if sms in self._known and self._known[sms]["status"] in from_statuses:
            change(sms, **values)
            self._known[sms] = find_notification(sms)

    def _look(self, *, may_change: int) -> None:
        changed = 0
        for sms, before in self._known.items():
            after = find_notification(sms)
            if after == before:
                continue
            changed += 1
            assert before["status"] not in ("sending", "failed", "delivered")
            assert RANKS[after["status"]] > RANKS[before["status"]]
            assert after["next_attempt_at"] is None
            assert (after["delivered_at"] is not None) == (after["status"] == "delivered")
            assert (after["error"] is not None) == (after["status"] == "failed")
            self._known[sms] = after
        assert changed <= may_change


def unfold(provider: Callbacks, *, histories: int, is_proof: bool = False) -> None:
    @settings(
        max_examples=histories,
        derandomize=not is_proof,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(history=st.lists(_steps, min_size=3, max_size=15))
    def live(history: list[tuple[Any, ...]]) -> None:
        life = Life(provider)
        for name, *arguments in history:
            getattr(life, name)(*arguments)
        life.assert_reports_fit()

    live()


def test_messages_only_move_forward_and_a_report_settles_one_at_the_most(app: Flask, provider: Callbacks) -> None:
    unfold(provider, histories=60)


@pytest.mark.prove
@pytest.mark.parametrize("block", range(10))
def test_they_do_through_two_thousand_lives(app: Flask, provider: Callbacks, block: int) -> None:
    unfold(provider, histories=200, is_proof=True)
