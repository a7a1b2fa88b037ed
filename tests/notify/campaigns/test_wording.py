"""What people read of a campaign."""

import pytest
from flask import Flask

from grocery.errors import InvalidError
from grocery.notify.campaigns.wording import check_texts, choose_language, count_parts, text_context, write

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize(
    ("languages", "wanted", "shop", "chosen"),
    [
        (["en", "sw"], "sw", "en", "sw"),
        (["en", "sw"], None, "sw", "sw"),
        (["en"], "sw", "en", "en"),
        (["en"], "sw", "sw", "en"),
        (["sw"], None, "en", "sw"),
    ],
)
def test_language_is_the_customers_else_the_shops_else_what_there_is(
    app: Flask, monkeypatch: pytest.MonkeyPatch, languages: list[str], wanted: str | None, shop: str, chosen: str
) -> None:
    monkeypatch.setitem(app.config, "SHOP_LANGUAGE", shop)
    assert choose_language(dict.fromkeys(languages), wanted) == chosen


def test_lines_of_an_email_are_its_paragraphs() -> None:
    written = {"subject": "Offers", "body": "Good morning!\r\n\r\n  Sugar 299\nMilk 55\n\n"}
    assert text_context(written)["paragraphs"] == ["Good morning!", "Sugar 299", "Milk 55"]


def test_sms_is_one_line_with_the_shop_and_the_way_out() -> None:
    texts = {"en": {"subject": None, "body": "Sugar 299\nMilk 55"}, "sw": {"subject": None, "body": "Sukari 299"}}
    bodies = {language: text.body for language, text in write("sms", texts).items()}
    assert bodies["en"].startswith("Test Grocer: Sugar 299 Milk 55 ")
    assert "STOP OFFERS" in bodies["en"]
    assert bodies["sw"].startswith("Test Grocer: Sukari 299 ")
    assert len(bodies["sw"].splitlines()) == 1


def test_text_of_an_admin_is_no_template() -> None:
    [text] = write("sms", {"en": {"subject": None, "body": "{{ 7 * 7 }} {% if %}"}}).values()
    assert "{{ 7 * 7 }} {% if %}" in text.body


def test_parts_are_those_of_the_whole_message() -> None:
    frame = len(write("sms", {"en": {"subject": None, "body": ""}})["en"].body)
    bodies = {1: "x" * (160 - frame), 2: "x" * (161 - frame), 3: "x" * (459 - frame), 4: "x" * (460 - frame)}
    for parts, body in bodies.items():
        assert count_parts("sms", {"en": {"subject": None, "body": body}}) == {"en": parts}


def test_emoji_cost_room() -> None:
    texts = {"en": {"subject": None, "body": "x" * 190 + "🎉"}}
    assert count_parts("sms", texts) == {"en": 4}
    with pytest.raises(InvalidError):
        check_texts("sms", texts)
