"""What comes next for a message, by arithmetic."""

from dataclasses import replace
from typing import Any

import pytest

from grocery.notify.verdicts import MAX_ATTEMPTS, Verdict, backoff_seconds, judge
from tests.notify.scripted import FAILED, RETRY, SENT, UNKNOWN


def verdict(result: Any, **overrides: Any) -> Verdict:
    known = {"attempts": 1, "max_attempts": MAX_ATTEMPTS, "unknowns": 0, "unknown_wait": 90, "chance": 0.5}
    return judge(result, **{**known, **overrides})


def test_sent_is_the_end() -> None:
    assert verdict(SENT, attempts=2, unknowns=1) == Verdict("sent", 1, None)


def test_refused_for_good_is_the_end() -> None:
    assert verdict(FAILED) == Verdict("failed", 0, None)


@pytest.mark.parametrize(("attempts", "wait"), [(1, 5), (2, 10), (3, 20), (8, 640), (9, 900), (19, 900)])
def test_refused_for_now_waits_twice_as_long_each_time(attempts: int, wait: float) -> None:
    assert verdict(RETRY, attempts=attempts, unknowns=1) == Verdict("pending", 1, wait)


def test_last_attempt_that_is_refused_for_now_is_the_end() -> None:
    assert verdict(RETRY, attempts=MAX_ATTEMPTS) == Verdict("failed", 0, None)


def test_failure_that_would_meet_everyone_is_not_counted() -> None:
    down = replace(RETRY, is_general=True)

    assert verdict(down, attempts=1, unknowns=1) == Verdict("pending", 1, 2, is_counted=False)
    assert verdict(down, attempts=MAX_ATTEMPTS) == Verdict("pending", 0, 2, is_counted=False)


@pytest.mark.parametrize(("before", "wait"), [(1, 4), (4, 32), (5, 60), (400, 60)])
def test_message_that_keeps_meeting_it_waits_longer_so_that_it_pauses_the_channel_less(before: int, wait: int) -> None:
    """It may be about this text after all, such as one that a firewall before the provider dislikes."""
    down = replace(RETRY, is_general=True)
    known = {"attempts": before + 1, "max_attempts": MAX_ATTEMPTS + before}

    assert verdict(down, **known) == Verdict("pending", 0, wait, is_counted=False)


def test_message_sent_anew_begins_with_short_waits_again() -> None:
    assert verdict(RETRY, attempts=24, max_attempts=23 + MAX_ATTEMPTS) == Verdict("pending", 0, 5)


@pytest.mark.parametrize(
    ("unknowns", "expected"),
    [(0, Verdict("unknown", 1, 90)), (1, Verdict("unknown", 2, 90)), (2, Verdict("unknown", 3, None))],
)
def test_third_unknown_is_the_last(unknowns: int, expected: Verdict) -> None:
    assert verdict(UNKNOWN, unknowns=unknowns) == expected


def test_unknown_may_come_after_the_last_attempt() -> None:
    assert verdict(UNKNOWN, attempts=MAX_ATTEMPTS) == Verdict("unknown", 1, 90)


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 4.0), (0.5, 5.0), (1.0, 6.0)])
def test_jitter_is_a_fifth(chance: float, wait: float) -> None:
    assert backoff_seconds(1, chance) == pytest.approx(wait)


def test_attempts_of_an_allowance_cover_about_three_hours() -> None:
    hours = sum(backoff_seconds(attempt, 0.5) for attempt in range(1, MAX_ATTEMPTS)) / 3600

    assert 2.5 < hours < 3.5
