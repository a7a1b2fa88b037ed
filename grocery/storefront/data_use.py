"""Whether pages have pictures: not for those who asked for less data, here or in their browser's settings."""

from datetime import timedelta

from flask import current_app, request

from grocery.auth.cookies import AnyResponse

COOKIE = "lowdata"

_A_YEAR = timedelta(days=365)


def shows_pictures() -> bool:
    """What was chosen here, else what the browser says (`Save-Data: on`, https://wicg.github.io/savedata/)."""
    chosen = request.cookies.get(COOKIE)
    if chosen in ("0", "1"):
        return chosen == "0"
    return request.headers.get("Save-Data", "").lower() != "on"


def keep_data_use(response: AnyResponse, *, is_low: bool) -> AnyResponse:
    """Have this browser's pages come without pictures from now on, or with them."""
    is_production = current_app.extensions["settings"].is_production
    value = "1" if is_low else "0"
    response.set_cookie(COOKIE, value, max_age=_A_YEAR, samesite="Lax", secure=is_production, httponly=True)
    return response
