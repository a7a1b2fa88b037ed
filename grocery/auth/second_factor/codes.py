"""Codes of authenticator apps (TOTP, RFC 6238) and recovery codes. Knows neither the web nor the database."""

import hashlib
import secrets

import pyotp
from pyotp.exceptions import OTPVerificationError

RECOVERY_CODES = 10

# A clock may be one step of 30 s off, either way (RFC 6238, section 5.2).
_STEPS_OFF = 1

# Without i, l, o and u, which are misread. 24 of these have 120 bits: from 112 on a plain hash is enough to keep them
# (OWASP ASVS 5, 6.5.2).
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH, _GROUP = 24, 4


def new_secret() -> str:
    """160 random bits in base32, as RFC 4226, section 4, recommends."""
    return pyotp.random_base32()


def secret_uri(secret: str, *, account: str, shop: str) -> str:
    """The address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=shop)


def find_step(secret: str, code: str, now: float) -> int | None:
    """The time step of a code that is good at `now` (seconds since 1970); None when it is none."""
    digits = code.replace(" ", "")
    # PyOTP would take digits of other scripts for ours.
    if not digits.isascii():
        return None
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(digits, for_time=now, valid_window=_STEPS_OFF)
    except OTPVerificationError:
        return None


def new_recovery_codes() -> list[str]:
    """Ten codes in groups of four, such as 7k2m-9qxt-…"""
    return [_new_recovery_code() for _ in range(RECOVERY_CODES)]


def hash_recovery_code(owner_id: int, code: str) -> bytes:
    """What is kept of a code. Upper and lower case, hyphens and spaces do not matter."""
    plain = code.lower().replace("-", "").replace(" ", "")
    return hashlib.sha256(f"{owner_id}:{plain}".encode()).digest()


def _new_recovery_code() -> str:
    characters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(characters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))
