"""Passwords: argon2id with the parameters that OWASP recommends, and what a new one must be.

Sources: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html (19 MiB, 2 rounds, 1 lane:
about 30 ms); https://pages.nist.gov/800-63-4/sp800-63b.html for length, normalisation and the absence of other rules.
"""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from grocery.auth.errors import WeakPasswordError

MIN_LENGTH = 8
MAX_LENGTH = 128

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# Verified for people who do not exist, so that they take as long as those who do. No password makes this hash.
_DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$Z3JvY2VyeS1kdW1teS1zYQ$" + "A" * 43


def hash_password(password: str) -> str:
    return _hasher.hash(_normalized(password))


def is_right_password(password: str, password_hash: str | None) -> bool:
    """Whether the password fits; takes the same time when there is none (`password_hash` is None)."""
    try:
        return _hasher.verify(password_hash or _DUMMY_HASH, _normalized(password)) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(password_hash)


def check_new_password(password: str, *forbidden: str | None) -> None:
    """Raise WeakPasswordError for a password that is too short or long, or that is the person's own name or e-mail."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPasswordError(f"Must have {MIN_LENGTH} to {MAX_LENGTH} characters.")
    if _normalized(password).casefold() in {_normalized(text).casefold() for text in forbidden if text}:
        raise WeakPasswordError("Must not be your name or your e-mail address.")


def _normalized(password: str) -> str:
    # Two keyboards may write the same character in two ways.
    return unicodedata.normalize("NFKC", password)
