"""`flask notify settle`: what a restored backup must not send again."""

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from grocery.db import db
from tests.notify.factories import find_notification, make_notification
from tests.notify.scripted import ScriptedSms

Run = Callable[..., Result]

_LONG_AGO = "now() - interval '1 hour'"


@pytest.fixture
def run(app: Flask, context: None) -> Run:
    def invoke(*arguments: str) -> Result:
        db.session.remove()
        return app.test_cli_runner().invoke(args=["notify", *arguments])

    return invoke


@pytest.fixture
def half_an_hour_ago(context: None) -> str:
    with db.engine.connect() as connection:
        moment: str = connection.exec_driver_sql(
            "SELECT to_char(now() AT TIME ZONE 'UTC' - interval '30 min', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        ).scalar_one()
    return moment


def test_what_waited_is_not_sent_and_what_came_later_is(
    run: Run, half_an_hour_ago: str, scripted: Flask, sms: ScriptedSms
) -> None:
    waiting = make_notification(created_at=_LONG_AGO)
    in_hand = make_notification(created_at=_LONG_AGO, status="sending", leased_until="now()", next_attempt_at=None)
    in_doubt = make_notification(created_at=_LONG_AGO, status="unknown", unknowns=1)
    new = make_notification()
    settled = run("settle", "--before", half_an_hour_ago)
    assert (settled.exit_code, settled.output) == (0, "3 messages are not sent any more.\n")
    for message in (waiting, in_hand, in_doubt):
        row = find_notification(message)
        assert (row["status"], row["next_attempt_at"], row["leased_until"]) == ("unknown", None, None)
        assert "backup" in row["error"]
    assert run("relay", "--send").exit_code == 0
    assert len(sms.sent) == 1
    assert find_notification(new)["status"] == "sent"


def test_what_is_over_stays_as_it_is_and_all_can_be_sent_anew(
    run: Run, half_an_hour_ago: str, scripted: Flask, sms: ScriptedSms
) -> None:
    sent = make_notification(created_at=_LONG_AGO, status="sent", next_attempt_at=None)
    waiting = make_notification(created_at=_LONG_AGO)
    assert run("settle", "--before", half_an_hour_ago).output == "1 message is not sent any more.\n"
    assert run("settle", "--before", half_an_hour_ago).output == "0 messages are not sent any more.\n"
    assert find_notification(sent)["status"] == "sent"
    assert run("resend", str(waiting)).exit_code == 0
    assert run("relay", "--send").exit_code == 0
    assert find_notification(waiting)["status"] == "sent"


def test_a_time_to_come_is_refused(run: Run) -> None:
    """Such as one of Nairobi that is said to be of UTC: it would take what the restored shop has written, too."""
    waiting = make_notification()
    refused = run("settle", "--before", "2999-11-26T21:30Z")
    assert (refused.exit_code, "in the future" in refused.output) == (2, True)
    assert find_notification(waiting)["status"] == "pending"


@pytest.mark.parametrize("wrong", ["yesterday", "2026-13-01", ""])
def test_a_time_that_is_none_is_refused(run: Run, wrong: str) -> None:
    refused = run("settle", "--before", wrong)
    assert (refused.exit_code, "2026-11-26T21:30Z" in refused.output) == (2, True)
