"""What may be written down, and what may leave the shop: texts without secrets, and without people."""

import re

# The addresses that providers call have a secret in them, and the links of mails an address of a person; whatever fails
# may be logged with its address.
_SECRET = re.compile(r"(/notify/(?:sms|mail|unsubscribe)/)[^/\s\"'?#]+")

# What is searched is of any length, and its words are anybody's. So each word is looked at once, from where it begins,
# and what may be of any length always comes to an end: searched anew from each of its places, a long text would stop
# the process.

# What opens an account, an order or a stream: tokens in headers and bodies, tracking links, tickets.
_KEY = re.compile(r"(\bBearer\s+|/t/|\bticket=)[^/\s\"'?#&,;]+|((?<![\w-])eyJ)[\w-]++\.[\w-]++\.[\w-]*", re.IGNORECASE)

# PostgreSQL names the values that it refuses: an address that is taken, all of a row, a word that is no number. They
# may have several lines, so they are taken out up to the next part of its message, or what Python writes after it.
_VALUES = re.compile(
    r"(Failing row contains |Key \([^\n]{1,200}?\)=|invalid input (?:syntax|value) for [^:\n]{1,100}: ).*?"
    r"(?=\n(?:DETAIL:|HINT:|CONTEXT:|LINE \d|\[SQL|Traceback |The above exception|During handling)|\Z)",
    re.DOTALL,
)
# Where a statement is wrong it repeats the line, and psycopg2 has put the values into that.
_LINE = re.compile(r"^(LINE \d+: ).*", re.MULTILINE)

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.-])\+?\d[\d ()-]{7,}\d(?![\w-])")


def without_links(text: str) -> str:
    """The text without the secrets in the addresses of callbacks and unsubscribe links."""
    return _SECRET.sub(r"\1…", text)


def without_keys(text: str) -> str:
    """The text without tokens, tickets and tracking links."""
    return _KEY.sub(r"\1\2…", text)


def without_rows(text: str) -> str:
    """The text without the values that PostgreSQL has refused."""
    return _LINE.sub(r"\1…", _VALUES.sub(r"\1…", text))


def without_people(text: str) -> str:
    """What may be told to others: no secrets, no rows, no e-mail addresses, nothing that looks like a phone number."""
    return _PHONE.sub("…", _EMAIL.sub("…", without_rows(without_keys(without_links(text)))))
