"""`flask notify campaign …`."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from tests.notify.campaigns.factories import (
    deliver_all,
    find_campaign,
    make_campaign,
    make_subscribers,
    work_until_idle,
)

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]


def run(app: Flask, *arguments: str | int) -> Result:
    return app.test_cli_runner().invoke(args=["notify", "campaign", *map(str, arguments)])


def test_create_start_and_show(app: Flask, run_sql: RunSql) -> None:
    make_subscribers(3)
    wish = ("create", "Jamhuri", "--channel", "sms", "--text", "Sugar 299", "--text-sw", "Sukari 299")
    created = run(app, *wish, "--json")
    assert created.exit_code == 0, created.output
    campaign = json.loads(created.output)
    assert (campaign["status"], campaign["audience"], list(campaign["texts"])) == ("draft", 3, ["en", "sw"])
    campaign_id = campaign["id"]

    assert run(app, "start", campaign_id).output == f"Campaign {campaign_id} (Jamhuri) is running.\n"
    work_until_idle()
    run_sql("UPDATE notifications SET status = 'failed', next_attempt_at = NULL WHERE recipient = '+254700000001'")
    run_sql("UPDATE notifications SET status = 'sent', next_attempt_at = NULL WHERE recipient = '+254700000002'")

    assert run(app, "show", campaign_id).output.splitlines() == [
        f"Campaign {campaign_id}: Jamhuri (sms, running)",
        "Written: 3 of 3",
        "Waiting: 1, sent: 1, failed: 1, unknown: 0",
        "",
        "[en] (1 SMS)",
        "Sugar 299",
        "",
        "[sw] (1 SMS)",
        "Sukari 299",
    ]
    assert json.loads(run(app, "show", campaign_id, "--json").output)["queued"] == 3


def test_create_an_email(app: Flask) -> None:
    wish = ("create", "Jamhuri", "--channel", "email", "--subject", "Offers", "--text", "Good morning!\n\nSugar 299")
    result = run(app, *wish)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[4:] == ["[en]", "Offers", "", "Good morning!", "", "Sugar 299"]


@pytest.mark.parametrize(
    ("options", "exit_code", "message"),
    [
        (("--channel", "sms"), 1, "texts.en: The shop's own language is needed"),
        (("--channel", "sms", "--text", "x" * 500), 1, "texts.en.body: Takes 4 SMS"),
        (("--channel", "sms", "--text", ""), 1, "texts.en.body: Length must be between 1 and 20000."),
        (("--channel", "email", "--text", "x"), 1, "texts.en.subject: An e-mail needs a subject."),
        (("--channel", "email", "--text", "x", "--subject", "x", "--subject-sw", "x"), 1, "texts.sw.body: Length"),
        (("--channel", "fax", "--text", "x"), 2, "'fax' is not one of"),
        (("--text", "x"), 2, "Missing option '--channel'"),
    ],
)
def test_create_refused(app: Flask, run_sql: RunSql, options: tuple[str, ...], exit_code: int, message: str) -> None:
    result = run(app, "create", "Jamhuri", *options)
    assert result.exit_code == exit_code, result.output
    assert message in result.output
    assert "Traceback" not in result.output
    assert run_sql("SELECT count(*) FROM campaigns") == [(0,)]


def test_moves(app: Flask) -> None:
    campaign_id = make_campaign(status="running")
    for action, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert run(app, action, campaign_id).output == f"Campaign {campaign_id} (Jamhuri) is {status}.\n"
        assert find_campaign(campaign_id, "status") == {"status": status}


def test_illegal_move_says_what_is_possible(app: Flask) -> None:
    campaign_id = make_campaign()
    result = run(app, "resume", campaign_id)
    assert (result.exit_code, result.output) == (
        1,
        "Error: Resume is not possible for a campaign that is draft; possible: start.\n",
    )
    assert find_campaign(campaign_id, "status") == {"status": "draft"}


def test_move_as_json(app: Flask) -> None:
    campaign_id = make_campaign()
    assert json.loads(run(app, "start", campaign_id, "--json").output)["allowed_actions"] == ["pause", "cancel"]


def test_test_message(app: Flask, run_sql: RunSql) -> None:
    campaign_id = make_campaign()

    result = run(app, "test", campaign_id, "0712 345 678", "--language", "sw")

    [(notification_id, recipient, language)] = run_sql("SELECT id, recipient, language FROM notifications")
    assert (recipient, language) == ("+254712345678", "sw")
    assert result.output == f"Notification {notification_id} to +254712345678 waits to be sent.\n"


def test_test_message_to_nowhere(app: Flask, run_sql: RunSql) -> None:
    result = run(app, "test", make_campaign(), "amina@example.com")
    assert (result.exit_code, result.output) == (
        1,
        "Error: The test has no address.\n  recipient: Is not a phone number.\n",
    )
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]


def test_list(app: Flask) -> None:
    make_subscribers(2)
    first = make_campaign(status="running")
    work_until_idle()
    deliver_all()
    second = make_campaign("email", name="By mail")

    lines = [line.split() for line in run(app, "list").output.splitlines()]

    assert lines == [
        ["ID", "NAME", "CHANNEL", "STATUS", "AUDIENCE", "WRITTEN", "WAITING", "SENT", "FAILED"],
        [str(second), "By", "mail", "email", "draft", "2", "0", "0", "0", "0"],
        [str(first), "Jamhuri", "sms", "running", "2", "2", "0", "2", "0"],
    ]
    assert [one["id"] for one in json.loads(run(app, "list", "--status", "draft", "--json").output)] == [second]


def test_list_of_nothing(app: Flask) -> None:
    assert run(app, "list").output == "Nothing found.\n"
    assert run(app, "list", "--json").output == "[]\n"


@pytest.mark.parametrize("command", ["show", "start", "pause", "resume", "cancel"])
def test_no_such_campaign(app: Flask, command: str) -> None:
    result = run(app, command, 4711)
    assert (result.exit_code, result.output) == (1, "Error: There is no campaign 4711.\n")
    assert run(app, command, "x").exit_code == 2


@pytest.mark.parametrize("command", ["list", "show", "create", "test", "start", "pause", "resume", "cancel"])
def test_every_command_has_help(app: Flask, command: str) -> None:
    result = run(app, command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output
