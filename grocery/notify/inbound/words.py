"""What people write by SMS, cut into words, and the commands that are about the SMS themselves. Pure rules."""

import re
import unicodedata
from collections.abc import Sequence
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
_PHRASES = {
    ("STOP", "OFFERS"): Command(STOP_OFFERS),
    ("STOP", "OFFER"): Command(STOP_OFFERS),
    ("STOP",): Command(STOP),
    # What people know from other senders.
    ("STOPALL",): Command(STOP),
    ("UNSUBSCRIBE",): Command(STOP),
    ("ACHA", "OFA"): Command(STOP_OFFERS, _SWAHILI),
    ("ACHA", "SMS"): Command(STOP, _SWAHILI),
    ("ACHA", "UJUMBE"): Command(STOP, _SWAHILI),
    ("ACHA", "ZOTE"): Command(STOP, _SWAHILI),
    ("HELP",): Command(HELP),
    ("MSAADA",): Command(HELP, _SWAHILI),
}
# Only as the whole text. "Acha mlangoni" asks to leave the goods at the door, and "Start with the eggs" agrees to
# nothing: consent must be said as it is.
_WHOLE_PHRASES = {
    ("ACHA",): Command(STOP, _SWAHILI),
    ("START",): Command(START),
    ("UNSTOP",): Command(START),
    ("ANZA",): Command(START, _SWAHILI),
    ("START", "OFFERS"): Command(START_OFFERS),
    ("START", "OFFER"): Command(START_OFFERS),
    ("ANZA", "OFA"): Command(START_OFFERS, _SWAHILI),
}

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
    return _WHOLE_PHRASES.get(said) or _PHRASES.get(said[:2]) or _PHRASES.get(said[:1])
