"""The HTML of a mail says what its text says, and nobody writes into it but the shop."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grocery.notify.clients.html import to_html
from grocery.notify.wording.catalogue import TextKey, list_keys
from grocery.notify.wording.samples import Shop, make_samples
from grocery.notify.wording.texts import render
from tests.notify.test_mail_structure import row

BODY = "\n".join(
    [
        "Hello Amina,",
        "your order G-7K3M9Q is on its way.",
        "",
        "Sukuma Wiki (Kale)",
        row("  1.5 kg at KES 60", "KES 90"),
        "-" * 44,
        row("Total", "KES 1,250"),
        "",
        "Payment: Cash on delivery",
        "",
        "Follow your order:",
        "https://duka.example/t/abc",
        "",
        "  flask --app wsgi notify list",
        "",
        "Duka",
        "https://duka.example",
        "",
    ]
)


class Page(HTMLParser):
    """The tags, attributes and words of a page; raises AssertionError for tags that do not fit together."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "title"):
            self.words += data.split()

    @property
    def links(self) -> list[str | None]:
        return [attributes.get("href") for tag, attributes in self.tags if tag == "a"]


def test_page_says_what_the_text_says() -> None:
    page = Page(to_html("Your order is on its way", BODY, "Duka", "en"))

    assert " ".join(page.words).replace("\xa0", "") == (
        "Duka Your order is on its way Hello Amina, your order G-7K3M9Q is on its way. "
        "Sukuma Wiki (Kale) 1.5 kg at KES 60 KES 90  Total KES 1,250 Payment Cash on delivery Follow your order "
        "flask --app wsgi notify list Duka https://duka.example"
    ).replace("90  Total", "90 Total")
    assert page.links == ["https://duka.example/t/abc", "https://duka.example"]
    assert ("html", {"lang": "en"}) in page.tags
    assert [tag for tag, _ in page.tags].count("code") == 1


@pytest.mark.parametrize(("language", "word"), [("en", "Total"), ("sw", "Jumla")])
def test_total_stands_out(language: str, word: str) -> None:
    html = to_html("x", f"{row('Subtotal', 'KES 1')}\n{row(word, 'KES 2')}", "Duka", language)

    assert re.findall(r"<b>(.*?)</b>", html) == [word, "KES 2"]
    assert f'<html lang="{language}">' in html


@pytest.mark.parametrize("key", [key for key in list_keys() if key.channel == "email"], ids=str)
def test_every_text_of_ours_makes_a_small_page_with_all_its_words(key: TextKey) -> None:
    shop = Shop("Test Grocer", "https://duka.example", "KES")
    for context in make_samples(key.event, shop).values():
        text = render(key.event, key.audience, "email", context, key.language)
        html = to_html(text.subject or "", text.body, shop.name, key.language)
        page = Page(html)

        assert len(html.encode()) < 20_000
        assert page.links[-1:] == (["https://duka.example"] if "https://duka.example\n" in text.body else [])
        said = " ".join(page.words)
        missing = [word for word in text.body.split() if word.strip(":-") not in said and not word.startswith("http")]
        assert missing == []


def test_nothing_is_loaded_and_nothing_tells_that_it_was_read() -> None:
    html = to_html("x", BODY, "Duka", "en")

    page = Page(html)
    assert {tag for tag, _ in page.tags} <= {
        *("html", "head", "meta", "title", "style", "body", "table", "tr", "td", "h1", "p", "a", "b", "br"),
        *("div", "span", "code"),
    }
    assert not re.search(r"\bsrc=|url\(|@import|<script|<img|<link", html)


def test_offer_has_a_way_out_and_its_remark_is_at_the_foot() -> None:
    body = "Mangoes!\n\nDuka\nhttps://duka.example\n\nYou get this because\nyou asked for it.\n"

    page = Page(to_html("x", body, "Duka", "en", ("No more offers", "https://duka.example/notify/unsubscribe/a.b.u")))

    assert " ".join(page.words) == (
        "Duka x Mangoes! Duka https://duka.example You get this because you asked for it. No more offers"
    )
    assert page.links == ["https://duka.example", "https://duka.example/notify/unsubscribe/a.b.u"]


def test_text_without_a_signature_is_whole_and_the_shop_is_named() -> None:
    assert " ".join(Page(to_html("x", "One.\n\nTwo.", "Duka", "en")).words) == "Duka x One. Two. Duka"
    assert " ".join(Page(to_html("x", "", "Duka", "en")).words) == "Duka x Duka"


def test_what_people_write_is_text() -> None:
    evil = "<img src=x onerror=alert(1)> & \"quoted\" 'it' </td></table>{{ 7 * 7 }}"

    html = to_html(evil, f"Hello {evil},\n\nYour note: {evil}\n\n{evil}\n{row('', evil)}\n\n  {evil}", evil, "en")

    page = Page(html)
    assert "<img" not in html
    assert "49" not in html
    assert page.words.count("onerror=alert(1)>") == 8
    assert {"onerror", "src"} & {name for _, attributes in page.tags for name in attributes} == set()


@given(
    subject=st.text(max_size=50),
    body=st.text("ab C:-\n <>&\"'/.http", max_size=300) | st.text(max_size=200),
    shop=st.text(max_size=20),
)
def test_any_text_makes_a_sound_page_that_keeps_all_words(subject: str, body: str, shop: str) -> None:
    page = Page(to_html(subject, body, shop, "en"))

    said = "".join(page.words)
    # Colons after labels and the lines of rules are drawn, the signature is at the foot.
    for word in body.split():
        assert not word.isalnum() or "".join(word.split()) in said


def test_page_of_an_ordinary_order_is_small_and_a_huge_one_is_not_cut_by_mail_programs() -> None:
    """Gmail hides what is behind the first 102 kB."""
    for lines, limit in ((60, 20_000), (200, 60_000)):
        body = "\n".join(f"Brookside Whole Milk {n} ml\n{row('  2 x KES 65', 'KES 130')}" for n in range(lines))
        assert len(to_html("x", f"{body}\n\n{BODY}", "Duka", "en").encode()) < limit
