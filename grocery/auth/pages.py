"""Blueprints of pages: there cookies say who it is, and nowhere else; the API takes headers."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, request

from grocery.auth.cookies import check_browser, has_session_cookies
from grocery.auth.errors import ForgedRequestError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Pages(Blueprint):
    """A blueprint whose routes take cookies. What changes something must come from a page of this shop."""

    def __init__(self, name: str, import_name: str, **options: object):
        super().__init__(name, import_name, **options)  # type: ignore[arg-type]
        self.before_request(_know_nobody)
        self.before_request(_check_forgery)
        self.after_request(_keep_private)


def is_page() -> bool:
    """Whether this request is for a page."""
    return isinstance(current_app.blueprints.get(request.blueprint or ""), Pages)


def _know_nobody() -> None:
    # Until the view asks who it is: a page may show a person's things whenever there is one in `g`.
    g.pop("person", None)
    g.pop("token", None)


def _check_forgery() -> None:
    if request.method not in SAFE_METHODS:
        _check_origin()
        check_browser()


def _check_origin() -> None:
    """Raise ForgedRequestError when the browser says that another site's page sends this; also for a sign-in itself.

    Browsers that say nothing are old; for those the CSRF token stands alone.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        is_ours = origin is None or _host_of(origin) in _own_hosts()
    if not is_ours:
        raise ForgedRequestError


def _own_hosts() -> set[str]:
    # "" is none: an empty SHOP_URL would make "Origin: null" ours, which a frame of any site can send.
    return {request.host, _host_of(current_app.config["SHOP_URL"])} - {""}


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""


def _keep_private(response: Response) -> Response:
    response.vary.add("Cookie")
    if has_session_cookies() or "Set-Cookie" in response.headers:
        response.headers.setdefault("Cache-Control", "no-store")
    return response
