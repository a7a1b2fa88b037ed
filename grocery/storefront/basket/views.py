"""The page of the basket, and what changes it."""

from flask import Response, request
from flask_babel import gettext
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import optional_person
from grocery.db import transaction
from grocery.fields import read_id
from grocery.orders.cart import service
from grocery.orders.cart.access import keep_cart_cookie
from grocery.storefront.basket.answers import Change, answer_change, answer_problem, basket_page, wish_parts
from grocery.storefront.basket.current import basket_item, basket_owner, current_basket, forget_basket
from grocery.storefront.basket.quantities import PROBLEMS, problem_of, read_quantity
from grocery.storefront.basket.rows import read_product
from grocery.storefront.basket.wishes import SHORT_LABELS, keep_usual_wish, known_wish, usual_wish
from grocery.storefront.pages import StorePages, go, render, say, wants_parts

blp = StorePages("basket", __name__, url_prefix="/basket")


@blp.get("")
@optional_person
def show() -> Response:
    return basket_page()


@blp.post("/items/<int:product_id>")
@optional_person
def put_item(product_id: int) -> AnyResponse:
    """Set how much of a product is in the basket; 0 takes it out."""
    owner, product, before = basket_owner(), read_product(product_id), basket_item(product_id)
    written = request.form.get("quantity", "")
    usual = before["if_unavailable"] if before else usual_wish()
    try:
        quantity = read_quantity(written, product["unit"])
        with transaction() as session:
            if quantity:
                wish = known_wish(request.form.get("if_unavailable")) or usual
                service.put_item(session, owner, product_id, quantity=quantity, if_unavailable=wish)
            else:
                service.drop_item(session, owner, product_id)
    except PROBLEMS as error:
        return answer_problem(product, problem_of(error, product), written)
    forget_basket()
    return keep_cart_cookie(answer_change(Change(product, before, quantity)), owner)


@blp.post("/wish")
@optional_person
def set_wish() -> AnyResponse:
    """Say what to do when a product is not there, or with no `product_id`, for all that is in and all that comes."""
    wish = known_wish(request.form.get("if_unavailable"))
    product_id, owner = _sent_product_id(), basket_owner()
    if wish is None:
        raise BadRequest
    with transaction() as session:
        service.set_wish(session, owner, wish, product_id)
    forget_basket()
    message = gettext("If it is not there: %(wish)s", wish=SHORT_LABELS[wish])
    if wants_parts():
        response: AnyResponse = wish_parts(wish, product_id, message)
    else:
        say(message)
        response = go("basket.show")
    return response if product_id else keep_usual_wish(response, wish)


@blp.get("/clear")
@optional_person
def confirm_clear() -> AnyResponse:
    basket = current_basket()
    return render("basket/clear.html") if basket and basket["items"] else go("basket.show")


@blp.post("/clear")
@optional_person
def clear() -> AnyResponse:
    owner = basket_owner()
    with transaction() as session:
        service.clear_cart(session, owner)
    say(gettext("Everything is taken out."))
    return go("basket.show")


def _sent_product_id() -> int | None:
    """The product that the form is about; raises BadRequest for what is no id."""
    sent = request.form.get("product_id")
    if sent is None:
        return None
    product_id = read_id(sent)
    if product_id is None:
        raise BadRequest
    return product_id
