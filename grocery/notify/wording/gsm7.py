"""How long a text is as SMS: the 7-bit alphabet of GSM 03.38, and UTF-16 for what leaves it.

Source: 3GPP TS 23.038, section 6.2.1 (the alphabet and its extension), and TS 23.040 for the sizes of parts.
"""

import unicodedata
from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
_ALPHABET = _BASIC | _EXTENSION

SINGLE_SEPTETS = 160
_PART_SEPTETS = 153
SINGLE_UNITS = 70
_PART_UNITS = 67

# What word processors write where a keyboard has something plainer.
_TYPOGRAPHY = str.maketrans(
    {
        "‘": "'",
        "’": "'",
        "‚": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "`": "'",
        "´": "'",
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "–": "-",
        "—": "-",
        "−": "-",
        "…": "...",
        "•": "-",
        "×": "x",
        "½": "1/2",
        "¼": "1/4",
        "¾": "3/4",
        "\u00a0": " ",
        "\u202f": " ",
        "œ": "oe",
        "Œ": "OE",
    }
)


@dataclass(frozen=True)
class Explanation:
    """What a text costs as SMS, and why: `outsiders` are the characters that the 7-bit alphabet lacks.

    `length` counts septets in GSM-7 and UTF-16 units in UCS-2.
    """

    alphabet: str
    length: int
    parts: int
    outsiders: tuple[str, ...]


def explain(text: str) -> Explanation:
    """The alphabet ("GSM-7" or "UCS-2"), length and parts of a text."""
    outsiders = tuple(char for char in dict.fromkeys(text) if char not in _ALPHABET)
    return Explanation("UCS-2" if outsiders else "GSM-7", length(text), parts(text), outsiders)


def is_gsm7(text: str) -> bool:
    """Whether the text can travel in the 7-bit alphabet."""
    return _ALPHABET.issuperset(text)


def length(text: str) -> int:
    """The length in septets, or in UTF-16 units when a character leaves the alphabet."""
    return sum(_costs(text))


def parts(text: str) -> int:
    """The number of messages that the provider sends, and bills, for the text."""
    single, part = (SINGLE_SEPTETS, _PART_SEPTETS) if is_gsm7(text) else (SINGLE_UNITS, _PART_UNITS)
    costs = _costs(text)
    if sum(costs) <= single:
        return 1
    count, room = 1, part
    for cost in costs:
        if cost > room:  # an escaped character and a surrogate pair are never torn apart
            count, room = count + 1, part
        room -= cost
    return count


def simplify(text: str) -> str:
    """Replace what the alphabet lacks by what it has where that reads the same: “Ngũgĩ’s” → "Ngugi's".

    One curly apostrophe would more than halve the room of a message and double its price. Other scripts stay as they
    are.
    """
    if is_gsm7(text):
        return text
    return "".join(char if is_gsm7(char) else _without_accents(char) for char in text.translate(_TYPOGRAPHY))


def shorten(text: str, limit: int) -> str:
    """Cut the text to at most `limit` septets (or UTF-16 units), with two dots where it was cut."""
    if length(text) <= limit:
        return text
    while text and length(f"{text}..") > limit:
        text = text[:-1]
    return f"{text.rstrip()}.."


def _costs(text: str) -> list[int]:
    if is_gsm7(text):
        return [2 if char in _EXTENSION else 1 for char in text]
    return [2 if ord(char) > 0xFFFF else 1 for char in text]


def _without_accents(char: str) -> str:
    plain = "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
    return plain if is_gsm7(plain) else char
