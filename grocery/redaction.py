"""What may be written down, and what may leave the shop: texts without secrets, and without people."""

import re

# The addresses that providers call have a secret in them, and the links of mails an address of a person; whatever fails
# may be logged with its address.
_SECRET = re.compile(r"(/notify/(?:sms|mail|unsubscribe)/)[^/\s\"'?#]+")

# What opens an account, an order or a stream: tokens in headers and bodies, tracking links, tickets.
_KEY = re.compile(r"(\bBearer\s+|/t/|\bticket=)[^/\s\"'?#&,;]+|(\beyJ)[\w-]+\.[\w-]+\.[\w-]*", re.IGNORECASE)

# PostgreSQL names the values that it refuses: an address that is taken, all of a row, a word that is no number.
# Where a statement is wrong it repeats the line, and psycopg2 has put the values into that.
_KEY_OF_ROW = re.compile(r"(Key \([^)\n]*\)=\().*(\) (?:already exists|is not present|is still referenced|conflicts))")
_WORDS = re.compile(r"(Failing row contains |^LINE \d+: |invalid input (?:syntax|value) for [^:\n]*: ).*", re.MULTILINE)

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.-])\+?\d[\d ()-]{7,}\d(?![\w-])")


def without_links(text: str) -> str:
    """The text without the secrets in the addresses of callbacks and unsubscribe links."""
    return _SECRET.sub(r"\1…", text)


def without_keys(text: str) -> str:
    """The text without tokens, tickets and tracking links."""
    return _KEY.sub(r"\1\2…", text)


def without_rows(text: str) -> str:
    """The text without the values that PostgreSQL has refused."""
    return _WORDS.sub(r"\1…", _KEY_OF_ROW.sub(r"\1…\2", text))


def without_people(text: str) -> str:
    """What may be told to others: no secrets, no rows, no e-mail addresses, nothing that looks like a phone number."""
    return _PHONE.sub("…", _EMAIL.sub("…", without_rows(without_keys(without_links(text)))))
