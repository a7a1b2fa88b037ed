"""Campaigns: writing, trying, starting and calling off."""

import pytest

from tests.notify.campaigns.factories import find_campaign, make_campaign, make_subscribers, work_until_idle
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.parts import part_of

LIST = "/admin/notifications/campaigns"
FORM = {"name": "Jamhuri", "channel": "sms", "body_en": "Sugar 2 kg at 299", "body_sw": "Sukari kilo 2 kwa 299"}


def test_campaign_is_written_with_number_and_preview(desk: Browser, run_sql: Sql) -> None:
    make_subscribers(3)
    answer = desk.post(f"{LIST}/new", FORM)
    [(campaign_id,)] = run_sql("SELECT id FROM campaigns")
    assert (answer.status_code, answer.location) == (303, f"{LIST}/{campaign_id}")
    page = words_in(desk.get(answer.location))
    assert "3 customers want offers this way now." in page
    assert "At the most 3 SMS to pay." in page
    assert "Sugar 2 kg at 299 STOP OFFERS to opt out." in page
    assert "Jamhuri Draft" in words_in(desk.get(LIST))
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"name": ""}, "name", "Write a name, in no more than 200 characters."),
        ({"channel": "pigeon"}, "channel", "Choose SMS or e-mail."),
        ({"body_en": "", "body_sw": ""}, "body_en", "A text in the shop's own language is needed."),
        ({"body_en": ""}, "body_en", "A text in the shop's own language is needed."),
        ({"body_en": "ab " * 300}, "body_en", "With the shop's name and how to opt out this takes"),
        ({"channel": "email"}, "subject_en", "An e-mail needs a subject of up to 150 characters"),
    ],
)
def test_what_cannot_go_out_is_said_and_kept(
    desk: Browser, run_sql: Sql, changed: dict[str, str], field: str, message: str
) -> None:
    page = desk.post(f"{LIST}/new", {**FORM, **changed})
    assert page.status_code == 422
    assert message in words_in(part_of(page.text, f"{field}-wrong"))
    assert "Sukari" in page.text or changed.get("body_sw") == ""
    assert run_sql("SELECT count(*) FROM campaigns") == [(0,)]


def test_draft_is_changed_and_deleted(desk: Browser, run_sql: Sql) -> None:
    campaign_id = make_campaign()
    form = words_in(desk.get(f"{LIST}/{campaign_id}/edit"))
    assert "Sukari kilo 2 kwa 299" in form
    desk.post(f"{LIST}/{campaign_id}/edit", {**FORM, "body_en": "Milk at 55 </p><script>"})
    page = desk.get(f"{LIST}/{campaign_id}")
    assert "Milk at 55 &lt;/p&gt;&lt;script&gt;" in page.text
    assert desk.post(f"{LIST}/{campaign_id}/delete").location == LIST
    assert run_sql("SELECT count(*) FROM campaigns") == [(0,)]


def test_campaign_goes_its_way(desk: Browser, run_sql: Sql) -> None:
    make_subscribers(2)
    campaign_id = make_campaign()
    path = f"{LIST}/{campaign_id}"
    desk.post(f"{path}/start")
    assert find_campaign(campaign_id)["status"] == "running"
    work_until_idle()
    page = desk.get(path)
    assert "refresh.js" in page.text
    assert "0 of 2" in words_in(page)
    parts = desk.get(path, headers={"X-Parts": "1"})
    assert parts.headers["X-Parts"] == "1"
    assert parts.text.strip().startswith('<section class="panel" id="progress"')
    for action, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        desk.post(f"{path}/{action}")
        assert find_campaign(campaign_id)["status"] == status
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]


def test_moves_that_are_not_possible_are_said(desk: Browser) -> None:
    campaign_id = make_campaign(status="running")
    path = f"{LIST}/{campaign_id}"
    answer = desk.post(f"{path}/start")
    assert "That is not possible any more." in words_in(desk.get(answer.location))
    answer = desk.post(f"{path}/delete")
    assert "This was started already and stays as it is." in words_in(desk.get(answer.location))
    page = desk.post(f"{path}/edit", FORM)
    assert (page.status_code, "This was started already and stays as it is." in words_in(page)) == (422, True)
    assert desk.post(f"{path}/explode").status_code == 404
    assert desk.post(f"{LIST}/999999/start").status_code == 404
    assert desk.get(f"{LIST}/999999").status_code == 404


def test_test_message(desk: Browser, run_sql: Sql) -> None:
    campaign_id = make_campaign()
    page = desk.post(f"{LIST}/{campaign_id}/test", {"recipient": "nonsense", "language": "sw"})
    assert page.status_code == 422
    assert "Write the number of a mobile phone, such as 0712 345 678." in words_in(
        part_of(page.text, "recipient-wrong")
    )
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]
    desk.post(f"{LIST}/{campaign_id}/test", {"recipient": "0712 345 678", "language": "sw"})
    assert run_sql("SELECT recipient, language, campaign_id FROM notifications") == [("+254712345678", "sw", None)]
