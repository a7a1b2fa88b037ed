"""The way out of the offers: a link in each of them, which only its own holder has."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.notify.hooks import marketing_chosen
from grocery.notify.links import make_unsubscribe_token, read_unsubscribe_token
from grocery.notify.policy import NEWS, OFFER
from tests.auth.factories import make_customer
from tests.notify.clients import AMINA
from tests.notify.factories import make_notification, pick

RunSql = Callable[..., list[tuple[Any, ...]]]
Choice = tuple[str, str, bool]

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "en-GB,en;q=0.9"}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def choices() -> Iterator[list[Choice]]:
    """What the accounts were told."""
    told: list[Choice] = []

    def note(_sender: object, *, channel: str, address: str, is_wanted: bool) -> None:
        told.append((channel, address, is_wanted))

    with marketing_chosen.connected_to(note):
        yield told


@pytest.fixture
def path(context: None) -> str:
    return f"/notify/unsubscribe/{make_unsubscribe_token(AMINA)}"


def make_campaign(run_sql: RunSql) -> int:
    [(campaign_id,)] = run_sql(
        "INSERT INTO campaigns (name, channel, texts, status) VALUES ('Mangoes', 'email', '{}', 'running') RETURNING id"
    )
    return int(campaign_id)


def test_looking_at_the_page_changes_nothing(client: FlaskClient, path: str, choices: list[Choice]) -> None:
    for method in ("GET", "HEAD"):
        answer = client.open(path, method=method, headers=BROWSER)

        assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
    page = client.get(path, headers=BROWSER).text
    assert "We will send no more offers to amina@example.com." in page
    assert '<form method="post"><button>Unsubscribe</button></form>' in page
    assert "style=" not in page
    assert "<script" not in page
    assert choices == []


@pytest.mark.parametrize("body", [{"data": ONE_CLICK}, {"data": ONE_CLICK, "content_type": "multipart/form-data"}, {}])
def test_button_and_one_click_end_the_offers(
    client: FlaskClient, path: str, choices: list[Choice], body: dict[str, Any]
) -> None:
    answer = client.post(path, headers=BROWSER, **body)

    assert answer.status_code == 200
    assert "No more offers will come to amina@example.com." in answer.text
    assert "<form" not in answer.text
    assert choices == [("email", AMINA, False)]


def test_unsubscribing_again_is_fine(client: FlaskClient, path: str, choices: list[Choice]) -> None:
    assert [client.post(path, data=ONE_CLICK).status_code for _ in range(3)] == [200] * 3
    assert choices == [("email", AMINA, False)] * 3


def test_accounts_of_the_address_hear_of_it_and_others_do_not(client: FlaskClient, path: str, run_sql: RunSql) -> None:
    for address in (AMINA, "juma@example.com"):
        make_customer(email=address)
    run_sql("UPDATE customers SET marketing_email = true, marketing_sms = true")

    assert client.post(path, data=ONE_CLICK).status_code == 200

    rows = run_sql("SELECT email, marketing_email, marketing_sms FROM customers ORDER BY email")
    assert rows == [(AMINA, False, True), ("juma@example.com", True, True)]
    assert run_sql("SELECT count(*) FROM suppressions") == [(0,)]


def test_offers_that_wait_are_not_sent_any_more_and_other_mail_is(
    client: FlaskClient, path: str, choices: list[Choice], run_sql: RunSql
) -> None:
    campaign = make_campaign(run_sql)
    offer = {"channel": "email", "event": "campaign", "priority": OFFER, "campaign_id": campaign}
    waiting = make_notification(**offer)
    doubtful = make_notification(**offer, status="unknown", unknowns=1)
    sent = make_notification(**offer, status="sent", next_attempt_at=None)
    of_juma = make_notification(**offer, recipient="juma@example.com")
    news = make_notification(channel="email", priority=NEWS)

    assert client.post(path, data=ONE_CLICK).status_code == 200

    assert run_sql("SELECT count(*) FROM notifications WHERE id = :id", id=waiting) == [(0,)]
    assert pick(doubtful, "status", "next_attempt_at") == {"status": "unknown", "next_attempt_at": None}
    assert pick(sent, "status", "error") == {"status": "sent", "error": None}
    for other in (of_juma, news):
        assert pick(other, "status", "error") == {"status": "pending", "error": None}
        assert pick(other, "next_attempt_at")["next_attempt_at"] is not None


@pytest.mark.parametrize(
    ("languages", "language", "title"),
    [
        ("sw-KE,sw;q=0.9,en;q=0.5", "sw", "Hutaki ofa tena?"),
        ("en", "en", "No more offers?"),
        ("fr", "en", "No more offers?"),
        ("", "en", "No more offers?"),
    ],
)
def test_page_speaks_the_readers_language(
    client: FlaskClient, path: str, languages: str, language: str, title: str
) -> None:
    answer = client.get(path, headers={**BROWSER, "Accept-Language": languages})

    assert f'<html lang="{language}">' in answer.text
    assert f"<h1>{title}</h1>" in answer.text
    assert answer.headers["Vary"] == "Accept, Accept-Language"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("spoil", ["", "x", "cut", "other", "unsigned", "other purpose"])
def test_link_that_we_did_not_make_changes_nothing(
    app: Flask, client: FlaskClient, path: str, choices: list[Choice], method: str, spoil: str
) -> None:
    token = path.rpartition("/")[2]
    payload, _, signature = token.partition(".")
    spoilt = {
        "": "%00",
        "x": "x" * 5000,
        "cut": token[:-4],
        "other": f"{payload[:-2]}QQ.{signature}",
        "unsigned": f"{payload}.",
        "other purpose": make_unsubscribe_token(AMINA)[::-1],
    }[spoil]

    page = client.open(f"/notify/unsubscribe/{spoilt}", method=method, headers=BROWSER)
    problem = client.open(f"/notify/unsubscribe/{spoilt}", method=method)

    assert (page.status_code, problem.status_code) == (404, 404)
    assert "<h1>This link does not work</h1>" in page.text
    assert AMINA not in page.text
    assert problem.json is not None
    assert problem.json["code"] == "link_not_found"
    assert choices == []


@pytest.mark.parametrize("address", [AMINA, "amina@dükä.example", "o'neill+x@example.com", f"{'a' * 242}@example.com"])
def test_address_comes_back_out_of_its_link(context: None, address: str) -> None:
    token = make_unsubscribe_token(address)

    assert read_unsubscribe_token(token) == address
    assert token[-1].isalnum()
    assert token == make_unsubscribe_token(address)


def test_address_in_the_page_is_text(client: FlaskClient, context: None) -> None:
    token = make_unsubscribe_token("<b>{0}{address.__class__}</b>@example.com")

    page = client.get(f"/notify/unsubscribe/{token}", headers=BROWSER).text

    assert "&lt;b&gt;{0}{address.__class__}&lt;/b&gt;@example.com" in page
