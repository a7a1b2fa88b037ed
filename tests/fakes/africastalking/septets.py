"""How much room a text takes on the air; the stand-in counts by itself, so that the shop's own count is not its judge.

Sources: 3GPP TS 23.038, 6.2.1 (the alphabet and its extension), and TS 23.040 for the sizes of parts.
"""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")


def septets(text: str) -> int | None:
    """The length in septets; None when a character is not in the 7-bit alphabet."""
    if not (_BASIC | _EXTENSION).issuperset(text):
        return None
    return len(text) + sum(char in _EXTENSION for char in text)


def parts(text: str) -> int:
    """In how many messages the text travels."""
    size = septets(text)
    if size is not None:
        return 1 if size <= 160 else -(-size // 153)
    units = len(text.encode("utf-16-le")) // 2
    return 1 if units <= 70 else -(-units // 67)
