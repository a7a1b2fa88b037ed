"""Picking with a phone: the queue by slot, and the screen of one order, line by line."""

from decimal import Decimal
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import current_person, staff_required
from grocery.db import reader, transaction
from grocery.errors import NotFoundError
from grocery.orders.access import current_actor
from grocery.orders.desk.board import read_board
from grocery.orders.desk.claims import picking_claims
from grocery.orders.desk.replacing import list_replacements
from grocery.orders.desk.screen import read_screen
from grocery.orders.errors import LineNotFoundError, LinesOpenError
from grocery.orders.fulfilment.errors import NeedsApprovalError
from grocery.orders.fulfilment.phone_picking import pack_picked, pick_as_seen
from grocery.orders.fulfilment.picking import NOT_FOUND, SHORT_REASONS, Pick
from grocery.storefront.desk.filters import read_search
from grocery.storefront.desk.forms import is_ticked
from grocery.storefront.desk.pages import DeskPages, with_camera
from grocery.storefront.desk.sent import FormError, read_id, read_measure, read_version
from grocery.storefront.desk.trying import PROBLEMS, problem_of
from grocery.storefront.pages import go, render, render_parts, say, wants_parts

blp = DeskPages("desk_picking", __name__, url_prefix="/admin/picking")

_LONGEST_MARK = 200


@blp.get("", strict_slashes=False)
@staff_required
def show_queue() -> Response:
    with reader() as connection:
        board = read_board(connection, "open", picking_claims().read())
    return render("desk/queue.html", rows=board.rows)


@blp.post("/<int:order_id>/start")
@staff_required
def start(order_id: int) -> AnyResponse:
    """Take an order on and go to its first line."""
    with reader() as connection:
        read_screen(connection, order_id)
    picking_claims().claim([order_id], current_person().id)
    return go(".show_screen", order_id=order_id)


@blp.get("/<int:order_id>")
@staff_required
def show_screen(order_id: int) -> Response:
    asked = request.args.get("line", "")
    return _screen(order_id, int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None)


@blp.post("/<int:order_id>/lines/<int:line_id>")
@staff_required
def pick(order_id: int, line_id: int) -> AnyResponse:
    """Note what of a line is in the bag. The same once more changes nothing, whoever was there meanwhile is heeded."""
    line = _line(order_id, line_id)
    try:
        sent = _read_pick(line)
        _pick(order_id, line_id, sent)
    except NeedsApprovalError as error:
        return _ask(order_id, line_id, error)
    except PROBLEMS as error:
        say(problem_of(error), "bad")
        return _answer(order_id, line_id)
    return _answer(order_id)


@blp.get("/<int:order_id>/lines/<int:line_id>/replace")
@staff_required
def show_replacements(order_id: int, line_id: int) -> Response:
    return _replacements(order_id, line_id)


@blp.post("/<int:order_id>/lines/<int:line_id>/replace")
@staff_required
def replace(order_id: int, line_id: int) -> AnyResponse:
    """Put another product into the bag for what is missing; it never costs the customer more."""
    line = _line(order_id, line_id)
    try:
        product_id = read_id("product_id")
        unit = "kg" if request.form.get("unit") == "kg" else "each"
        quantity = read_measure(request.form.get("quantity", ""), unit, scale=request.form.get("scale", "kg"))
        reason = line["short_reason"] or (NOT_FOUND if not line["is_done"] else None)
        _pick(order_id, line_id, Pick(quantity, product_id, reason, is_ticked("approved")))
    except NeedsApprovalError as error:
        return _replacements(order_id, line_id, ask=_asked(error), status=409)
    except PROBLEMS as error:
        say(problem_of(error), "bad")
        return go(".show_replacements", order_id=order_id, line_id=line_id)
    return _answer(order_id)


