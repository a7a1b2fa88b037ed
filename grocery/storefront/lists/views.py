"""The pages of one's own shopping lists."""

from typing import Any

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, customer_required
from grocery.db import reader, transaction
from grocery.errors import InvalidError, NotFoundError
from grocery.orders.cart.errors import CartFullError
from grocery.orders.shopping_lists import service
from grocery.storefront.basket.wishes import usual_wish
from grocery.storefront.following.views import say_differences
from grocery.storefront.lists.forms import PROBLEMS, problem_of, sent_id, sent_name
from grocery.storefront.pages import PrivatePages, go, go_back, render, say

blp = PrivatePages("lists", __name__, url_prefix="/account/lists")


@blp.get("")
@customer_required
def list_lists() -> Response:
    return _lists_page()


@blp.post("")
@customer_required
def create() -> AnyResponse:
    """Make a list: empty, or of an order, from whose page this comes then."""
    order_id = sent_id("order_id")
    try:
        with transaction() as session:
            made = service.create_list(session, current_person().id, name=sent_name(), order_id=order_id)
    except InvalidError:
        raise NotFoundError("There is no such order.") from None
    except PROBLEMS as error:
        if order_id is None:
            return _refused(_lists_page({"name": problem_of(error)}))
        say(problem_of(error), "bad")
        return go_back("lists.list_lists")
    say(gettext("The list is made."))
    return go("lists.show_list", list_id=made["id"])


@blp.get("/<int:list_id>")
@customer_required
def show_list(list_id: int) -> Response:
    return list_page(list_id)


@blp.post("/<int:list_id>/name")
@customer_required
def rename(list_id: int) -> AnyResponse:
    try:
        with transaction() as session:
            service.rename_list(session, list_id, current_person().id, sent_name())
    except PROBLEMS as error:
        return _refused(list_page(list_id, {"name": problem_of(error)}))
    say(gettext("The list has its new name."))
    return go("lists.show_list", list_id=list_id)


@blp.get("/<int:list_id>/delete")
@customer_required
def confirm_delete(list_id: int) -> Response:
    return render("lists/delete.html", list=_read(list_id))


@blp.post("/<int:list_id>/delete")
@customer_required
def delete(list_id: int) -> AnyResponse:
    with transaction() as session:
        service.delete_list(session, list_id, current_person().id)
    say(gettext("The list is deleted."))
    return go("lists.list_lists")


@blp.post("/<int:list_id>/basket")
@customer_required
def fill_basket(list_id: int) -> AnyResponse:
    """Put all of it into the basket, which says what cannot be bought."""
    try:
        with transaction() as session:
            differences = service.put_into_cart(session, list_id, current_person().id, if_unavailable=usual_wish())
    except CartFullError as error:
        say(gettext("Your basket is full: it has room for %(limit)s products.", limit=error.members["limit"]), "bad")
        return go("lists.show_list", list_id=list_id)
    say_differences(differences)
    return go("basket.show")


@blp.app_template_global()
def own_lists() -> list[dict[str, Any]]:
    """The lists of the person behind this request, to choose from. Only for pages that ask who it is."""
    with reader() as connection:
        return service.list_lists(connection, current_person().id)


def list_page(list_id: int, errors: dict[str, str] | None = None) -> Response:
    """A list, with what was written wrongly."""
    with reader() as connection:
        shopping_list = service.get_list(connection, list_id, current_person().id)
    return render("lists/list.html", list=shopping_list, errors=errors or {}, written=request.form)


def _lists_page(errors: dict[str, str] | None = None) -> Response:
    return render("lists/lists.html", lists=own_lists(), errors=errors or {}, written=request.form)


def _read(list_id: int) -> dict[str, Any]:
    with reader() as connection:
        return service.get_list(connection, list_id, current_person().id)


def _refused(response: Response) -> Response:
    response.status_code = 422
    return response
