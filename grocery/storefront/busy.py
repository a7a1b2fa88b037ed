"""The page for those who find no place in the line of sign-ins: one for all, so nothing in it is anybody's."""

from flask import Flask, Response, make_response, render_template
from flask_babel import force_locale, gettext

from grocery.config import LANGUAGES
from grocery.storefront.assets import assets_version
from grocery.storefront.pages import page_policy

#: The forms that anyone may send and that always hash a password.
HASHING_PAGES = ("/sign-in/password", "/register")

_RETRY_SECONDS = "2"


def busy_pages(app: Flask) -> dict[str, Response]:
    """The answers by path, made once: a flood of sign-ins must not make pages."""
    with app.app_context():
        return {path: _make(path) for path in HASHING_PAGES}


def _make(path: str) -> Response:
    # It is made without a request, so without `url_for`; and who asks is not looked at, so in all languages.
    style = f"/static/{assets_version()}/shop.css"
    words = {code: _words(code) for code in LANGUAGES}
    response = make_response(render_template("shop/busy.html", words=words, style=style, path=path), 503)
    response.headers["Content-Security-Policy"] = page_policy()
    response.headers["Cache-Control"] = "no-store"
    response.headers["Retry-After"] = _RETRY_SECONDS
    return response


def _words(language: str) -> tuple[str, str, str]:
    with force_locale(language):
        return (
            gettext("The shop is busy"),
            gettext("Nothing is lost. Wait a moment, then load the page again."),
            gettext("Try again"),
        )
