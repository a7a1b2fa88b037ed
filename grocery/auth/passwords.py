"""Passwords: argon2id with the parameters that OWASP recommends, and what a new one must be.

Sources: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html (19 MiB, 2 rounds, 1 lane:
about 30 ms); https://pages.nist.gov/800-63-4/sp800-63b.html for length, normalisation and the absence of other rules.
"""

import unicodedata
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from grocery.auth.errors import WeakPasswordError
from grocery.auth.hashing import run_hash

MIN_LENGTH = 8
MAX_LENGTH = 128

_COMMON = Path(__file__).with_name("common_passwords.txt")

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# Verified for people who do not exist, so that they take as long as those who do. No password makes this hash.
_DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$Z3JvY2VyeS1kdW1teS1zYQ$" + "A" * 43


def hash_password(password: str) -> str:
    """Raises HashingBusyError when too many are hashed at once."""
    return run_hash(lambda: _hasher.hash(_normalized(password)))


def is_right_password(password: str, password_hash: str | None) -> bool:
    """Whether the password fits; takes the same time when there is none (`password_hash` is None).

    Raises HashingBusyError when too many are hashed at once.
    """
    try:
        is_fitting = run_hash(lambda: _hasher.verify(password_hash or _DUMMY_HASH, _normalized(password)))
    except (VerificationError, InvalidHashError):
        return False
    return is_fitting and password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(password_hash)


def check_new_password(password: str, *forbidden: str | None) -> None:
    """Raise WeakPasswordError for a password that is too short or long, common, or one of `forbidden`.

    These are the texts that come to mind first: the person's name, the e-mail address, whose local part counts too, and
    the shop's name.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPasswordError(f"Must have {MIN_LENGTH} to {MAX_LENGTH} characters.")
    folded = _folded(password)
    if folded in {_folded(word) for text in forbidden if text for word in (text, text.partition("@")[0])}:
        raise WeakPasswordError("Must not be your name, your e-mail address or the shop's name.")
    if folded in _common_passwords():
        raise WeakPasswordError("Is among the passwords that are tried first, since many people have it.")


@cache
def _common_passwords() -> frozenset[str]:
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("# "))


def _folded(text: str) -> str:
    return _normalized(text).casefold()


def _normalized(password: str) -> str:
    # Two keyboards may write the same character in two ways.
    return unicodedata.normalize("NFKC", password)
