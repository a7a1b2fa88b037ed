"""What people write by SMS, cut into words, and the commands that are about the SMS themselves. Pure rules."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

STOP, START, STOP_OFFERS, START_OFFERS, HELP = "stop", "start", "stop_offers", "start_offers", "help"

#: Obeyed however much somebody writes: nobody may be kept on a list that they want to leave.
STOPPING = (STOP, STOP_OFFERS)


class Command(NamedTuple):
    """`name` is one of the constants here; `language` "sw" when it was said in Swahili, else None."""

    name: str
    language: str | None = None


# Between words may stand anything but letters, digits and the hyphen of an order's number.
_BETWEEN = re.compile(r"[^\w-]+|_+")

_SWAHILI = "sw"
# Many people mix both languages.
_OFFERS = ("OFFERS", "OFFER", "OFA")
_PHRASES: Mapping[tuple[str, ...], Command] = {
    **{("STOP", offers): Command(STOP_OFFERS) for offers in _OFFERS},
    **{("ACHA", offers): Command(STOP_OFFERS, _SWAHILI) for offers in _OFFERS},
    ("STOP",): Command(STOP),
    # What people know from other senders.
    ("STOPALL",): Command(STOP),
    ("UNSUBSCRIBE",): Command(STOP),
    **{("ACHA", word): Command(STOP, _SWAHILI) for word in ("SMS", "MESEJI", "UJUMBE", "ZOTE", "KUTUMA", "KUNITUMIA")},
    ("HELP",): Command(HELP),
    ("MSAADA",): Command(HELP, _SWAHILI),
}
# Only as the whole text. "Acha mlangoni" asks to leave the goods at the door, and "Start with the eggs" agrees to
# nothing: consent must be said as it is.
_WHOLE_PHRASES: Mapping[tuple[str, ...], Command] = {
    ("ACHA",): Command(STOP, _SWAHILI),
    ("START",): Command(START),
    ("UNSTOP",): Command(START),
    ("ANZA",): Command(START, _SWAHILI),
    **{("START", offers): Command(START_OFFERS) for offers in _OFFERS},
    **{("ANZA", offers): Command(START_OFFERS, _SWAHILI) for offers in _OFFERS},
}

# "Stop my order G-7K3M9Q" is about an order; "stop order updates" is about messages.
_ABOUT_AN_ORDER = re.compile(r"STOP (MY |THE |THIS )?ORDER( NUMBER)?( G)?( G-\S+| \S*\d\S*)?")

# Said beside a command, they change nothing about it; said alone, they need no answer.
_POLITE = {"PLEASE", "PLS", "THANKS", "THANK", "YOU", "OK", "OKAY", "TAFADHALI", "ASANTE", "SANA", "SAWA"}


def split(text: str) -> list[str]:
    """The words in capitals, without punctuation: "stop,  please!" → STOP, PLEASE."""
    words = _BETWEEN.split(unicodedata.normalize("NFKC", text).upper())
    return [stripped for word in words if (stripped := word.strip("-"))]


def leave_out_politeness(words: Sequence[str]) -> list[str]:
    """The words that tell what is wanted."""
    return [word for word in words if word not in _POLITE]


def find_command(words: Sequence[str]) -> Command | None:
    """The command that the words are, or begin with; None when they are none of these."""
    said = tuple(words)
    if _ABOUT_AN_ORDER.fullmatch(" ".join(words)):
        return None
    return _WHOLE_PHRASES.get(said) or _PHRASES.get(said[:2]) or _PHRASES.get(said[:1])
