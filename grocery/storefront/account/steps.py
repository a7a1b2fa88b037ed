"""What somebody has got to who signs in over several pages: signed, in a cookie of this browser, for minutes.

Not in the address, where phone numbers stay in histories and logs, and not in the form, which a page kept open has for
ever. Nothing in it opens an account by itself.
"""

from datetime import timedelta
from typing import Any

from flask import current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer

from grocery.auth.cookies import AnyResponse, cookie_name, set_cookie
from grocery.keys import keys_of

#: Signing in by phone; the second factor; a new password; another phone number; erasing the account.
SIGNING_IN, SECOND_FACTOR, RESETTING, NEW_PHONE, ERASING = (
    "signing-in",
    "second-factor",
    "resetting",
    "phone",
    "erasing",
)

#: Twice as long as a code lives: who comes late reads that it is too old, beside the number it went to.
LIFETIME = timedelta(minutes=10)


def keep_step(response: AnyResponse, kind: str, **values: Any) -> AnyResponse:
    """Let this browser bring these values to the next page."""
    return set_cookie(response, kind, _serializer(kind).dumps(values), LIFETIME)


def read_step(kind: str) -> dict[str, Any]:
    """The values; none when the browser brings none, or none of ours, or not in time."""
    kept = request.cookies.get(cookie_name(kind), "")
    try:
        values: dict[str, Any] = _serializer(kind).loads(kept, max_age=int(LIFETIME.total_seconds()))
    except BadData:
        return {}
    return values


def forget_step(response: AnyResponse, *kinds: str) -> AnyResponse:
    for kind in kinds:
        if cookie_name(kind) in request.cookies:
            set_cookie(response, kind, "", timedelta(0))
    return response


def _serializer(kind: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(keys_of(current_app.config).oldest_first, salt=f"grocery.storefront.account.{kind}")
