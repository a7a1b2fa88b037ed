"""What to do when something is not on the shelf: one wish for all, and exceptions for single products."""

from datetime import timedelta

from flask import current_app, request
from flask_babel import lazy_gettext as _l

from grocery.auth.cookies import AnyResponse
from grocery.orders.schemas import IF_UNAVAILABLE

COOKIE = "wish"

#: Until somebody chooses: a substitute never costs more, and can be refused at the door.
DEFAULT = "substitute"

#: In the order in which they are offered.
LABELS = {
    "substitute": _l("The closest product, same price or less"),
    "call": _l("Call me"),
    "remove": _l("Leave it out"),
}

#: Within a sentence.
SHORT_LABELS = {
    "substitute": _l("closest product"),
    "call": _l("call me"),
    "remove": _l("leave it out"),
}

_A_YEAR = timedelta(days=365)


def usual_wish() -> str:
    """What this browser has chosen for all it puts in."""
    return known_wish(request.cookies.get(COOKIE)) or DEFAULT


def known_wish(written: str | None) -> str | None:
    """The wish that a form or cookie names; None for none that there is."""
    return written if written in IF_UNAVAILABLE else None


def keep_usual_wish(response: AnyResponse, wish: str) -> AnyResponse:
    """Have this browser choose it for all it puts in from now on."""
    is_production = current_app.extensions["settings"].is_production
    response.set_cookie(COOKIE, wish, max_age=_A_YEAR, samesite="Lax", secure=is_production, httponly=True)
    return response
