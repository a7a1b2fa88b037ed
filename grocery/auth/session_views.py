"""The routes of /auth/sessions and /auth/password: where one is signed in, and another password."""

import uuid
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response, jsonify
from flask.typing import ResponseReturnValue

from grocery.api import Blueprint
from grocery.auth import sessions
from grocery.auth.access import current_person, current_token, customer_required, usable_without_totp
from grocery.auth.credentials import change_password
from grocery.auth.schemas import ChangePasswordSchema, SessionSchema, TokenPairSchema
from grocery.auth.sign_outs import sign_out_device, sign_out_others
from grocery.auth.views import TOKENS_EXAMPLE, token_response
from grocery.db import transaction
from grocery.errors import InvalidError
from grocery.limits import TOO_MANY
from grocery.paging import NEXT_LINK, PageArgsSchema, add_next_link, decode_cursor, encode_cursor

blp = Blueprint("sessions", __name__, url_prefix="/auth", description="Where one is signed in, and one's password.")

SESSION_EXAMPLE = {
    "id": "5f0c2f6e-9f0b-4c53-8d6e-0a4c2b1d7e90",
    "device": "Opera Mini, Android",
    "created_at": "2026-03-02T08:15:00Z",
    "last_used_at": "2026-03-09T17:40:00Z",
    "is_current": True,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@blp.route("/sessions")
@usable_without_totp
@customer_required
@blp.problems(_422="`limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(PageArgsSchema, location="query")
@blp.response(
    200, SessionSchema(many=True), description="The newest first.", headers=NEXT_LINK, example=[SESSION_EXAMPLE]
)
def list_sessions(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List one's sign-ins

    Those that have not ended, this one too. The next page stands in the header `Link`.
    """
    cursor, limit = arguments["cursor"], arguments["limit"]
    before = _position(cursor) if cursor is not None else None
    found = sessions.list_sessions(current_person().id, before=before, limit=limit + 1)
    current_id = current_token().family_id
    page = [{**asdict(session), "is_current": session.id == current_id} for session in found[:limit]]
    next_cursor = _cursor(found[limit - 1]) if len(found) > limit else None
    return add_next_link(jsonify(SessionSchema(many=True).dump(page)), next_cursor)


@blp.route("/sessions/<session_id>", methods=["DELETE"])
@usable_without_totp
@customer_required
@blp.problems(_429=TOO_MANY)
@blp.response(204, description="All tokens of that sign-in are dead.")
def end_session(session_id: str) -> ResponseReturnValue:
    """Sign out one device

    That of this request too, as `POST /auth/logout` does.
    """
    with transaction():
        sign_out_device(current_person(), session_id)
    return Response(status=204)


@blp.route("/sessions", methods=["DELETE"])
@usable_without_totp
@customer_required
@blp.problems(_429=TOO_MANY)
@blp.response(204, description="All tokens of the other sign-ins are dead.")
def end_other_sessions() -> ResponseReturnValue:
    """Sign out all other devices

    This sign-in stays.
    """
    with transaction():
        sign_out_others(current_person(), current_token())
    return Response(status=204)


@blp.route("/password", methods=["POST"])
@customer_required
@blp.problems(
    _403="The current password is wrong (`wrong_password`), or there is none and the sign-in is older than 10 minutes"
    " (`sign_in_again`).",
    _422="A field is not valid, `current_password` is missing, or `password` is too easy.",
    _429="Too many wrong passwords: `too_many_requests`, with `Retry-After`.",
    _503="Too many passwords at once: `busy`, with `Retry-After`.",
)
@blp.arguments(
    ChangePasswordSchema, example={"current_password": "correct horse battery", "password": "a better staple 7"}
)
@blp.response(200, TokenPairSchema, description="The tokens of a new sign-in.", example=TOKENS_EXAMPLE)
def set_password(body: dict[str, Any]) -> ResponseReturnValue:
    """Change one's password

    Ends every sign-in, on all devices, and answers the tokens of a new one. Who signs in by codes and has no password
    yet sets the first one here, within 10 minutes of signing in. A password has 8 to 128 characters of any kind; common
    ones, one's own name and e-mail address, and the shop's name are refused.
    """
    with transaction():
        pair = change_password(current_person(), current_token(), body["password"], body["current_password"])
    return token_response(pair)


def _cursor(session: sessions.Session) -> str:
    return encode_cursor((session.created_at - _EPOCH) // timedelta(microseconds=1), str(session.id))


def _position(cursor: str) -> tuple[datetime, uuid.UUID]:
    microseconds, session_id = decode_cursor(cursor, int, str)
    try:
        return _EPOCH + timedelta(microseconds=microseconds), uuid.UUID(session_id)
    except (OverflowError, ValueError):
        raise InvalidError("The cursor is not one of this list.", code="bad_cursor") from None
