"""The token that opens a visitor's cart: random and signed by the shop, so that nobody can make one up.

The signature needs no row to be checked: a visitor who only looks leaves nothing in the database.
"""

import hashlib
import secrets

from itsdangerous import BadSignature, Signer

_SALT = "cart-token"


def make_token(secret_key: str) -> str:
    """A new token, 128 bits of which nobody can guess."""
    return _signer(secret_key).sign(secrets.token_urlsafe(16)).decode()


def is_genuine(token: str, *secret_keys: str) -> bool:
    """Whether this shop has made the token, with one of the keys (the newest first)."""
    try:
        _signer(*secret_keys).unsign(token)
    except (BadSignature, UnicodeEncodeError):
        return False
    return True


def hash_token(token: str) -> str:
    """What is kept of it: who can read the table cannot open the carts."""
    return hashlib.sha256(token.encode()).hexdigest()


def _signer(*secret_keys: str) -> Signer:
    # It signs with the last one, and tries that first.
    return Signer(secret_keys[::-1], salt=_SALT, digest_method=hashlib.sha256)
