"""Sign-ins: families of tokens, their rotation and their end."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import has_request_context, request
from sqlalchemy import Text, Uuid, bindparam, delete, exists, func, insert, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from grocery.auth.errors import (
    InvalidCredentialsError,
    SessionNotFoundError,
    SignInAgainError,
    TokenReusedError,
    TokenRevokedError,
)
from grocery.auth.models import BlockedToken, Customer, TokenFamily
from grocery.auth.tokens import REFRESH_LIFETIME, Token, TokenPair, sign_pair
from grocery.auth.user_agents import describe_device
from grocery.db import db, delete_in_batches, reader, transaction

# A client whose connection broke may ask again for the same pair within this time.
REPEAT_WINDOW = timedelta(seconds=30)

#: However often it is used, a sign-in ends after so long. Source: ASVS 5, 7.3.2.
LONGEST = timedelta(days=365)

#: For so long, having signed in counts as much as saying the password.
FRESH_FOR = timedelta(minutes=10)

# Dead entries stay a little longer than the tokens that they block, for clocks that differ.
_MARGIN = timedelta(hours=1)
_CLEANING_BATCH = 1000

_IS_BLOCKED = exists().where(BlockedToken.token_id == TokenFamily.id)


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that has not ended. `last_used_at` is when it got its last pair of tokens."""

    id: uuid.UUID
    device: str | None
    created_at: datetime
    last_used_at: datetime


def start_session(
    customer_id: int, *, password_hash: str | None = None, verified_phone: str | None = None
) -> TokenPair:
    """Begin a family of tokens.

    Raises InvalidCredentialsError when the person is gone, deactivated, or has another `password_hash` or another
    `verified_phone` (E.164) by now. The row is read under a lock, so that a sign-in cannot slip past a change that ends
    all sessions.
    """
    family_id, access_id, refresh_id, issued_at = uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), _now()
    person = select(
        literal(family_id, Uuid),
        Customer.id,
        literal(access_id, Uuid),
        literal(refresh_id, Uuid),
        literal(issued_at),
        literal(issued_at + REFRESH_LIFETIME),
        literal(_device(), Text),
    ).where(Customer.id == customer_id, Customer.is_active)
    if password_hash is not None:
        person = person.where(Customer.password_hash == password_hash)
    if verified_phone is not None:
        person = person.where(Customer.phone == verified_phone, Customer.phone_verified_at.is_not(None))
    columns = ["id", "customer_id", "access_jti", "refresh_jti", "issued_at", "expires_at", "device"]
    statement = insert(TokenFamily).from_select(columns, person.with_for_update(read=True, key_share=True))
    if db.session.execute(statement.returning(TokenFamily.id)).first() is None:
        raise InvalidCredentialsError
    return sign_pair(customer_id, family_id, access_id, refresh_id, issued_at)


def rotate_session(token: Token, repeat_key: str | None = None) -> TokenPair:
    """Exchange a refresh token for a new pair, once. Sent again soon with the same `repeat_key`, it gets the same pair.

    Raises TokenReusedError for a token that was exchanged before: then the caller has to end the session, in a
    transaction of its own, since this one is rolled back. TokenRevokedError when the family is gone or older
    than LONGEST.
    """
    access_id, refresh_id, issued_at = uuid.uuid4(), uuid.uuid4(), _now()
    is_rotated = db.session.execute(
        update(TokenFamily)
        .where(
            TokenFamily.id == token.family_id,
            TokenFamily.refresh_jti == token.id,
            TokenFamily.created_at > func.now() - LONGEST,
        )
        .values(
            access_jti=access_id,
            refresh_jti=refresh_id,
            previous_refresh_jti=token.id,
            rotation_key=repeat_key,
            issued_at=issued_at,
            expires_at=issued_at + REFRESH_LIFETIME,
        )
        .returning(TokenFamily.id)
        .execution_options(synchronize_session=False)
    ).first()
    if is_rotated:
        return sign_pair(token.customer_id, token.family_id, access_id, refresh_id, issued_at)
    return _repeat_rotation(token, repeat_key)


def _repeat_rotation(token: Token, repeat_key: str | None) -> TokenPair:
    family = db.session.execute(
        select(
            TokenFamily.access_jti,
            TokenFamily.refresh_jti,
            TokenFamily.previous_refresh_jti,
            TokenFamily.rotation_key,
            TokenFamily.issued_at,
        ).where(TokenFamily.id == token.family_id, TokenFamily.created_at > func.now() - LONGEST)
    ).first()
    if family is None:
        raise TokenRevokedError
    is_repeated = (
        repeat_key is not None
        and family.rotation_key == repeat_key
        and family.previous_refresh_jti == token.id
        and _now() - family.issued_at <= REPEAT_WINDOW
    )
    if not is_repeated:
        raise TokenReusedError
    return sign_pair(token.customer_id, token.family_id, family.access_jti, family.refresh_jti, family.issued_at)


