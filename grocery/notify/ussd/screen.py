"""What a USSD screen can show. Pure."""

from grocery.notify.wording import gsm7

#: A screen is 160 octets of 7-bit characters (3GPP TS 23.038, section 5).
SCREEN_SEPTETS = 182


def plain(text: str) -> str:
    """The text in the 7-bit alphabet, the only one that all networks show; "?" is for what has no likeness there."""
    simple = gsm7.simplify(text)
    return simple if gsm7.is_gsm7(simple) else "".join(char if gsm7.is_gsm7(char) else "?" for char in simple)


def cut(text: str) -> str:
    """The text as far as it fits on a screen."""
    return gsm7.shorten(text, SCREEN_SEPTETS)
