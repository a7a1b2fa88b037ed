"""The state of a channel that all senders share: the rate, and the pause after failures that meet everyone."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from grocery.db import transaction
from grocery.notify.outcome import Outcome, SendResult
from grocery.notify.policy import CODE, OFFER
from grocery.notify.sending import sender as sending
from grocery.notify.sending.channels import DOUBTS_IN_A_ROW, open_channel, use_channel
from grocery.notify.sending.claims import Haul, claim_due, count_due, look
from grocery.notify.sending.sender import send_due
from grocery.notify.verdicts import MAX_ATTEMPTS
from tests.notify.factories import make_notification, make_notifications, pick
from tests.notify.scripted import FAILED, RETRY, SENT, UNKNOWN, ScriptedMail, ScriptedSms
from tests.waiting import stopwatch

pytestmark = pytest.mark.usefixtures("scripted")

RunSql = Callable[..., list[tuple[Any, ...]]]

DOWN = SendResult(Outcome.RETRY, error="Connection refused", is_general=True)


def claim(channel: str = "sms", wanted: int = 16) -> Haul:
    with transaction():
        return claim_due(channel, wanted)


def state_of(run_sql: RunSql, name: str = "sms") -> tuple[int, int, str | None]:
    """Failures in a row, seconds of the pause that are left, and the error."""
    [row] = run_sql(
        "SELECT failures, COALESCE(ceil(extract(epoch FROM paused_until - now()))::int, 0), error "
        "FROM channels WHERE name = :name",
        name=name,
    )
    return row  # type: ignore[return-value]


def pass_time(run_sql: RunSql, seconds: float) -> None:
    """Let time go by for all that waits."""
    run_sql("UPDATE channels SET paused_until = paused_until - make_interval(secs => :s)", s=seconds)
    run_sql(
        "UPDATE notifications SET next_attempt_at = next_attempt_at - make_interval(secs => :s) "
        "WHERE next_attempt_at IS NOT NULL",
        s=seconds,
    )


# The rate


def test_no_more_messages_are_claimed_than_the_rate_allows(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SMS_RATE", 10)
    make_notifications(40)
    started = time.monotonic()

    first, second = claim(), claim()

    assert len(first.claims) == 10
    assert second.claims == []
    assert second.wait_seconds is not None
    assert 0 < second.wait_seconds <= 0.1
    time.sleep(0.35)
    assert 3 <= len(claim().claims) <= (time.monotonic() - started) * 10


def test_rate_of_one_channel_is_not_that_of_the_other(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SMS_RATE", 2)
    make_notifications(5)
    make_notifications(5, channel="email")

    assert (len(claim().claims), len(claim("email").claims)) == (2, 5)


def test_offers_leave_half_of_the_burst_to_what_people_wait_for(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SMS_RATE", 20)
    make_notifications(30, priority=OFFER)

    offers = claim(wanted=30)
    make_notification(priority=CODE)
    code = claim()

    assert len(offers.claims) == 10
    assert offers.wait_seconds == pytest.approx(0.05, abs=0.03)
    assert [claimed.priority for claimed in code.claims] == [CODE]


@pytest.mark.parametrize("rate", [1, 2, 3])
def test_offers_are_sent_at_the_lowest_rates_too(app: Flask, monkeypatch: pytest.MonkeyPatch, rate: int) -> None:
    monkeypatch.setitem(app.config, "SMS_RATE", rate)
    make_notifications(3, priority=OFFER)

    assert len(claim().claims) == 1


def test_a_run_sends_no_faster_than_the_rate_and_waits_for_the_rest(
    app: Flask, monkeypatch: pytest.MonkeyPatch, sms: ScriptedSms
) -> None:
    monkeypatch.setitem(app.config, "SMS_RATE", 50)
    make_notifications(75)

    with stopwatch() as watch:
        assert send_due() == Counter(sent=75)

    assert watch.of_the_clock > 0.45
    assert watch.seconds < 2
    assert len(sms.sent) == 75


def test_senders_that_race_share_the_rate(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SMS_RATE", 40)
    make_notifications(200)
    taken: list[int] = []

    def work() -> None:
        with app.app_context():
            taken.extend(len(claim(wanted=3).claims) for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(4)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert 40 <= sum(taken) <= 40 + 40 * (time.monotonic() - started) + 1


def test_what_was_opened_and_not_used_is_there_for_the_next(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SMS_RATE", 10)
    with transaction():
        use_channel(open_channel("sms", 10), 4)
    with transaction():
        assert open_channel("sms", 10).limit == 6


# The pause


def test_failure_that_would_meet_everyone_pauses_the_channel_and_costs_no_attempt(
    sms: ScriptedSms, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SMS_SLOTS", 2)
    sms.results = [DOWN]
    messages = make_notifications(5)

    assert send_due() == Counter(pending=2)

    assert state_of(run_sql) == (1, 2, "Connection refused")
    assert [pick(message, "status", "attempts") for message in messages] == [
        *[{"status": "pending", "attempts": 1}] * 2,
        *[{"status": "pending", "attempts": 0}] * 3,
    ]
    allowed = [row for (row,) in run_sql("SELECT max_attempts - attempts FROM notifications")]
    assert allowed == [MAX_ATTEMPTS] * 5


def test_paused_channel_is_left_alone_and_nobody_is_rung_for(sms: ScriptedSms, run_sql: RunSql) -> None:
    sms.results = [DOWN]
    make_notification()
    send_due()
    make_notification()

    assert (look(), count_due()) == ((False, False), 0)
    assert send_due() == Counter()
    assert len(sms.sent) == 1

    make_notification(channel="email")
    assert (look(), count_due()) == ((True, False), 1)
    assert send_due() == Counter(sent=1)


def test_a_single_message_tries_when_the_pause_is_over(sms: ScriptedSms, run_sql: RunSql) -> None:
    sms.results = [DOWN]
    make_notifications(5)
    send_due()
    pass_time(run_sql, 3)
    assert look() == (True, False)

    with transaction():
        haul = claim_due("sms", 16)

    assert (len(haul.claims), haul.is_probe) == (1, True)
    assert claim().claims == []
    assert look() == (False, False), "others wait for what the one meets"


def test_pauses_double_up_to_a_minute_and_another_message_tries_each_time(sms: ScriptedSms, run_sql: RunSql) -> None:
    sms.results = [DOWN]
    make_notifications(3)
    send_due()
    pauses = [state_of(run_sql)[1]]

    for _ in range(7):
        pass_time(run_sql, pauses[-1] + 1)
        assert send_due() == Counter(pending=1)
        pauses.append(state_of(run_sql)[1])

    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    assert len(set(sms.bodies[-3:])) == 3


def test_clear_answer_opens_the_channel_for_all(sms: ScriptedSms, run_sql: RunSql) -> None:
    sms.results = [DOWN]
    make_notifications(20)
    send_due()
    pass_time(run_sql, 3)
    sms.results = [SENT]

    assert send_due() == Counter(sent=20)
    assert state_of(run_sql) == (0, 0, None)


@pytest.mark.parametrize("answer", [FAILED, RETRY], ids=["failed", "retry"])
def test_refusal_of_one_message_is_a_clear_answer(sms: ScriptedSms, run_sql: RunSql, answer: SendResult) -> None:
    sms.results = [DOWN]
    make_notification()
    send_due()
    pass_time(run_sql, 3)
    sms.results = [answer]

    send_due()

    assert state_of(run_sql) == (0, 0, None)


def test_unclear_answer_to_the_one_that_tries_keeps_the_channel_paused(sms: ScriptedSms, run_sql: RunSql) -> None:
    sms.results = [DOWN]
    make_notifications(3)
    send_due()
    pass_time(run_sql, 3)
    sms.results = [UNKNOWN]

    assert send_due() == Counter(unknown=1)
    assert state_of(run_sql) == (2, 4, "no answer")


def test_channel_on_which_nothing_is_answered_is_paused(sms: ScriptedSms, run_sql: RunSql) -> None:
    """A provider that hangs for an hour must not bring every message in doubt, three times."""
    sms.results = [UNKNOWN]
    make_notifications(100)

    tally = send_due()

    assert DOUBTS_IN_A_ROW <= tally["unknown"] < DOUBTS_IN_A_ROW + sending.SMS_SLOTS
    assert state_of(run_sql) == (1, 2, "no answer")
    assert count_due() == 0


def test_some_unclear_answers_between_clear_ones_pause_nothing(
    sms: ScriptedSms, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SMS_SLOTS", 1)
    sms.results = [*([UNKNOWN] * (DOUBTS_IN_A_ROW - 1) + [SENT]) * 2, SENT]
    make_notifications(2 * DOUBTS_IN_A_ROW)

    assert send_due() == Counter(unknown=2 * DOUBTS_IN_A_ROW - 2, sent=2)
    assert state_of(run_sql) == (0, 0, None)


def test_failures_that_were_on_their_way_make_the_pause_no_longer(sms: ScriptedSms, run_sql: RunSql) -> None:
    sms.results = [DOWN]
    make_notifications(sending.SMS_SLOTS)
    sms.meanwhile = lambda body: time.sleep(0.15 if int(body.split()[1]) % 2 else 0.0)

    assert send_due() == Counter(pending=sending.SMS_SLOTS)
    assert state_of(run_sql)[0] == 1


def test_messages_that_try_a_channel_leave_no_debt(
    app: Flask, sms: ScriptedSms, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than the rate allows, as in a test that lets hours go by."""
    monkeypatch.setitem(app.config, "SMS_RATE", 2)
    sms.results = [DOWN]
    make_notification()
    for _ in range(5):
        send_due()
        pass_time(run_sql, 61)
    sms.results = [SENT]

    assert send_due() == Counter(sent=1)
    [(tokens,)] = run_sql("SELECT tokens FROM channels WHERE name = 'sms'")
    assert tokens >= 0


def test_channel_whose_one_trying_sender_died_is_tried_again(sms: ScriptedSms, run_sql: RunSql) -> None:
    sms.results = [DOWN]
    make_notifications(2)
    send_due()
    pass_time(run_sql, 3)
    claim()  # and dies
    pass_time(run_sql, 61)
    sms.results = [SENT]

    assert send_due() == Counter(sent=1)
    assert state_of(run_sql)[0] == 0


def test_outage_of_six_hours_fails_nothing(sms: ScriptedSms, mail: ScriptedMail, run_sql: RunSql) -> None:
    sms.results = mail.results = [DOWN]
    make_notification()
    make_notification(channel="email")
    for _ in range(24):
        send_due()
        assert run_sql("SELECT DISTINCT status FROM notifications") == [("pending",)]
        pass_time(run_sql, 15 * 60)
    assert len(sms.sent) == len(mail.sent) == 24 > MAX_ATTEMPTS
    sms.results = mail.results = [SENT]

    assert send_due() == Counter(sent=2)
    assert run_sql("SELECT DISTINCT status, repeats FROM notifications") == [("sent", 0)]
