"""What is on a list: put there from a product's page, changed and taken off on the list's."""

from decimal import Decimal

from flask import request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, customer_required
from grocery.db import transaction
from grocery.errors import InvalidError
from grocery.orders.shopping_lists import service
from grocery.storefront.basket.quantities import QuantityError, read_quantity
from grocery.storefront.basket.quantities import problem_of as quantity_problem
from grocery.storefront.basket.rows import read_product
from grocery.storefront.context import first
from grocery.storefront.lists.forms import PROBLEMS, problem_of, sent_id, sent_name
from grocery.storefront.lists.views import blp, list_page
from grocery.storefront.pages import go, go_back, say


@blp.post("/<int:list_id>/items/<int:product_id>")
@customer_required
def put_item(list_id: int, product_id: int) -> AnyResponse:
    """Set how much of a product is on a list; 0 takes it off."""
    product, written = read_product(product_id), request.form.get("quantity", "")
    try:
        quantity = read_quantity(written, product["unit"])
        with transaction() as session:
            if quantity:
                service.put_item(session, list_id, current_person().id, product_id, quantity=quantity)
            else:
                service.drop_item(session, list_id, current_person().id, product_id)
    except (QuantityError, InvalidError) as error:
        return _refused_at(list_id, product_id, quantity_problem(error, product))
    except PROBLEMS as error:
        return _refused_at(list_id, product_id, problem_of(error))
    say(gettext("Saved.") if quantity else gettext("Off the list: %(name)s", name=product["name"]))
    return go("lists.show_list", list_id=list_id, _anchor=f"row-{product_id}")


@blp.post("/products/<int:product_id>")
@customer_required
def add_product(product_id: int) -> AnyResponse:
    """Put a product on a list, or on a new one that is made for it."""
    customer_id, product = current_person().id, read_product(product_id)
    list_id = sent_id("list_id")
    try:
        written = read_quantity(request.form.get("quantity", ""), product["unit"])
        quantity = written or Decimal(str(first(product["unit"], product["quantity_step"])))
        with transaction() as session:
            if list_id is None:
                list_id = service.create_list(session, customer_id, name=sent_name())["id"]
            service.put_item(session, list_id, customer_id, product_id, quantity=quantity)
            name = service.get_list(session, list_id, customer_id)["name"]
    except (QuantityError, InvalidError) as error:
        say(quantity_problem(error, product), "bad")
    except PROBLEMS as error:
        say(problem_of(error), "bad")
    else:
        say(gettext("On your list “%(list)s”: %(name)s", list=name, name=product["name"]))
    return go_back("lists.list_lists")


def _refused_at(list_id: int, product_id: int, problem: str) -> AnyResponse:
    response = list_page(list_id, {f"quantity-{product_id}": problem})
    response.status_code = 422
    return response