def exchange_token(token: Token, repeat_key: str | None) -> TokenPair:
    """`rotate_session` in a transaction of its own, and in another one the end of a sign-in whose token was reused.

    Raises as `rotate_session`.
    """
    try:
        with transaction():
            return rotate_session(token, repeat_key)
    except TokenReusedError:
        with transaction():
            end_session(token)
        raise


def list_sessions(customer_id: int, *, before: tuple[datetime, uuid.UUID] | None, limit: int) -> list[Session]:
    """A person's sign-ins that have not ended, the newest first, from the one before `before` on."""
    statement = (
        select(TokenFamily.id, TokenFamily.device, TokenFamily.created_at, TokenFamily.issued_at)
        .where(TokenFamily.customer_id == customer_id, TokenFamily.expires_at > func.now(), ~_IS_BLOCKED)
        .order_by(TokenFamily.created_at.desc(), TokenFamily.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(tuple_(TokenFamily.created_at, TokenFamily.id) < before)
    with reader() as connection:
        return [Session(*row) for row in connection.execute(statement)]


def check_fresh_sign_in(token: Token) -> None:
    """Raise SignInAgainError unless this sign-in began within `FRESH_FOR`."""
    is_fresh = select(TokenFamily.created_at > func.now() - FRESH_FOR).where(TokenFamily.id == token.family_id)
    with reader() as connection:
        if not connection.scalar(is_fresh):
            raise SignInAgainError


def end_session(token: Token) -> None:
    """Block this token and all others of its sign-in."""
    expires_at = _now() + REFRESH_LIFETIME + _MARGIN
    _block(
        upsert(BlockedToken).values(
            [
                {"token_id": token.id, "customer_id": token.customer_id, "expires_at": token.expires_at + _MARGIN},
                {"token_id": token.family_id, "customer_id": token.customer_id, "expires_at": expires_at},
            ]
        )
    )


def end_all_sessions(customer_id: int) -> None:
    """Block every sign-in of a person. The caller holds a lock on the person's row, so that none begins meanwhile."""
    _block(_blocking(TokenFamily.customer_id == customer_id))


def end_session_of(customer_id: int, session_id: uuid.UUID) -> None:
    """Block one sign-in of a person; raises SessionNotFoundError when it is none of theirs, or has ended."""
    if _block(_blocking(TokenFamily.customer_id == customer_id, TokenFamily.id == session_id)) == 0:
        raise SessionNotFoundError


def end_other_sessions(token: Token) -> None:
    """Block every sign-in of the person but the one of this token."""
    _block(_blocking(TokenFamily.customer_id == token.customer_id, TokenFamily.id != token.family_id))


def _blocking(*conditions: Any) -> Any:
    expires_at = _now() + REFRESH_LIFETIME + _MARGIN
    families = select(TokenFamily.id, TokenFamily.customer_id, literal(expires_at)).where(
        *conditions, TokenFamily.expires_at > func.now()
    )
    return upsert(BlockedToken).from_select(["token_id", "customer_id", "expires_at"], families)


def _block(statement: Any) -> int:
    """How many of them were not blocked before."""
    statement = statement.on_conflict_do_nothing(index_elements=[BlockedToken.token_id])
    return len(db.session.execute(statement.returning(BlockedToken.token_id)).all())


def delete_expired_sessions() -> None:
    """Forget families and blocked tokens that have expired, in small transactions. Run by the relay."""
    for table, key in ((BlockedToken, BlockedToken.token_id), (TokenFamily, TokenFamily.id)):
        is_expired = table.expires_at < func.now()
        expired = select(key).where(is_expired).limit(bindparam("limit")).with_for_update(skip_locked=True)
        statement = delete(table).where(key.in_(expired)).execution_options(synchronize_session=False)
        delete_in_batches(statement, _CLEANING_BATCH)


def _now() -> datetime:
    """The time in whole seconds, as tokens carry it."""
    return datetime.now(UTC).replace(microsecond=0)


def _device() -> str | None:
    """From where somebody signs in at this moment; None at the command line."""
    return describe_device(request.headers.get("User-Agent", "")) if has_request_context() else None
