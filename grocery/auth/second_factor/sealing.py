"""Secrets at rest: whoever has the database, and not SECRET_KEY, cannot make codes.

AES-256-GCM with a random nonce; the key comes from SECRET_KEY by HKDF (RFC 5869), for this one purpose. Older keys open
only.
"""

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from grocery.keys import Keys

_PURPOSE = b"grocery: secrets of second factors"
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Opened:
    """`is_by_older_key`: to be sealed anew, so that the older key can be thrown away."""

    secret: str = field(repr=False)
    is_by_older_key: bool


def seal(secret: str, *, owner_id: int, secret_key: str) -> bytes:
    """Encrypt a secret. `owner_id` is bound to it, so that nobody's row is of use in another one's place."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(secret_key).encrypt(nonce, secret.encode(), _bound_to(owner_id))


def unseal(sealed: bytes, *, owner_id: int, secret_key: str) -> str | None:
    """The secret; None when it was sealed for another owner or with another key."""
    nonce, encrypted = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return _cipher(secret_key).decrypt(nonce, encrypted, _bound_to(owner_id)).decode()
    except (InvalidTag, ValueError):
        return None


def open_sealed(sealed: bytes, *, owner_id: int, keys: Keys) -> Opened | None:
    """The secret, by whichever key it was sealed with; None as `unseal`."""
    for key in keys.newest_first:
        secret = unseal(sealed, owner_id=owner_id, secret_key=key)
        if secret is not None:
            return Opened(secret, is_by_older_key=key != keys.signing)
    return None


def _cipher(secret_key: str) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret_key.encode()))


def _bound_to(owner_id: int) -> bytes:
    return str(owner_id).encode()
