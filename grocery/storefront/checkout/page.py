"""The checkout's page: what it shows of form, choices, basket and price, and of what went wrong."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from grocery.auth.people import Person
from grocery.db import reader
from grocery.orders.cart.drafts import read_draft
from grocery.orders.cart.service import CartOwner
from grocery.orders.delivery.addresses import list_addresses
from grocery.orders.payments.methods import METHODS
from grocery.storefront.basket.current import current_basket
from grocery.storefront.basket.rows import Row, read_rows
from grocery.storefront.basket.wishes import LABELS
from grocery.storefront.checkout.fields import NEW, Values, shown_values, usual_values
from grocery.storefront.checkout.options import Options, read_options
from grocery.storefront.checkout.order import amounts_to_show
from grocery.storefront.checkout.prices import read_prices
from grocery.storefront.checkout.problems import OF_THE_BASKET, Problems, problems_of
from grocery.storefront.looks import day, money, window

#: Ways to pay that the shop has; one that has no words of its own is shown by its name.
PAYMENT_LABELS = {name: _l("Cash when you receive it") if name == "cash_on_delivery" else name for name in METHODS}


@dataclass(frozen=True)
class Change:
    """An amount that is another one than the shopper has seen."""

    label: str
    before: str
    now: str


@dataclass(frozen=True)
class CheckoutPage:
    """What the templates show. `rows` are the items that have something to say; `errors` are messages by field."""

    values: Values
    options: Options
    quote: dict[str, Any]
    rows: list[Row]
    errors: Problems
    changes: list[Change]
    person: Person | None

    @property
    def shown(self) -> str:
        return amounts_to_show(self.quote)

    @property
    def is_new_place(self) -> bool:
        return self.options.address is None

    @property
    def phone(self) -> str | None:
        """Whom the rider calls when the form names nobody else."""
        address = self.options.address if self.options.is_delivery else None
        return (address and address["phone"]) or (self.person and self.person.phone) or None

    @property
    def is_delivery_priced(self) -> bool:
        return bool(self.quote["delivery"]["method"] == "delivery")

    @property
    def missing(self) -> str | None:
        """What is missing to the least that is delivered there."""
        return next((one["missing"] for one in self.quote["notices"] if one["code"] == "below_minimum_basket"), None)

    @property
    def wish(self) -> str:
        """What to do with what is not there; "" when there are exceptions."""
        return common_wish(self.quote["items"])

    def as_context(self) -> dict[str, Any]:
        """For the templates."""
        return {
            "checkout": self,
            "errors": self.errors,
            "values": self.values,
            "options": self.options,
            "quote": self.quote,
            "wishes": LABELS,
            "payment_labels": PAYMENT_LABELS,
            "new_place": NEW,
        }


def read_page(
    owner: CartOwner,
    person: Person | None,
    sent: Values | None = None,
    *,
    error: Exception | None = None,
    seen: tuple[str, ...] | None = None,
) -> CheckoutPage | None:
    """The page as it is now, after what was `sent` and the error that it has met; None for an empty basket.

    `seen` are the amounts that the shopper knows, to say what has changed.
    """
    basket = current_basket()
    if not basket or not basket["items"]:
        return None
    with reader() as connection:
        kept = read_draft(connection, owner)
        addresses = list_addresses(connection, person.id) if person else []
        values = shown_values(usual_values(connection, person, addresses), kept, sent or {}, person)
        options = read_options(connection, addresses, values, basket["subtotal"])
        quote, problems = read_prices(connection, owner, values, options)
    rows = [row for row in read_rows(quote) if row.notices]
    if error is not None:
        problems = {**_explain(error, rows), **problems}
    if options.is_slot_lost and (sent is None or "slot_id" not in problems):
        problems = {"slot_id": gettext("The time you chose is full."), **problems}
    if "slot_id" in problems:
        problems["slot_id"] = _with_offer(problems["slot_id"], options)
    changes = _changes(seen, quote) if error is not None and seen else []
    return CheckoutPage(values, options, quote, rows, problems, changes, person)


def common_wish(items: list[dict[str, Any]]) -> str:
    """The one wish of all items; "" when they differ."""
    wishes = {item["if_unavailable"] for item in items}
    return str(wishes.pop()) if len(wishes) == 1 else ""


def _explain(error: Exception, rows: list[Row]) -> Problems:
    blocked = {f"row-{row.product['id']}": _blocking(row) for row in rows if row.is_blocked}
    return blocked if blocked and isinstance(error, OF_THE_BASKET) else problems_of(error)


def _blocking(row: Row) -> str:
    texts = [notice.text for notice in row.notices if notice.is_blocking]
    return f"{row.product['name']}: {', '.join(texts)}"


def _with_offer(problem: str, options: Options) -> str:
    if options.slot is None:
        return f"{problem} {gettext('There is no other time now. You can pick it up, or try again later.')}"
    time = f"{day(options.slot['starts_at'])} {window(options.slot['starts_at'], options.slot['ends_at'])}"
    return f"{problem} {gettext('The nearest one is chosen: %(time)s. Check it, or take another one.', time=time)}"


def _changes(seen: tuple[str, ...], quote: dict[str, Any]) -> list[Change]:
    now = amounts_to_show(quote).split()
    labels = (gettext("Goods"), gettext("Discounts"), gettext("Delivery"), gettext("Total"))
    return [
        Change(label, money(before), money(after))
        for label, before, after in zip(labels, seen, now, strict=True)
        if Decimal(before) != Decimal(after)
    ]
