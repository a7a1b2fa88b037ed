"""The menu in both languages."""

import string
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest
from flask import Flask

from grocery.orders.states import STATUSES
from grocery.orders.ussd.phrases import PHRASES, Phrases
from tests.fakes.africastalking import UssdPhone
from tests.fakes.africastalking.septets import septets
from tests.notify.ussd.phones import STRANGER, phone_of
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.factories import place
from tests.orders.ussd.walking import MAIN_EN, MAIN_SW, at, dial, times

Sql = Callable[..., list[tuple[Any, ...]]]

_DAYS = ("Jumatatu", "Jumanne", "Jumatano", "Alhamisi", "Ijumaa", "Jumamosi", "Jumapili")
_MONTHS = ("Jan", "Feb", "Mac", "Apr", "Mei", "Jun", "Jul", "Ago", "Sep", "Okt", "Nov", "Des")


def texts(phrases: Phrases) -> Iterator[tuple[str, str]]:
    """Each phrase with a name."""
    for field in fields(phrases):
        value = getattr(phrases, field.name)
        if isinstance(value, str):
            yield field.name, value
        else:
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            yield from ((f"{field.name}.{key}", word) for key, word in pairs)


def names_in(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name}


def test_both_languages_have_the_same_phrases_with_the_same_values() -> None:
    english, swahili = (dict(texts(PHRASES[language])) for language in ("en", "sw"))
    assert english.keys() == swahili.keys()
    assert [key for key in english if names_in(english[key]) != names_in(swahili[key])] == []


@pytest.mark.parametrize("language", ["en", "sw"])
def test_phrases_can_be_shown_on_any_phone(language: str) -> None:
    sizes = {name: septets(phrase) for name, phrase in texts(PHRASES[language])}
    assert [name for name, size in sizes.items() if size is None or not 1 <= size <= 100] == []


@pytest.mark.parametrize("language", ["en", "sw"])
def test_each_status_has_a_word(language: str) -> None:
    words = PHRASES[language]
    assert all(words.status(status, method) for status in STATUSES for method in ("pickup", "delivery"))


def test_a_whole_walk_in_swahili(phone: UssdPhone, customer: Caller, flour: int, run_sql: Sql) -> None:
    zone = make_zone()
    slot = make_slot(zone, **times(3, 10))
    order = place(customer, {flour: 2}, delivery={"zone_id": zone, "slot_id": slot, "address": "Moi 1"})
    day = at(3, 10)
    when = f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} 10:00-12:00"
    assert dial(phone, "6") == MAIN_SW
    assert phone.press("1") == f"Oda zako:\n1 {order['number']}: imepokelewa\n0 Rudi"
    assert phone.press("1") == (
        f"{order['number']}: imepokelewa\nJumla KES 528\n{when}\n2 Maize Flour\n1 Ghairi oda hii\n0 Rudi 00 Menyu"
    )
    assert phone.press("5") == (
        f"Chaguo hilo halipo.\n{order['number']}: imepokelewa\nJumla KES 528\n{when}\n2 Maize Flour\n"
        "1 Ghairi oda hii\n0 Rudi 00 Menyu"
    )
    assert phone.press("00") == MAIN_SW
    assert phone.press("3") == "Hakuna ofa leo.\n0 Rudi"
    assert phone.press("0") == MAIN_SW
    assert phone.press("4") == "Zinazouzwa sana (KES):\nMaize Flour 189\n0 Rudi"
    phone.press("0")
    assert phone.press("5") == f"Saa zijazo za kuletewa:\n{when}, zimebaki 4\n0 Rudi"
    phone.press("0")
    assert phone.press("2") == f"Uletewe lini?\n1 {when}\n0 Rudi"
    assert phone.press("1") == (f"Jumla KES 528, lipa taslimu\n{when}\n2 Maize Flour\n1 Agiza hizi\n0 Rudi 00 Menyu")
    ended = phone.press("1")
    number = customer.get("/orders/").json[0]["number"]
    assert ended == f"Asante! Oda {number}, KES 528, {when}. Utapokea SMS."
    assert dial(phone, "1", "1", "1") == f"Ghairi oda {number}, KES 528?\n1 Ndiyo, ighairi\n0 Rudi 00 Menyu"
    assert phone.press("1") == f"Oda {number} imeghairiwa."


def test_the_language_that_was_chosen_stays_and_can_be_changed_back(app: Flask, phone: UssdPhone) -> None:
    dial(phone, "6")
    assert dial(phone) == MAIN_SW
    assert dial(phone_of(app, STRANGER)) == MAIN_EN
    assert phone.press("6") == MAIN_EN
    assert dial(phone) == MAIN_EN


def test_the_first_language_is_that_of_the_phones_account(phone: UssdPhone, customer: Caller, run_sql: Sql) -> None:
    run_sql("UPDATE customers SET language = 'sw'")
    assert dial(phone) == MAIN_SW
    assert phone.press("6") == MAIN_EN
    assert dial(phone) == MAIN_EN


def test_a_phone_without_an_account_hears_the_shops_language(
    app: Flask, context: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = phone_of(app, STRANGER)
    monkeypatch.setitem(app.config, "SHOP_LANGUAGE", "sw")
    assert dial(stranger) == MAIN_SW
