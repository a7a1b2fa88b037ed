"""The words of messages: looking, trying, saving and going back."""

import pytest

from tests.orders.conftest import Caller
from tests.storefront.conftest import Browser, Sql, words_in

TEXT = "/admin/notifications/texts/order_delivered/customer/sms/en"
OWN = "{{ shop|short(30) }}: order {{ order.number }} is with you. Karibu tena!"


def test_list_has_every_text_by_what_it_tells(desk: Browser) -> None:
    page = desk.get("/admin/notifications/texts")
    assert f'href="{TEXT}"' in page.text
    words = words_in(page)
    assert words.index("Order placed") < words.index("Order delivered") < words.index("Code to sign in")


def test_preview_changes_nothing_and_counts(desk: Browser, run_sql: Sql) -> None:
    page = desk.post(f"{TEXT}/preview", {"source": OWN})
    assert page.status_code == 200
    assert "Preview, not saved yet" in words_in(page)
    assert "is with you. Karibu tena! 1 SMS" in words_in(page)
    assert run_sql("SELECT count(*) FROM text_overrides") == [(0,)]
    long = desk.post(f"{TEXT}/preview", {"source": OWN + " ũ" * 60})
    assert "Dear because of: ũ" in words_in(long)
    assert "3 SMS" in words_in(long)


def test_own_text_is_saved_and_taken_back(desk: Browser, admin: Caller, run_sql: Sql) -> None:
    answer = desk.post(TEXT, {"source": OWN.replace("!", "!\r\n")})
    assert (answer.status_code, answer.location) == (303, TEXT)
    assert run_sql("SELECT source, updated_by FROM text_overrides") == [(OWN, admin.person.id)]
    page = words_in(desk.get(TEXT))
    assert "Saved. Messages from now on have these words." in page
    assert "own words since" in page
    answer = desk.post(f"{TEXT}/reset")
    assert "The text of the program is in use again." in words_in(desk.get(answer.location))
    assert run_sql("SELECT count(*) FROM text_overrides") == [(0,)]
    answer = desk.post(f"{TEXT}/reset")
    assert "The text of the program is in use already." in words_in(desk.get(answer.location))
    [first, *_] = run_sql("SELECT action, details FROM audit_log ORDER BY id")
    assert first[0] == "desk_notifications.set_text"
    assert first[1]["event"] == "order_delivered"


@pytest.mark.parametrize("source", ["", "{{ nonsense }}", "{% for", "{{ ''.__class__ }}", "x" * 6000])
@pytest.mark.parametrize("action", ["", "/preview"])
def test_text_that_cannot_be_used_is_kept_in_the_form(desk: Browser, run_sql: Sql, source: str, action: str) -> None:
    page = desk.post(TEXT + action, {"source": source})
    assert page.status_code == 422
    assert 'id="source-wrong"' in page.text
    assert "<title>Error: " in page.text
    assert run_sql("SELECT count(*) FROM text_overrides") == [(0,)]


def test_source_is_escaped(desk: Browser) -> None:
    page = desk.post(f"{TEXT}/preview", {"source": "</textarea><script>alert(1)</script> {{ order.number }}"})
    assert "<script>alert(1)" not in page.text
    assert "&lt;/textarea&gt;" in page.text


def test_texts_that_are_not_there(desk: Browser) -> None:
    missing = "/admin/notifications/texts/order_delivered/customer/pigeon/en"
    assert desk.get(missing).status_code == 404
    assert desk.post(missing, {"source": OWN}).status_code == 404
    assert desk.post(f"{missing}/reset").status_code == 404
