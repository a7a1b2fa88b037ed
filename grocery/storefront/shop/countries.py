"""Names of countries, in the language of the page."""

from flask_babel import get_locale


def country_name(code: str | None) -> str | None:
    """`Kenya` for `KE`; the code itself where the language has no name for it."""
    locale = get_locale()
    return code and (locale.territories.get(code, code) if locale else code)
