"""Which language pages speak, and how one changes it."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask_babel import force_locale

from grocery.storefront.looks import date_words, day, moment, too_often
from tests.auth.factories import make_customer
from tests.storefront.conftest import Browser, Sql, words_in

ENGLISH, SWAHILI = '<html lang="en">', '<html lang="sw">'


@pytest.mark.parametrize(
    ("header", "spoken"),
    [
        ("sw-KE,sw;q=0.9,en;q=0.8", SWAHILI),
        ("sw", SWAHILI),
        ("en-KE,en;q=0.9,sw;q=0.5", ENGLISH),
        ("fr-FR,sw;q=0.4,en;q=0.3", SWAHILI),
        ("fr", ENGLISH),
        ("", ENGLISH),
    ],
)
def test_a_stranger_is_spoken_to_as_the_browser_asks(browser: Browser, header: str, spoken: str) -> None:
    page = browser.get("/search", headers={"Accept-Language": header})
    assert spoken in page.text
    assert "Accept-Language" in page.headers["Vary"]
    assert not browser.client.get_cookie("lang")


def test_the_link_keeps_the_page_and_the_choice(browser: Browser) -> None:
    page = browser.get("/search?q=maziwa+na+mkate&cursor=")
    assert 'href="/search?q=maziwa+na+mkate&amp;cursor=&amp;lang=sw" lang="sw" hreflang="sw">Kiswahili</a>' in page.text
    chosen = browser.get("/search?q=maziwa+na+mkate&lang=sw")
    assert SWAHILI in chosen.text
    assert 'href="/search?q=maziwa+na+mkate&amp;lang=en" lang="en" hreflang="en">English</a>' in chosen.text
    assert SWAHILI in browser.get("/sign-in", headers={"Accept-Language": "en"}).text


def test_a_language_that_there_is_not_changes_nothing(browser: Browser) -> None:
    for strange in ("xx", "sw-KE", "../../etc/passwd", "<script>", ""):
        page = browser.get("/search", query_string={"lang": strange})
        assert ENGLISH in page.text
        assert "Set-Cookie" not in page.headers or "lang=" not in page.headers["Set-Cookie"]


def test_what_was_chosen_here_counts_more_than_the_profile(browser: Browser, run_sql: Sql) -> None:
    person = make_customer()
    run_sql("UPDATE customers SET language = 'sw'")
    browser.sign_in(person)
    assert SWAHILI in browser.get("/account", headers={"Accept-Language": "en"}).text
    assert ENGLISH in browser.get("/account?lang=en").text
    assert ENGLISH in browser.get("/account").text


def test_pages_of_errors_speak_the_language_too(browser: Browser) -> None:
    page = browser.get("/c/999-nothing?lang=sw")
    assert (page.status_code, SWAHILI in page.text) == (404, True)
    assert "Ukurasa huu haupo" in words_in(page)
    lost = browser.get("/nowhere", headers={"Accept": "text/html"})
    assert (lost.status_code, SWAHILI in lost.text) == (404, True)


def test_words_of_the_api_are_marked_as_english(browser: Browser) -> None:
    browser.sign_in(make_customer())
    refused = browser.get("/admin/?lang=sw")
    assert refused.status_code == 403
    said = re.findall(r'<p lang="en">([^<]+)</p>', refused.text)
    assert len(said) == 1
    assert f"<p>{said[0]}</p>" in browser.get("/admin/?lang=en").text


def test_who_tries_too_often_reads_how_long_to_wait(app: Flask, browser: Browser) -> None:
    browser.get("/search?lang=sw")
    for number in range(6):
        refused = browser.post("/search/requests", {"words": f"mursik {number}"})
    assert refused.status_code == 429
    seconds = int(refused.headers["Retry-After"])
    with app.test_request_context("/"), force_locale("sw"):
        assert too_often(seconds) in words_in(refused)
    assert "Too many" not in refused.text


def test_dates_are_written_in_swahili(app: Flask) -> None:
    at = datetime(2027, 11, 26, 11, 5, tzinfo=UTC)
    with app.test_request_context("/"), force_locale("sw"):
        assert day(at) == "Ijumaa 26 Novemba"
        assert moment(at) == "Ijumaa 26 Nov, 14:05"
        assert date_words(at.date()) == "Ijumaa 26 Nov"
        assert day(datetime.now(UTC)) == "Leo"


@pytest.mark.parametrize(
    ("seconds", "time"), [(1, "sekunde 1"), (89, "sekunde 89"), (90, "dakika 2"), (5399, "dakika 90"), (5400, "saa 2")]
)
def test_waiting_is_never_said_too_short(app: Flask, seconds: int, time: str) -> None:
    with app.test_request_context("/"), force_locale("sw"):
        assert too_often(seconds).endswith(f"Jaribu tena baada ya {time}.")
