"""Cutting texts into words, and the commands about SMS themselves."""

import pytest

from grocery.notify.inbound.words import Command, find_command, leave_out_politeness, split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("STOP", ["STOP"]),
        ("  stop,\n\tplease!! ", ["STOP", "PLEASE"]),
        ("Status: g-7k3m9q.", ["STATUS", "G-7K3M9Q"]),
        ("status#G7K3M9Q", ["STATUS", "G7K3M9Q"]),
        ("cancel G - 7K3M9Q", ["CANCEL", "G", "7K3M9Q"]),
        ("cancel_G–7K3M9Q", ["CANCEL", "G", "7K3M9Q"]),
        ("ＳＴＯＰ", ["STOP"]),
        ("Ngũgĩ", ["NGŨGĨ"]),
        ("😀 … --- !?", []),
        ("", []),
    ],
)
def test_texts_are_cut_into_words(text: str, words: list[str]) -> None:
    assert split(text) == words


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("stop", Command("stop")),
        ("Stop!!!", Command("stop")),
        ("please STOP", Command("stop")),
        ("STOP sending me these", Command("stop")),
        ("stopall", Command("stop")),
        ("Unsubscribe", Command("stop")),
        ("Stop all offers", Command("stop")),
        ("Stop order updates", Command("stop")),
        ("stop my subscription", Command("stop")),
        ("Acha", Command("stop", "sw")),
        ("acha sms tafadhali", Command("stop", "sw")),
        ("Acha kunitumia meseji", Command("stop", "sw")),
        ("Stop offers", Command("stop_offers")),
        ("STOP OFFER", Command("stop_offers")),
        ("acha ofa", Command("stop_offers", "sw")),
        ("stop ofa", Command("stop_offers")),
        ("acha offers", Command("stop_offers", "sw")),
        ("start", Command("start")),
        ("Anza", Command("start", "sw")),
        ("start offers", Command("start_offers")),
        ("anza ofa!", Command("start_offers", "sw")),
        ("anza offers", Command("start_offers", "sw")),
        ("help", Command("help")),
        ("Help me", Command("help")),
        ("msaada", Command("help", "sw")),
    ],
)
def test_commands_are_found(text: str, command: Command) -> None:
    assert find_command(leave_out_politeness(split(text))) == command


@pytest.mark.parametrize(
    "text",
    [
        "Acha mlangoni",
        "Start with the eggs",
        "Anza na mayai",
        "Don't stop",
        "Stop my order",
        "Stop order G-7K3M9Q!",
        "stop this order number G 7K3M9Q",
        "STATUS",
        "G-7K3M9Q",
        "helpless",
        "",
        "Thanks",
    ],
)
def test_what_is_no_command_is_none(text: str) -> None:
    assert find_command(leave_out_politeness(split(text))) is None


def test_words_of_politeness_are_no_message() -> None:
    assert leave_out_politeness(split("Asante sana, thank you!")) == []
    assert leave_out_politeness(split("ok thanks")) == []
