"""What the templates of pages can ask for besides their values."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import Flask, g, request, url_for
from flask_babel import get_locale
from werkzeug.exceptions import RequestEntityTooLarge

from grocery.auth.cookies import csrf_token
from grocery.auth.people import Person
from grocery.config import LANGUAGES
from grocery.fields import MAX_QUANTITY, quantity_number
from grocery.storefront.assets import asset, asset_url
from grocery.storefront.basket.current import basket_hint, basket_item, current_basket, in_basket
from grocery.storefront.data_use import shows_pictures
from grocery.storefront.drawings import drawing_of
from grocery.storefront.languages import ARGUMENT, NAMES
from grocery.storefront.looks import slug

#: What the first tap puts in of something that is weighed: 0.1 kg of sukuma wiki is what nobody wants.
_FIRST_WEIGHT = Decimal("0.5")


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(
        asset=asset,
        asset_url=asset_url,
        basket_hint=basket_hint,
        basket_item=basket_item,
        csrf_token=csrf_token,
        current_basket=current_basket,
        drawing_of=drawing_of,
        first=first,
        here=here,
        in_basket=in_basket,
        in_language=in_language,
        language=lambda: str(get_locale() or LANGUAGES[0]),
        less=less,
        more=more,
        other_languages=other_languages,
        person=person,
        product_url=product_url,
        shows_pictures=shows_pictures,
    )


def person() -> Person | None:
    """Who is signed in; None for a visitor, and on pages that do not ask."""
    known: Person | None = g.get("person")
    return known


def here() -> str:
    """The address of this page, to come back to; for parts, of the page that they are put into."""
    try:
        named = request.form.get("return_to")
    except RequestEntityTooLarge:  # which the page says
        named = None
    return named or request.full_path.rstrip("?")


def other_languages() -> list[tuple[str, str]]:
    current = str(get_locale())
    return [(code, NAMES[code]) for code in LANGUAGES if code != current]


def in_language(code: str) -> str:
    """The address of this page in another language."""
    if request.method != "GET":
        return f"{url_for('shop.home')}?{ARGUMENT}={code}"
    arguments = [(name, value) for name, value in request.args.items(multi=True) if name != ARGUMENT]
    return f"{request.path}?{urlencode([*arguments, (ARGUMENT, code)])}"


def product_url(product: dict[str, Any]) -> str:
    return url_for("shop.show_product", product_id=product["id"], name=slug(product["name"]))


def first(unit: str, step: float) -> float:
    """What the first tap puts in: a piece, about half a kilogram."""
    size = Decimal(str(step))
    if unit != "kg" or size >= _FIRST_WEIGHT:
        return quantity_number(size)
    return quantity_number(size * (_FIRST_WEIGHT / size).to_integral_value())


def more(wanted: Decimal, step: float) -> float:
    return quantity_number(min(wanted + _stride(step), Decimal(MAX_QUANTITY)))


def less(wanted: Decimal, step: float) -> float:
    """0 takes it out."""
    return quantity_number(max(wanted - _stride(step), Decimal(0)))


def _stride(step: float) -> Decimal:
    return Decimal(str(step))
