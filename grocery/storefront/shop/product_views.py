"""The page of a product, and being told when it is back."""

from decimal import Decimal
from typing import Any

from flask import url_for
from flask_babel import gettext
from sqlalchemy import Row
from werkzeug.wrappers import Response as AnyResponse

from grocery import money
from grocery.auth.access import current_person, current_person_or_none, customer_required, optional_person
from grocery.db import reader, transaction
from grocery.products.inventory import alerts
from grocery.products.inventory.errors import InStockError, TooManyAlertsError
from grocery.products.rows import listed_product_json, product_json
from grocery.products.service import get_product
from grocery.products.shelves import list_similar
from grocery.replica import catalogue_reader, reads_catalogue
from grocery.storefront.basket.current import in_basket
from grocery.storefront.context import first
from grocery.storefront.looks import slug
from grocery.storefront.pages import go, render, say
from grocery.storefront.shop.countries import country_name
from grocery.storefront.shop.views import areas_before_the_first_add, blp, moved_to

# A row of two on a phone has no hole at its end.
_SIMILAR = 4


@blp.get("/p/<int:product_id>-<name>")
@optional_person
@reads_catalogue
def show_product(product_id: int, name: str) -> AnyResponse:
    person = current_person_or_none()
    with catalogue_reader() as connection:
        row = get_product(connection, product_id)
        if moved := moved_to(url_for("shop.show_product", product_id=product_id, name=slug(row.name))):
            return moved
        return render(
            "shop/product.html",
            product=product_json(row),
            portion=_portion(row) if row.unit == "kg" and row.in_stock else None,
            origin=country_name(row.country_of_origin),
            similar=[listed_product_json(other) for other in list_similar(connection, row, _SIMILAR)],
            is_waiting=bool(person and not row.in_stock and alerts.has_alert(connection, product_id, person.id)),
            areas=areas_before_the_first_add(connection),
        )


@blp.post("/p/<int:product_id>/alert")
@customer_required
def add_alert(product_id: int) -> AnyResponse:
    """Be told when it can be bought again."""
    try:
        with transaction() as session:
            alerts.add_alert(session, product_id, current_person().id)
    except InStockError:
        say(gettext("Good news: it is back already."))
    except TooManyAlertsError:
        say(gettext("You wait for 100 products already. Take some off your list first."), "bad")
    else:
        say(gettext("We will tell you when it is back."))
    return _back_to(product_id)


@blp.post("/p/<int:product_id>/alert/stop")
@customer_required
def drop_alert(product_id: int) -> AnyResponse:
    with transaction() as session:
        alerts.drop_alert(session, product_id, current_person().id)
    say(gettext("We will not tell you."))
    return _back_to(product_id)


def _back_to(product_id: int) -> AnyResponse:
    with reader() as connection:
        name = get_product(connection, product_id).name
    return go("shop.show_product", product_id=product_id, name=slug(name))


def _portion(row: Row) -> dict[str, Any]:
    """What one is about to pay for what is weighed: for what is in the basket, else for what the first tap puts in."""
    quantity = in_basket(row.id) or Decimal(str(first(row.unit, row.quantity_step)))
    return {"quantity": quantity, "amount": money.to_text(money.line_total(row.price_cents, quantity))}
