"""From a message of the outbox to a mail on the wire: both its forms, and the way out of offers."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask

from grocery.notify.links import find_unsubscribe_link, read_unsubscribe_token
from grocery.notify.outcome import Outcome
from grocery.notify.sending.claims import Claim
from grocery.notify.sending.letters import message_id, write_letter
from tests.fakes.smtp import FakeSmtp, Mail
from tests.notify.clients import AMINA, letter, mail_client

pytestmark = pytest.mark.usefixtures("context")

MADE = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def https_shop(app: Flask) -> Iterator[None]:
    before = app.config["SHOP_URL"]
    app.config["SHOP_URL"] = "https://duka.example"
    yield
    app.config["SHOP_URL"] = before


def claim(**overrides: object) -> Claim:
    """One whose further fields do not matter to a letter."""
    known = {"id": 17, "channel": "email", "event": "order_placed", "recipient": AMINA, "subject": "Karibu Amina"}
    known |= {"body": "Habari Amina,\nasante.\n", "campaign_id": None, "language": "sw", "created_at": MADE}
    fields = Claim.__dataclass_fields__
    return Claim(**{**dict.fromkeys(fields, None), **known, **overrides})  # type: ignore[arg-type]


def deliver(server: FakeSmtp, sent: Claim) -> Mail:
    assert mail_client(server).send(write_letter(sent)).outcome is Outcome.SENT
    return server.mails[-1]


def test_mail_has_the_text_first_and_the_same_as_html(smtp_server: FakeSmtp) -> None:
    mail = deliver(smtp_server, claim())

    assert mail.message.get_content_type() == "multipart/alternative"
    plain, html = mail.message.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert [part["Content-Transfer-Encoding"] for part in (plain, html)] == ["quoted-printable"] * 2
    assert mail.body == "Habari Amina,\nasante.\n"
    assert '<html lang="sw">' in html.get_content()
    assert "Habari Amina,<br>asante." in html.get_content()
    assert max(len(line) for line in mail.raw.split(b"\r\n")) <= 78


def test_message_about_an_order_cannot_be_unsubscribed_from(smtp_server: FakeSmtp, https_shop: None) -> None:
    mail = deliver(smtp_server, claim())

    assert re.fullmatch(rf"<notification-17\.{MADE.timestamp():.0f}\.[0-9a-f]{{16}}@localhost>", mail.message_id)
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert (mail.message["List-Unsubscribe"], mail.message["List-Unsubscribe-Post"]) == (None, None)
    assert "unsubscribe" not in mail.raw.decode().lower()


def test_message_id_cannot_be_guessed_from_another(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who names the Message-ID of somebody else's mail can have their address taken for a dead one."""
    seals = {message_id(claim(id=number)).split(".")[2] for number in (17, 18)}
    monkeypatch.setitem(app.config, "SECRET_KEY", "another-secret-key")
    seals.add(message_id(claim()).split(".")[2])

    assert len(seals) == 3


def test_offer_can_be_unsubscribed_from_by_one_click_and_by_a_link(smtp_server: FakeSmtp, https_shop: None) -> None:
    mail = deliver(smtp_server, claim(campaign_id=3, language="en"))

    link = find_unsubscribe_link(AMINA)
    assert link is not None
    assert mail.message["List-Unsubscribe"] == f"<{link}>"
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.message["Precedence"] is None
    assert mail.body == f"Habari Amina,\nasante.\n\nNo more offers by e-mail:\n{link}\n"
    [_, html] = mail.message.iter_parts()
    assert f'href="{link}">No more offers by e-mail</a>' in html.get_content()
    prefix, _, token = link.rpartition("/")
    assert (prefix, read_unsubscribe_token(token)) == ("https://duka.example/notify/unsubscribe", AMINA)


def test_one_click_is_not_promised_without_https(smtp_server: FakeSmtp) -> None:
    mail = deliver(smtp_server, claim(campaign_id=3))

    assert str(mail.message["List-Unsubscribe"]).startswith("<http://shop.example/notify/unsubscribe/")
    assert mail.message["List-Unsubscribe-Post"] is None


def test_shop_without_an_address_has_no_links(app: Flask, https_shop: None) -> None:
    app.config["SHOP_URL"] = ""

    written = write_letter(claim(campaign_id=3))

    assert (written.headers, written.body) == ({}, "Habari Amina,\nasante.\n")


def test_same_message_is_the_same_letter_at_each_attempt() -> None:
    first = claim(campaign_id=3, attempts=1)

    assert write_letter(first) == write_letter(replace(first, attempts=2))


def test_longest_address_still_makes_a_header_that_is_sent(smtp_server: FakeSmtp, https_shop: None) -> None:
    longest = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 58}.example"

    mail = deliver(smtp_server, claim(campaign_id=3, recipient=longest))

    assert mail.message["List-Unsubscribe"] == f"<{find_unsubscribe_link(longest)}>"
    assert max(len(line) for line in mail.raw.split(b"\r\n")) <= 998


def test_mail_without_html_is_plain(smtp_server: FakeSmtp) -> None:
    assert mail_client(smtp_server).send(letter()).outcome is Outcome.SENT

    assert smtp_server.mails[0].message.get_content_type() == "text/plain"
