"""The board of orders: tabs, search, one next step for each order, and what is done with several at once."""

from contextlib import suppress

from flask import Response, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, staff_required
from grocery.db import name_subject, reader, transaction
from grocery.errors import InvalidError, NotFoundError
from grocery.fields import MAX_ID
from grocery.orders.access import current_actor
from grocery.orders.changing import change_status
from grocery.orders.desk.board import TABS, Board, read_board
from grocery.orders.desk.claims import picking_claims
from grocery.orders.reading import get_order
from grocery.storefront.desk.filters import read_search
from grocery.storefront.desk.pages import DeskPages
from grocery.storefront.desk.sent import FormError, read_marked
from grocery.storefront.desk.trying import PROBLEMS, problem_of
from grocery.storefront.pages import go, go_back, render, render_parts, say, wants_parts

blp = DeskPages("desk_orders", __name__, url_prefix="/admin/orders")


# One order of several may be gone, too.
_REFUSALS: tuple[type[Exception], ...] = (*PROBLEMS, NotFoundError)


@blp.get("", strict_slashes=False)
@staff_required
def show_board() -> Response:
    board, q = _asked_board()
    address = url_for(".show_board", tab=board.tab, q=q or None)
    values = {"board": board, "tabs": TABS, "q": q, "address": address}
    if wants_parts():
        return render_parts("desk/board_parts.html", **values)
    return render("desk/board.html", **values)


@blp.post("/take")
@staff_required
def take_orders() -> AnyResponse:
    """Note that I pick the orders that are ticked."""
    try:
        marked = read_marked()
    except FormError as error:
        say(str(error), "bad")
        return go_back(".show_board")
    if picking_claims().claim(marked, current_person().id):
        say(ngettext("You pick %(num)s order.", "You pick %(num)s orders.", len(marked)))
    else:
        say(gettext("This could not be noted just now. You can pick nevertheless."), "note")
    return go_back(".show_board")


@blp.post("/pack")
@staff_required
def pack_orders() -> AnyResponse:
    """Pack the orders that are ticked, each by itself: one that cannot be packed does not hold up the others."""
    try:
        marked = read_marked()
    except FormError as error:
        say(str(error), "bad")
        return go_back(".show_board")
    packed = [order_id for order_id, version in marked.items() if _pack(order_id, version)]
    if packed:
        say(ngettext("%(num)s order is packed.", "%(num)s orders are packed.", len(packed)))
    return go_back(".show_board")


@blp.post("/print")
@staff_required
def choose_prints() -> AnyResponse:
    """Lead to what is to be printed of the orders that are ticked."""
    try:
        marked = read_marked()
    except FormError as error:
        say(str(error), "bad")
        return go_back(".show_board")
    what = "slips" if request.form.get("what") == "slips" else "picks"
    return go(".show_prints", what=what, order=list(marked))


def _asked_board() -> tuple[Board, str]:
    tab = request.args.get("tab", TABS[0])
    q = read_search()
    asked = request.args.get("since", "")
    since = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else MAX_ID
    claims = picking_claims().read()
    tab = tab if tab in TABS else TABS[0]
    with reader() as connection:
        try:
            board = read_board(connection, tab, claims, q=q, since=since, cursor=request.args.get("cursor"))
        except InvalidError:  # a cursor of another list
            board = read_board(connection, tab, claims, q=q, since=since)
    return board, q


def _pack(order_id: int, version: int) -> bool:
    try:
        with transaction() as session:
            name_subject("order", order_id)
            change_status(session, order_id, "packed", current_actor(), version=version)
    except _REFUSALS as error:
        say(gettext("%(number)s is not packed: %(why)s", number=_number_of(order_id), why=problem_of(error)), "bad")
        return False
    return True


def _number_of(order_id: int) -> str:
    """The number of an order, its id when it is gone."""
    with suppress(NotFoundError), reader() as connection:
        return str(get_order(connection, order_id, current_actor())["number"])
    return str(order_id)
