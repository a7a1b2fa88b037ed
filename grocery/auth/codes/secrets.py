"""Codes and tokens, and what is kept of them. Knows neither the web nor the database."""

import hmac
import secrets
from datetime import timedelta

from grocery.keys import Keys

#: Of an SMS code; so short that 5 tries of a million are all that anyone gets.
CODE_LIFETIME = timedelta(minutes=5)
CODE_TRIES = 5

#: Of the token in a mail to a new address, and in one for a new password.
VERIFY_EMAIL_LIFETIME = timedelta(hours=24)
RESET_LIFETIME = timedelta(minutes=30)

_TOKEN_BYTES = 32


def make_code() -> str:
    """Six random digits, to be read from one screen and typed into another."""
    return f"{secrets.randbelow(1_000_000):06}"


def make_token() -> str:
    """256 random bits, for a link: 43 letters, digits, - and _."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_with_all(keys: Keys, purpose: str, secret: str, bound_to: str = "") -> list[bytes]:
    """What may be kept of a code or token, by the key that made it: the signing one's first."""
    return [hash_secret(key, purpose, secret, bound_to) for key in keys.newest_first]


def hash_secret(key: str, purpose: str, secret: str, bound_to: str = "") -> bytes:
    """What is kept of a code or token: HMAC-SHA256 under `key`.

    All million codes could be tried against a plain hash; without the key nobody can. `bound_to` is the phone whose
    code it is, so that it is of use for no other one; a token needs no such thing.
    """
    text = "\0".join(("grocery.auth.codes", purpose, bound_to, secret))
    return hmac.digest(key.encode(), text.encode(), "sha256")
