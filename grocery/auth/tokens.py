"""Tokens: what stands in them, how they are signed and read (Flask-JWT-Extended, HS256).

The first of JWT_SECRET_KEYS signs and names itself in the header `kid`; all of them verify, so that a key can be
replaced while tokens of the old one are still about.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, current_app
from flask_jwt_extended import create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import JWTDecodeError
from jwt import ExpiredSignatureError, InvalidTokenError

from grocery.config import Settings
from grocery.errors import UnauthenticatedError, handle_grocery_error
from grocery.extensions import jwt

ACCESS_LIFETIME = timedelta(minutes=15)
REFRESH_LIFETIME = timedelta(days=30)

_SCHEME = "Bearer"

#: Ours have about 400 characters. Longer ones cost time to decode, before anyone knows whether they are genuine.
JWT_PATTERN = r"[A-Za-z0-9_-]{1,512}\.[A-Za-z0-9_-]{1,2048}\.[A-Za-z0-9_-]{0,512}"

# The clocks of two hosts differ a little: a token from "the future" of this one is still good.
_CLOCK_LEEWAY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Token:
    """The claims of a verified token."""

    id: uuid.UUID
    family_id: uuid.UUID
    customer_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TokenPair:
    access_token: str
    refresh_token: str
    token_type: str = _SCHEME
    expires_in: int = int(ACCESS_LIFETIME.total_seconds())


def init_app(app: Flask) -> None:
    app.config.update(
        JWT_ALGORITHM="HS256",
        JWT_ENCODE_ISSUER="grocery",
        JWT_DECODE_ISSUER="grocery",
        # Tokens for other purposes, signed with the same keys, must not open the API.
        JWT_ENCODE_AUDIENCE="api",
        JWT_DECODE_AUDIENCE="api",
        JWT_DECODE_LEEWAY=_CLOCK_LEEWAY,
        JWT_ENCODE_NBF=False,
        JWT_TOKEN_LOCATION=["headers"],
        JWT_COOKIE_CSRF_PROTECT=False,
    )
    jwt.init_app(app)


def sign_pair(
    customer_id: int, family_id: uuid.UUID, access_id: uuid.UUID, refresh_id: uuid.UUID, issued_at: datetime
) -> TokenPair:
    """The pair of these ids. The same arguments make the very same tokens, as long as the signing key stays."""
    subject = str(customer_id)
    return TokenPair(
        create_access_token(subject, additional_claims=_claims(family_id, access_id, issued_at, ACCESS_LIFETIME)),
        create_refresh_token(subject, additional_claims=_claims(family_id, refresh_id, issued_at, REFRESH_LIFETIME)),
    )


def verify_token(text: str, kind: str) -> Token:
    """A token of the kind "access" or "refresh" that did not come in a header. Does not know who has signed out.

    Raises UnauthenticatedError with the code "missing_token" for "", else "invalid_token" or "token_expired".
    """
    if not text:
        raise UnauthenticatedError("Sign in.", code="missing_token")
    if not re.fullmatch(JWT_PATTERN, text):
        raise UnauthenticatedError("This is not a valid token.", code="invalid_token")
    try:
        claims = decode_token(text)
        token = read_claims(claims)
    except ExpiredSignatureError:
        raise UnauthenticatedError("The token has expired. Sign in again.", code="token_expired") from None
    except (InvalidTokenError, JWTDecodeError):
        raise UnauthenticatedError("This is not a valid token.", code="invalid_token") from None
    if claims["type"] != kind:
        raise UnauthenticatedError("This is not a valid token for this request.", code="invalid_token")
    return token


def read_claims(claims: dict[str, Any]) -> Token:
    """The claims of a token whose signature was verified; raises JWTDecodeError when one that we write is missing.

    Flask-JWT-Extended itself accepts a token without `exp`, which would live for ever, and any unknown `type`.
    """
    try:
        if claims["type"] not in ("access", "refresh"):
            raise ValueError
        return Token(
            id=uuid.UUID(claims["jti"]),
            family_id=uuid.UUID(claims["fam"]),
            customer_id=int(claims["sub"]),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise JWTDecodeError("a claim is missing or not valid") from None


def _claims(family_id: uuid.UUID, token_id: uuid.UUID, issued_at: datetime, lifetime: timedelta) -> dict[str, Any]:
    issued = int(issued_at.timestamp())
    return {
        "jti": str(token_id),
        "fam": str(family_id),
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
    }


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


@jwt.additional_headers_loader
def _name_key(_identity: str) -> dict[str, str]:
    return {"kid": _settings().jwt_signing_key_id}


@jwt.encode_key_loader
def _signing_key(_identity: str) -> str:
    settings = _settings()
    return settings.jwt_secret_keys[settings.jwt_signing_key_id]


@jwt.decode_key_loader
def _verifying_key(header: dict[str, Any], _claims: dict[str, Any]) -> str:
    secret = _settings().jwt_secret_keys.get(header.get("kid", ""))
    if secret is None:
        raise JWTDecodeError("the key of this token is not known")
    return secret


@jwt.unauthorized_loader
def _answer_missing(_reason: str) -> Response:
    return _refusal("missing_token", "Sign in, and send the access token as Authorization: Bearer <token>.")


@jwt.invalid_token_loader
def _answer_invalid(_reason: str) -> Response:
    return _refusal("invalid_token", "This is not a valid token for this request.")


@jwt.expired_token_loader
def _answer_expired(_header: dict[str, Any], _claims: dict[str, Any]) -> Response:
    return _refusal("token_expired", "The token has expired. Refresh it, or sign in again.")


@jwt.revoked_token_loader
def _answer_revoked(_header: dict[str, Any], _claims: dict[str, Any]) -> Response:
    return _refusal("token_revoked", "This token was signed out. Sign in again.")


def _refusal(code: str, detail: str) -> Response:
    return handle_grocery_error(UnauthenticatedError(detail, code=code))
