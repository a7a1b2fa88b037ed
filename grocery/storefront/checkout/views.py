"""The checkout: its page, its price as one chooses, the order, and what is said when it is placed."""

from flask import Response, current_app, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, current_person_or_none, customer_required, optional_person
from grocery.auth.people import Person
from grocery.db import reader, transaction
from grocery.errors import TooManyRequestsError
from grocery.keys import keys_of
from grocery.orders import reading
from grocery.orders.actors import Actor
from grocery.orders.cart import service
from grocery.orders.cart.access import keep_cart_cookie
from grocery.orders.cart.drafts import clear_draft, read_draft, save_draft
from grocery.orders.cart.service import CartOwner
from grocery.orders.errors import EmptyCartError, KeyReusedError
from grocery.orders.idempotency import find_order_id
from grocery.orders.tracking.links import make_token
from grocery.storefront.basket.current import basket_owner, current_basket, forget_basket
from grocery.storefront.basket.wishes import keep_usual_wish, known_wish
from grocery.storefront.checkout import placing
from grocery.storefront.checkout.fields import Values, sent_values
from grocery.storefront.checkout.order import SHOWN_FIELD, shown_amounts
from grocery.storefront.checkout.page import PAYMENT_LABELS, CheckoutPage, common_wish, read_page
from grocery.storefront.checkout.problems import MENDABLE, status_for
from grocery.storefront.pages import PrivatePages, go, render, render_parts, say, wants_parts

blp = PrivatePages("checkout", __name__, url_prefix="/checkout")


@blp.get("")
@optional_person
def show() -> AnyResponse:
    page = read_page(basket_owner(), current_person_or_none())
    return render("checkout/checkout.html", **page.as_context()) if page else go("basket.show")


@blp.post("/quote")
@optional_person
def quote() -> AnyResponse:
    """Keep what is filled in, and show the choices and the price that follow from it."""
    owner, sent = basket_owner(), sent_values()
    wish = _keep(owner, sent)
    if _is_signed_out():
        return _with_cookies(_sign_in_again(), owner, wish)
    if request.form.get("to") == "sign-in":
        return _with_cookies(go("account.show_sign_in", return_to=url_for("checkout.show")), owner, wish)
    page = read_page(owner, current_person_or_none(), sent) if wants_parts() else None
    response = render_parts("checkout/parts.html", **page.as_context()) if page else go("checkout.show")
    return _with_cookies(response, owner, wish)


@blp.post("")
@optional_person
def place() -> AnyResponse:
    """Place the order. Who it is for is asked first where it is not known; nothing that was filled in is lost."""
    owner, sent, person = basket_owner(), sent_values(), current_person_or_none()
    wish = _keep(owner, sent)
    response = _identify(owner, sent) if person is None else _place(person, owner, sent)
    return _with_cookies(response, owner, wish)


@blp.get("/done/<int:order_id>")
@customer_required
def done(order_id: int) -> Response:
    """What was ordered, and what happens next; only for whom it was."""
    person = current_person()
    with reader() as connection:
        order = reading.get_order(connection, order_id, Actor(person.id, "customer"))
    token = make_token(order_id, keys_of(current_app.config).signing)
    return render(
        "checkout/done.html",
        order=order,
        phone=order["delivery"]["phone"] or person.phone,
        payment=PAYMENT_LABELS.get(order["payment_method"], order["payment_method"]),
        tracking=url_for("tracking.show_tracked_order", token=token),
    )


def _keep(owner: CartOwner, sent: Values) -> str | None:
    """Keep the form for later, and have all of the basket follow the wish that it names, which is answered."""
    wish = known_wish(sent.get("if_unavailable"))
    items = (current_basket() or {"items": []})["items"]
    with transaction() as session:
        save_draft(session, owner, {**read_draft(session, owner), **sent})
        # What was typed last may arrive after the order for which it was.
        if owner.customer_id and find_order_id(session, owner.customer_id, sent.get("key", "")):
            clear_draft(session, owner)
        if wish and wish != common_wish(items):
            service.set_wish(session, owner, wish)
    forget_basket()
    return wish


def _with_cookies(response: AnyResponse, owner: CartOwner, wish: str | None) -> AnyResponse:
    return keep_cart_cookie(keep_usual_wish(response, wish) if wish else response, owner)


def _is_signed_out() -> bool:
    """Whether the form was made for somebody who was signed in, and is no more: the basket is theirs."""
    return current_person_or_none() is None and "is_known" in request.form


def _sign_in_again() -> AnyResponse:
    say(gettext("You were signed out meanwhile. Sign in to go on; nothing is lost."), "note")
    return go("account.show_sign_in", return_to=url_for("checkout.show"))


def _identify(owner: CartOwner, sent: Values) -> AnyResponse:
    if _is_signed_out():
        return _sign_in_again()
    try:
        placing.check(sent, _seen())
    except MENDABLE as error:
        return _again(owner, None, sent, error)
    # The same form goes on to where codes are asked for; 307 has the browser send it there.
    return redirect(url_for("account.sign_in"), 307)


def _place(person: Person, owner: CartOwner, sent: Values) -> AnyResponse:
    seen = _seen()
    if seen is None:
        say(gettext("Look at your order, then place it."), "note")
        return go("checkout.show")
    try:
        order_id = placing.place(person, owner, sent, seen)
    except EmptyCartError:
        say(gettext("Your basket is empty: there is nothing to order."), "note")
        return go("basket.show")
    except KeyReusedError as error:
        placed_id = placing.find_placed(person, sent)
        if placed_id is None or (current_basket() or {"items": []})["items"]:
            return _again(owner, person, {**sent, "key": ""}, error)
        say(gettext("This order was placed before. What you have changed since is not in it."), "note")
        return go("checkout.done", order_id=placed_id)
    except MENDABLE as error:
        return _again(owner, person, sent, error)
    return go("checkout.done", order_id=order_id)


def _again(owner: CartOwner, person: Person | None, sent: Values, error: Exception) -> AnyResponse:
    """The form as it was sent, with what is in the way."""
    forget_basket()
    page = read_page(owner, person, sent, error=error, seen=_seen())
    if page is None:
        return go("basket.show")
    response = _rendered(page)
    response.status_code = status_for(error)
    if isinstance(error, TooManyRequestsError):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _rendered(page: CheckoutPage) -> Response:
    if wants_parts():
        return render_parts("checkout/again.html", **page.as_context())
    return render("checkout/checkout.html", **page.as_context())


def _seen() -> tuple[str, ...] | None:
    return shown_amounts(request.form.get(SHOWN_FIELD, ""))
