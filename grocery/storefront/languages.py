"""Which language a page speaks: the one that was chosen here, else the customer's, else what the browser asks for."""

from flask import Flask, current_app, g, request
from flask_babel import Babel

from grocery.auth.cookies import AnyResponse
from grocery.config import LANGUAGES

COOKIE = "lang"
#: In any address of a page, `?lang=sw` chooses a language and stays.
ARGUMENT = "lang"

NAMES = {"en": "English", "sw": "Kiswahili"}

_A_YEAR = 31_536_000

babel = Babel()


def init_app(app: Flask) -> None:
    # The translations of this package, not those beside the application's root.
    babel.init_app(
        app,
        default_domain="messages",
        default_translation_directories="storefront/translations",
        locale_selector=choose_language,
        timezone_selector=lambda: str(current_app.config["TIMEZONE"]),
    )


def choose_language() -> str:
    for chosen in (request.args.get(ARGUMENT), request.cookies.get(COOKIE)):
        if chosen in LANGUAGES:
            return chosen
    person = g.get("person")
    if person is not None and person.language:
        return str(person.language)
    shops_own: str = current_app.config["SHOP_LANGUAGE"]
    return request.accept_languages.best_match(LANGUAGES) or shops_own


def keep_language(response: AnyResponse) -> AnyResponse:
    """Remember the language that this request has chosen."""
    chosen = request.args.get(ARGUMENT)
    if chosen in LANGUAGES and request.cookies.get(COOKIE) != chosen:
        set_language(response, chosen)
    return response


def set_language(response: AnyResponse, language: str) -> AnyResponse:
    """Have this browser's pages speak it from now on."""
    is_production = current_app.extensions["settings"].is_production
    response.set_cookie(COOKIE, language, max_age=_A_YEAR, samesite="Lax", secure=is_production, httponly=True)
    return response
