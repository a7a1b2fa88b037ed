"""What happens in the browser of somebody who has just signed in, or out."""

from flask import g, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_token
from grocery.auth.codes.signing_in import UNNAMED
from grocery.auth.cookies import clear_session_cookies, set_session_cookies
from grocery.auth.people import Person
from grocery.auth.service import get_person, update_profile
from grocery.auth.sessions import end_session
from grocery.auth.tokens import TokenPair, verify_token
from grocery.db import transaction
from grocery.orders.cart.access import keep_cart_cookie
from grocery.orders.cart.service import CartOwner
from grocery.storefront.account.steps import RESETTING, SECOND_FACTOR, SIGNING_IN, forget_step
from grocery.storefront.languages import choose_language, set_language
from grocery.storefront.pages import go
from grocery.storefront.returning import return_address

# What this browser keeps of pages and of what they stored: the next one at this device must not find it by "back".
_FORGET = '"cache", "storage"'


def enter_browser(pair: TokenPair) -> AnyResponse:
    """Sign this browser in, and lead to where its owner wanted to go; a newcomer is asked for a name first."""
    person = get_person(verify_token(pair.access_token, "access").customer_id)
    _end_sign_in_of_before()
    address = return_address()
    if person.name == UNNAMED:
        response = go("account.show_naming", return_to=address)
    else:
        response = redirect(address or url_for("account.show"), 303)
    set_session_cookies(response, pair)
    # The basket has joined the customer's own by now.
    keep_cart_cookie(response, CartOwner(person.id))
    forget_step(response, SIGNING_IN, SECOND_FACTOR, RESETTING)
    return set_language(response, _language_of(person))


def leave_browser(response: AnyResponse) -> AnyResponse:
    """Take out what signs this browser in, and what it has kept of pages."""
    response.headers["Clear-Site-Data"] = _FORGET
    return clear_session_cookies(response)


def _end_sign_in_of_before() -> None:
    # Nobody has its cookies any more, so it would only stand in the list of devices.
    if g.get("person"):
        with transaction():
            end_session(current_token())


def _language_of(person: Person) -> str:
    """The person's own; who has said none, and gets messages soon, has the one that these pages spoke."""
    if person.language:
        return person.language
    language = choose_language()
    with transaction():
        update_profile(person.id, {"language": language})
    return language
