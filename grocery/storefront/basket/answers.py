"""What is shown after the basket was changed, or was not: a page, or the parts of one for its script."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as AnyResponse

from grocery.fields import MAX_ID, quantity_number
from grocery.storefront.basket.current import basket_item, current_basket
from grocery.storefront.basket.quantities import QuantityError, read_quantity
from grocery.storefront.basket.rows import find_product, make_row, read_rows
from grocery.storefront.basket.wishes import LABELS, SHORT_LABELS, known_wish, usual_wish
from grocery.storefront.looks import quantity as written_quantity
from grocery.storefront.pages import go, go_back, render, render_parts, say, wants_parts
from grocery.storefront.returning import return_address


@dataclass(frozen=True)
class Change:
    """What was done: `before` is the item that was in the basket, `quantity` what is in now, 0 for nothing."""

    product: dict[str, Any]
    before: dict[str, Any] | None
    quantity: Decimal

    @property
    def removed(self) -> dict[str, Any] | None:
        """What Undo puts back."""
        if self.quantity or not self.before:
            return None
        return _removed(self.product, self.before["quantity"], self.before["if_unavailable"])

    @property
    def message(self) -> str:
        name = self.product["name"]
        if not self.quantity:
            return gettext("Removed: %(name)s", name=name)
        amount = written_quantity(self.quantity, self.product["unit"])
        if self.before:
            return gettext("%(name)s: %(quantity)s in the basket", name=name, quantity=amount)
        return gettext("Added: %(name)s, %(quantity)s in the basket", name=name, quantity=amount)


@dataclass(frozen=True)
class Problem:
    """Why a product was not put in, and what was written."""

    product_id: int
    text: str
    written: str


def basket_page(problem: Problem | None = None) -> Response:
    return render(
        "basket/basket.html",
        rows=read_rows(current_basket()),
        problem=problem,
        errors={f"quantity-{problem.product_id}": problem.text} if problem else {},
        removed=_removed_of_address(),
        **_wishes(),
    )


def answer_change(change: Change) -> AnyResponse:
    product_id = change.product["id"]
    if wants_parts():
        return _item_parts(change.product, removed=change.removed, spoken=change.message)
    if not _is_on_basket_page():
        say(change.message)
        return _go_back_to(product_id)
    if not change.removed:
        return go("basket.show")
    # In the address: Undo is there for as long as the page is, and needs no script.
    taken = change.removed
    return go("basket.show", removed=product_id, quantity=taken["quantity"], if_unavailable=taken["if_unavailable"])


def answer_problem(product: dict[str, Any], text: str, written: str) -> AnyResponse:
    """Nothing was changed: what was written stays, with the reason beside it."""
    problem = Problem(product["id"], text, written)
    if wants_parts():
        response = _item_parts(product, problem=problem)
    elif _is_on_basket_page():
        response = basket_page(problem)
    else:
        say(text, "bad")
        return go_back("basket.show")
    response.status_code = 422
    return response


def wish_parts(wish: str, product_id: int | None, spoken: str) -> Response:
    """The rows whose wish has changed; what was changed in, one product's or that of all, stays open."""
    usual = usual_wish() if product_id else wish
    rows = [row for row in read_rows(current_basket()) if product_id in (None, row.product["id"])]
    return render_parts("basket/wish_parts.html", rows=rows, opened=product_id, spoken=spoken, **_wishes(usual))


def _item_parts(
    product: dict[str, Any],
    *,
    problem: Problem | None = None,
    removed: dict[str, Any] | None = None,
    spoken: str = "",
) -> Response:
    """A product's row or control, and all that adds up."""
    item = basket_item(product["id"])
    return render_parts(
        "basket/parts.html",
        is_on_basket_page=_is_on_basket_page(),
        product=product,
        row=make_row(item, product) if item else None,
        rows=read_rows(current_basket()) if _is_on_basket_page() else [],
        problem=problem,
        removed=removed,
        **_wishes(),
        spoken=spoken,
    )


def _wishes(usual: str | None = None) -> dict[str, Any]:
    return {"wishes": LABELS, "short_wishes": SHORT_LABELS, "usual_wish": usual or usual_wish()}


def _is_on_basket_page() -> bool:
    return request.form.get("where") == "basket"


def _go_back_to(product_id: int) -> AnyResponse:
    """To where the product was tapped, in the middle of a long list."""
    address, _, _ = (return_address() or url_for("basket.show")).partition("#")
    return redirect(f"{address}#product-{product_id}", 303)


def _removed_of_address() -> dict[str, Any] | None:
    """What was taken out just now, as the address says; None for what is in again, or never was for sale."""
    product_id = request.args.get("removed", 0, int)
    product = find_product(product_id) if 0 < product_id <= MAX_ID and not basket_item(product_id) else None
    if product is None or not product["is_active"]:
        return None
    try:
        quantity = read_quantity(request.args.get("quantity", ""), product["unit"])
    except QuantityError:
        return None
    wish = known_wish(request.args.get("if_unavailable")) or usual_wish()
    return _removed(product, quantity_number(quantity), wish) if quantity else None


def _removed(product: dict[str, Any], quantity: float, wish: str) -> dict[str, Any]:
    return {"product": product, "quantity": quantity, "if_unavailable": wish}
