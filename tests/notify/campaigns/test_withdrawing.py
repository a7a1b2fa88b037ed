"""Who does not want offers any more gets none, not even those that wait already."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.auth.service import delete_customer, update_profile
from grocery.db import transaction
from grocery.notify.campaigns.writing import work_on_campaigns
from grocery.notify.hooks import marketing_chosen
from grocery.notify.suppressions.service import suppress
from tests.auth.factories import make_customer, sign_in
from tests.notify.campaigns.factories import (
    deliver_all,
    find_campaign,
    make_campaign,
    make_subscribers,
    move,
    work_until_idle,
)
from tests.notify.factories import make_notification, pick

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]
PHONE = "+254700000001"


def choose(is_wanted: bool, channel: str = "sms", address: str = PHONE) -> None:
    with transaction():
        marketing_chosen.send(channel=channel, address=address, is_wanted=is_wanted)


def recipients(run_sql: RunSql) -> list[str]:
    return [row[0] for row in run_sql("SELECT recipient FROM notifications ORDER BY 1")]


def test_unsubscribed_one_gets_nothing(run_sql: RunSql) -> None:
    make_subscribers(2)
    choose(False)
    make_campaign(status="running")
    work_until_idle()
    assert recipients(run_sql) == ["+254700000002"]


@pytest.mark.parametrize("status", ["running", "paused"])
def test_offers_that_wait_are_deleted_with_the_consent(run_sql: RunSql, status: str) -> None:
    make_subscribers(2)
    order = make_notification(recipient=PHONE)
    campaign_id, by_mail = (make_campaign(channel, status="running") for channel in ("sms", "email"))
    work_until_idle()
    if status == "paused":
        move(campaign_id, "pause")

    choose(False)

    assert recipients(run_sql) == [PHONE, "+254700000002", "person1@people.example", "person2@people.example"]
    assert pick(order, "status") == {"status": "pending"}
    assert find_campaign(campaign_id, "queued", "counts")["counts"]["pending"] == 1
    assert find_campaign(by_mail, "counts")["counts"]["pending"] == 2


def test_offer_that_may_have_arrived_is_not_repeated_and_one_that_has_is_kept(run_sql: RunSql) -> None:
    make_subscribers(1)
    for status in ("unknown", "sent"):
        make_campaign(status="running")
        work_until_idle()
        run_sql("UPDATE notifications SET status = :status WHERE status = 'pending'", status=status)

    choose(False)

    rows = run_sql("SELECT status, next_attempt_at IS NULL FROM notifications ORDER BY id")
    assert [row[0] for row in rows] == ["unknown", "sent"]
    assert rows[0] == ("unknown", True)


def test_address_that_was_suppressed_in_a_pause_gets_nothing_after_it(run_sql: RunSql) -> None:
    make_subscribers(2)
    campaign_id = make_campaign("email", status="running")
    work_until_idle()
    move(campaign_id, "pause")
    with transaction():
        suppress("email", "person1@people.example", "bounce")

    move(campaign_id, "resume")

    assert deliver_all() == 1
    assert run_sql("SELECT recipient FROM notifications WHERE status = 'delivered'") == [("person2@people.example",)]


def test_wanting_offers_deletes_none(run_sql: RunSql) -> None:
    make_subscribers(1)
    make_campaign(status="running")
    work_until_idle()
    choose(True)
    assert recipients(run_sql) == [PHONE]


@pytest.mark.parametrize(
    "change", [{"marketing_sms": False}, {"phone": None}, {"phone": "+254712345678", "marketing_sms": True}]
)
def test_offers_go_with_a_change_in_the_account(client: FlaskClient, run_sql: RunSql, change: dict[str, Any]) -> None:
    first, _second = make_subscribers(2)
    for channel in ("sms", "email"):
        make_campaign(channel, status="running")
    work_until_idle()

    assert client.patch("/auth/me", json=change, headers=sign_in(first)).status_code == 200

    assert recipients(run_sql) == ["+254700000002", "person1@people.example", "person2@people.example"]


def test_other_changes_in_the_account_keep_them(client: FlaskClient, run_sql: RunSql) -> None:
    [customer_id] = make_subscribers(1)
    make_campaign(status="running")
    work_until_idle()
    change = {"name": "Wanjiku", "marketing_email": False}
    assert client.patch("/auth/me", json=change, headers=sign_in(customer_id)).status_code == 200
    assert recipients(run_sql) == [PHONE]


def test_offers_go_when_the_account_is_deactivated(client: FlaskClient, run_sql: RunSql) -> None:
    [customer_id] = make_subscribers(1)
    for channel in ("sms", "email"):
        make_campaign(channel, status="running")
    work_until_idle()
    admin = sign_in(make_customer(role="admin"))
    assert client.patch(f"/auth/users/{customer_id}", json={"is_active": False}, headers=admin).status_code == 200
    assert recipients(run_sql) == []


@dataclass
class Pause:
    """Stops whoever reads the subscribers, behind the reading, until it may go on."""

    find: Callable[..., Any]
    has_read: Event = field(default_factory=Event)
    may_go_on: Event = field(default_factory=Event)

    def __call__(self, *arguments: Any) -> Any:
        found = self.find(*arguments)
        self.has_read.set()
        assert self.may_go_on.wait(timeout=60)
        return found


@pytest.fixture
def meanwhile(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Does something in the middle of a batch: its subscribers were read, and nothing was committed yet."""
    state = app.extensions["notify"]

    def in_context(act: Callable[[], Any]) -> None:
        with app.app_context():
            act()

    def do(act: Callable[[], Any]) -> None:
        pause = Pause(state.find_subscribers)
        monkeypatch.setattr(state, "find_subscribers", pause)
        with ThreadPoolExecutor(2) as pool:
            writing = pool.submit(in_context, work_on_campaigns)
            assert pause.has_read.wait(timeout=60)
            acting = pool.submit(in_context, act)
            with pytest.raises(TimeoutError):
                acting.result(timeout=0.2)
            pause.may_go_on.set()
            writing.result(timeout=60)
            acting.result(timeout=60)

    return do


def test_holder_takes_the_consent_back_while_the_message_is_being_written(
    meanwhile: Callable[[Callable[[], Any]], None], run_sql: RunSql
) -> None:
    make_subscribers(2)
    make_campaign(status="running")

    meanwhile(lambda: choose(False))

    assert recipients(run_sql) == ["+254700000002"]


def test_customer_takes_the_consent_back_while_the_message_is_being_written(
    meanwhile: Callable[[Callable[[], Any]], None], run_sql: RunSql
) -> None:
    customer_id, _other = make_subscribers(2)
    make_campaign(status="running")

    def take_back() -> None:
        with transaction():
            update_profile(customer_id, {"marketing_sms": False})

    meanwhile(take_back)

    assert recipients(run_sql) == ["+254700000002"]


def test_admin_who_wrote_it_leaves_while_their_own_message_is_being_written(
    meanwhile: Callable[[Callable[[], Any]], None], run_sql: RunSql
) -> None:
    """The message goes with the person, and the campaign goes on."""
    admin_id, _other = make_subscribers(2)
    campaign_id = make_campaign(status="running")
    run_sql("UPDATE campaigns SET created_by = :id", id=admin_id)

    def leave() -> None:
        with transaction():
            delete_customer(admin_id, None)

    meanwhile(leave)

    assert recipients(run_sql) == ["+254700000002"]
    assert find_campaign(campaign_id, "status", "created_by", "queued") == {
        "status": "running",
        "created_by": None,
        "queued": 2,
    }