@blp.post("/<int:order_id>/pack")
@staff_required
def pack(order_id: int) -> AnyResponse:
    """Close the bags: only when every line was picked. A second tap finds it packed."""

    def close(session: Session) -> dict[str, Any]:
        return pack_picked(session, order_id, current_actor(), version=read_version())

    try:
        with transaction() as session:
            order = close(session)
    except LinesOpenError as error:
        say(problem_of(error), "bad")
        return go(".show_screen", order_id=order_id, line=error.members["line_ids"][0])
    except PROBLEMS as error:
        with reader() as connection:
            screen = read_screen(connection, order_id)
        if screen["status"] != "packed":
            say(problem_of(error), "bad")
            return go(".show_screen", order_id=order_id)
        say(gettext("%(number)s is packed already.", number=screen["number"]), "note")
    else:
        say(gettext("%(number)s is packed.", number=order["number"]))
    return go(".show_queue")


def _pick(order_id: int, line_id: int, sent: Pick) -> None:
    seen = request.form.get("seen", "")[:_LONGEST_MARK]
    with transaction() as session:
        pick_as_seen(session, order_id, line_id, sent, current_actor(), seen=seen)


def _read_pick(line: dict[str, Any]) -> Pick:
    """What the form says of a line: `reason` only for less than ordered; raises FormError."""
    written = request.form.get("quantity", "")
    quantity = read_measure(written, line["unit"], scale=request.form.get("scale", "kg"))
    reason = request.form.get("reason") or None
    if reason is not None and reason not in SHORT_REASONS:
        raise FormError(gettext("Choose one of the list."))
    if reason and quantity >= Decimal(str(line["quantity"])):
        raise FormError(gettext("That is all that was ordered: tap Found."))
    return Pick(quantity, None, reason, is_ticked("approved"))


def _line(order_id: int, line_id: int) -> dict[str, Any]:
    """A line as the screen has it; raises OrderNotFoundError, LineNotFoundError."""
    with reader() as connection:
        screen = read_screen(connection, order_id)
    return _of_screen(screen, line_id)


def _of_screen(screen: dict[str, Any], line_id: int) -> dict[str, Any]:
    for line in screen["lines"]:
        if line["id"] == line_id:
            found: dict[str, Any] = line
            return found
    raise LineNotFoundError(line_id)


def _answer(order_id: int, line_id: int | None = None) -> AnyResponse:
    """The screen after a pick: its parts for the script, else by a redirect; on this line, else on the next one."""
    if wants_parts():
        return _screen(order_id, line_id)
    return go(".show_screen", order_id=order_id, line=line_id)


def _ask(order_id: int, line_id: int, error: NeedsApprovalError) -> Response:
    return _screen(order_id, line_id, ask=_asked(error), status=409)


def _asked(error: NeedsApprovalError) -> dict[str, Any]:
    """What the customer has to be asked about, and the form that is sent again when the answer is yes."""
    kept = {name: value for name, value in request.form.items() if name not in ("csrf_token", "approved")}
    return {"reasons": error.members["reasons"], "address": request.path, "fields": kept}


def _screen(order_id: int, line_id: int | None, ask: dict[str, Any] | None = None, status: int = 200) -> Response:
    with reader() as connection:
        order = read_screen(connection, order_id)
    by_id = {line["id"]: line for line in order["lines"]}
    current = by_id.get(line_id or 0) or (order["open"][0] if order["open"] else None)
    values = {"order": order, "current": current, "ask": ask, "address": url_for(".show_screen", order_id=order_id)}
    if wants_parts():
        response = render_parts("desk/picking_parts.html", **values)
    else:
        response = with_camera(render("desk/picking.html", **values))
    response.status_code = status
    return response


def _replacements(order_id: int, line_id: int, ask: dict[str, Any] | None = None, status: int = 200) -> Response:
    q = read_search()
    with reader() as connection:
        order = read_screen(connection, order_id)
        line = _of_screen(order, line_id)
        if order["status"] not in ("pending", "confirmed"):
            raise NotFoundError("This order is packed.")
        products = list_replacements(connection, line, q)
    response = with_camera(render("desk/replace.html", order=order, line=line, products=products, q=q, ask=ask))
    response.status_code = status
    return response
