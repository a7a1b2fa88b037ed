"""Campaigns over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.notify.campaigns.writing import work_on_campaigns
from tests.auth.factories import make_customer, sign_in
from tests.notify.campaigns.factories import body, deliver_all, make_campaign, make_subscribers, work_until_idle

RunSql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def admin(app: Flask, context: None) -> dict[str, str]:
    return sign_in(make_customer(role="admin"))


def test_a_campaign_is_written_and_read(client: FlaskClient, admin: dict[str, str], run_sql: RunSql) -> None:
    make_subscribers(3)

    created = client.post("/campaigns/", json=body(), headers=admin)

    assert created.status_code == 201
    campaign = created.json
    assert created.headers["Location"] == f"/campaigns/{campaign['id']}"
    assert campaign == {
        "id": campaign["id"],
        "name": "Jamhuri",
        "channel": "sms",
        "texts": {
            "en": {"subject": None, "body": "Sugar 2 kg at 299"},
            "sw": {"subject": None, "body": "Sukari kilo 2 kwa 299"},
        },
        "status": "draft",
        "allowed_actions": ["start"],
        "audience": 3,
        "queued": 0,
        "counts": {"pending": 0, "sent": 0, "delivered": 0, "failed": 0, "unknown": 0},
        "parts": {"en": 1, "sw": 1},
        "most_parts": 3,
        "created_by": run_sql("SELECT id FROM customers WHERE role = 'admin'")[0][0],
        "created_at": campaign["created_at"],
        "started_at": None,
        "finished_at": None,
    }
    assert client.get(f"/campaigns/{campaign['id']}", headers=admin).json == campaign
    assert work_on_campaigns() is False
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]


def test_an_email_has_no_parts(client: FlaskClient, admin: dict[str, str]) -> None:
    campaign = client.post("/campaigns/", json=body("email"), headers=admin).json
    assert (campaign["parts"], campaign["most_parts"]) == (None, None)


LONG = "Sugar at 299, milk at 55. " * 20
NO_SHOP_LANGUAGE = ["The shop's own language is needed: it is for all who have chosen none."]
FOUR_PARTS = ["Takes 4 SMS with the shop's name and how to opt out; at most 3 may be."]


@pytest.mark.parametrize(
    ("texts", "errors"),
    [
        ({}, {"en": NO_SHOP_LANGUAGE}),
        ({"sw": {"body": "Sukari"}}, {"en": NO_SHOP_LANGUAGE}),
        ({"en": {"body": LONG}}, {"en": {"body": FOUR_PARTS}}),
        ({"en": {"body": "x"}, "sw": {"body": LONG}}, {"sw": {"body": FOUR_PARTS}}),
        ({"en": {"body": "x", "subject": "Hi"}}, {"en": {"subject": ["An SMS has no subject."]}}),
        ({"en": {"body": " \n "}}, {"en": {"body": ["Length must be between 1 and 20000."]}}),
        ({"en": {}}, {"en": {"body": ["Missing data for required field."]}}),
        ({"fr": {"body": "Sucre"}}, {"fr": ["Unknown field."]}),
        ({"en": {"body": "a\x00b"}}, {"en": {"body": ["Has a character that cannot be stored."]}}),
        ("Sugar", {"_schema": ["Invalid input type."]}),
    ],
)
def test_texts_that_cannot_go_out_are_refused(
    client: FlaskClient, admin: dict[str, str], run_sql: RunSql, texts: Any, errors: dict[str, Any]
) -> None:
    answer = client.post("/campaigns/", json=body(texts=texts), headers=admin)
    assert (answer.status_code, answer.json["errors"]) == (422, {"texts": errors})
    assert run_sql("SELECT count(*) FROM campaigns") == [(0,)]


@pytest.mark.parametrize(
    ("wish", "errors"),
    [
        ({"channel": "fax"}, {"channel": ["Must be one of: sms, email."]}),
        ({"channel": "email"}, {"texts": {one: {"subject": ["An e-mail needs a subject."]} for one in ("en", "sw")}}),
        ({"name": ""}, {"name": ["Length must be between 1 and 200."]}),
        ({"status": "running"}, {"status": ["Unknown field."]}),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: FlaskClient, admin: dict[str, str], run_sql: RunSql, wish: dict[str, Any], errors: dict[str, Any]
) -> None:
    answer = client.post("/campaigns/", json=body() | wish, headers=admin)
    assert (answer.status_code, answer.json["errors"]) == (422, errors)
    assert run_sql("SELECT count(*) FROM campaigns") == [(0,)]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ({"subject": "x" * 151, "body": "x"}, {"subject": ["Length must be between 1 and 150."]}),
        ({"subject": "x", "body": "x" * 1001}, {"body": ["A line may have 1000 characters at most; begin a new one."]}),
        ({"subject": "x", "body": "x\n" * 10_001}, {"body": ["Length must be between 1 and 20000."]}),
    ],
)
def test_emails_have_limits(
    client: FlaskClient, admin: dict[str, str], text: dict[str, str], errors: dict[str, Any]
) -> None:
    answer = client.post("/campaigns/", json=body("email", texts={"en": text}), headers=admin)
    assert (answer.status_code, answer.json["errors"]) == (422, {"texts": {"en": errors}})


def test_emails_need_an_address_to_unsubscribe_at(
    client: FlaskClient, admin: dict[str, str], app: Flask, monkeypatch: pytest.MonkeyPatch, run_sql: RunSql
) -> None:
    draft = make_campaign("email")
    monkeypatch.setitem(app.config, "SHOP_URL", "")

    for path, json in (("/campaigns/", body("email")), (f"/campaigns/{draft}/start", None)):
        answer = client.post(path, json=json, headers=admin)
        assert (answer.status_code, answer.json["code"]) == (409, "shop_url_needed")
    assert client.post("/campaigns/", json=body(), headers=admin).status_code == 201
    assert run_sql("SELECT channel, status FROM campaigns ORDER BY id") == [("email", "draft"), ("sms", "draft")]


def test_texts_are_looked_at_again_at_the_start(
    client: FlaskClient, admin: dict[str, str], app: Flask, monkeypatch: pytest.MonkeyPatch, run_sql: RunSql
) -> None:
    campaign_id = make_campaign(texts={"en": {"body": "Sugar"}})
    monkeypatch.setitem(app.config, "SHOP_LANGUAGE", "sw")

    answer = client.post(f"/campaigns/{campaign_id}/start", headers=admin)

    assert (answer.status_code, list(answer.json["errors"]["texts"])) == (422, ["sw"])
    assert run_sql("SELECT status, started_at FROM campaigns") == [("draft", None)]


def test_a_draft_is_replaced_and_deleted(client: FlaskClient, admin: dict[str, str], run_sql: RunSql) -> None:
    campaign_id = make_campaign()

    answer = client.put(f"/campaigns/{campaign_id}", json=body("email", name="By mail"), headers=admin)
    assert answer.status_code == 200
    assert (answer.json["name"], answer.json["channel"], list(answer.json["texts"])) == ("By mail", "email", ["en"])

    assert client.delete(f"/campaigns/{campaign_id}", headers=admin).status_code == 204
    assert run_sql("SELECT count(*) FROM campaigns") == [(0,)]


@pytest.mark.parametrize("status", ["running", "paused"])
def test_what_was_started_is_neither_changed_nor_deleted(
    client: FlaskClient, admin: dict[str, str], run_sql: RunSql, status: str
) -> None:
    campaign_id = make_campaign(status=status)
    for method, json in (("PUT", body(name="Other")), ("DELETE", None)):
        answer = client.open(f"/campaigns/{campaign_id}", method=method, json=json, headers=admin)
        assert (answer.status_code, answer.json["code"], answer.json["current"]) == (409, "not_draft", status)
    assert run_sql("SELECT name, status FROM campaigns") == [("Jamhuri", status)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        *[("POST", f"/{action}") for action in ("start", "pause", "resume", "cancel", "test")],
    ],
)
def test_no_such_campaign(client: FlaskClient, admin: dict[str, str], method: str, path: str) -> None:
    answer = client.open(f"/campaigns/4711{path}", method=method, json={}, headers=admin)
    assert (answer.status_code, answer.json["code"]) == (404, "campaign_not_found")


def test_a_campaign_goes_through_its_states(client: FlaskClient, admin: dict[str, str]) -> None:
    campaign_id = make_campaign()
    seen = []
    for action in ("start", "pause", "resume", "cancel"):
        answer = client.post(f"/campaigns/{campaign_id}/{action}", headers=admin)
        assert answer.status_code == 200
        seen.append((answer.json["status"], answer.json["allowed_actions"]))
    assert seen == [
        ("running", ["pause", "cancel"]),
        ("paused", ["resume", "cancel"]),
        ("running", ["pause", "cancel"]),
        ("cancelled", []),
    ]
    assert answer.json["started_at"] < answer.json["finished_at"]


@pytest.mark.parametrize(
    ("status", "action", "allowed"),
    [
        ("draft", "pause", ["start"]),
        ("draft", "cancel", ["start"]),
        ("running", "start", ["pause", "cancel"]),
        ("running", "resume", ["pause", "cancel"]),
        ("paused", "pause", ["resume", "cancel"]),
    ],
)
def test_other_moves_are_refused(
    client: FlaskClient, admin: dict[str, str], run_sql: RunSql, status: str, action: str, allowed: list[str]
) -> None:
    campaign_id = make_campaign(status=status)
    answer = client.post(f"/campaigns/{campaign_id}/{action}", headers=admin)
    assert answer.status_code == 409
    assert (answer.json["code"], answer.json["current"], answer.json["allowed"]) == (
        "illegal_transition",
        status,
        allowed,
    )
    assert run_sql("SELECT status FROM campaigns") == [(status,)]


def test_counts_tell_what_became_of_the_messages(client: FlaskClient, admin: dict[str, str], run_sql: RunSql) -> None:
    make_subscribers(6)
    campaign_id = make_campaign(status="running")
    work_until_idle()
    for number, status in enumerate(("sending", "sent", "delivered", "failed", "unknown"), 1):
        recipient = f"+25470000000{number}"
        run_sql("UPDATE notifications SET status = :status WHERE recipient = :to", status=status, to=recipient)

    campaign = client.get(f"/campaigns/{campaign_id}", headers=admin).json

    assert campaign["counts"] == {"pending": 2, "sent": 1, "delivered": 1, "failed": 1, "unknown": 1}
    assert (campaign["audience"], campaign["queued"]) == (6, 6)


def test_the_audience_of_one_that_is_over_is_who_got_it(client: FlaskClient, admin: dict[str, str]) -> None:
    make_subscribers(2)
    campaign_id = make_campaign(status="running")
    work_until_idle()
    deliver_all()
    work_until_idle()
    make_subscribers(3, first=10)

    campaign = client.get(f"/campaigns/{campaign_id}", headers=admin).json

    assert (campaign["status"], campaign["audience"], campaign["most_parts"]) == ("finished", 2, 2)


def test_list_comes_in_pages_with_filters(client: FlaskClient, admin: dict[str, str]) -> None:
    ids = [make_campaign(), make_campaign("email"), make_campaign(status="running")]

    first = client.get("/campaigns/?limit=2", headers=admin)
    assert [one["id"] for one in first.json] == [ids[2], ids[1]]
    rest = client.get(first.headers["Link"].partition(">")[0].removeprefix("<"), headers=admin)
    assert ([one["id"] for one in rest.json], "Link" in rest.headers) == ([ids[0]], False)
    for query, found in (("status=draft", [ids[1], ids[0]]), ("channel=email", [ids[1]]), ("status=finished", [])):
        assert [one["id"] for one in client.get(f"/campaigns/?{query}", headers=admin).json] == found


@pytest.mark.parametrize("query", ["status=odd", "channel=fax", "cursor=x", "limit=0", "name=x"])
def test_bad_filters_are_refused(client: FlaskClient, admin: dict[str, str], query: str) -> None:
    assert client.get(f"/campaigns/?{query}", headers=admin).status_code == 422


def test_a_test_message_goes_to_one_address_at_once(
    client: FlaskClient, admin: dict[str, str], run_sql: RunSql
) -> None:
    make_subscribers(2)
    run_sql("INSERT INTO suppressions (channel, address, reason) VALUES ('sms', '+254712345678', 'stop')")
    campaign_id = make_campaign()

    answer = client.post(f"/campaigns/{campaign_id}/test", json={"recipient": "0712 345 678"}, headers=admin)

    assert answer.status_code == 202
    assert answer.json["body"].startswith("Test Grocer: Sugar 2 kg at 299")
    assert {name: answer.json[name] for name in ("recipient", "status", "priority", "campaign_id", "language")} == {
        "recipient": "+254712345678",
        "status": "pending",
        "priority": "news",
        "campaign_id": None,
        "language": "en",
    }
    assert run_sql("SELECT recipient FROM notifications") == [("+254712345678",)]
    assert run_sql("SELECT status, queued FROM campaigns") == [("draft", 0)]


def test_a_test_may_be_repeated_and_in_another_language(
    client: FlaskClient, admin: dict[str, str], run_sql: RunSql
) -> None:
    campaign_id = make_campaign()
    for _ in range(2):
        wish = {"recipient": "0712345678", "language": "sw"}
        assert client.post(f"/campaigns/{campaign_id}/test", json=wish, headers=admin).status_code == 202
    assert run_sql("SELECT language, position('Sukari kilo 2' IN body) > 0 FROM notifications") == [("sw", True)] * 2


@pytest.mark.parametrize(
    ("channel", "wish", "field"),
    [
        ("sms", {"recipient": "amina@example.com"}, "recipient"),
        ("sms", {"recipient": "12"}, "recipient"),
        ("email", {"recipient": "0712345678"}, "recipient"),
        ("email", {"recipient": "a@example.com", "language": "sw"}, "language"),
        ("email", {"recipient": "a@example.com", "language": "fr"}, "language"),
        ("email", {}, "recipient"),
    ],
)
def test_a_test_without_an_address_sends_nothing(
    client: FlaskClient, admin: dict[str, str], run_sql: RunSql, channel: str, wish: dict[str, str], field: str
) -> None:
    campaign_id = make_campaign(channel)
    answer = client.post(f"/campaigns/{campaign_id}/test", json=wish, headers=admin)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]
