"""What has become of an order, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext, ngettext

from grocery.orders.states import CANCELLED, DELIVERED
from grocery.storefront.looks import money, quantity

_NAMED = 3
_LONGEST = 60


def state_words(status: str, method: str) -> str:
    """The state of an order in a word or two; who collects it themselves has other words for the last two."""
    if method == "pickup" and status in ("shipped", DELIVERED):
        return gettext("Ready to collect") if status == "shipped" else gettext("Collected")
    return {
        "pending": gettext("Received"),
        "confirmed": gettext("Confirmed"),
        "packed": gettext("Packed"),
        "shipped": gettext("On its way"),
        DELIVERED: gettext("Delivered"),
        CANCELLED: gettext("Cancelled"),
    }[status]


def next_words(status: str, method: str) -> str:
    """What happens next."""
    if status == "shipped" and method == "pickup":
        return gettext("Your order waits for you. Please come and collect it.")
    return {
        "pending": gettext("We have your order and confirm it soon."),
        "confirmed": gettext("We are putting your order together."),
        "packed": gettext("Your order is packed and leaves soon.")
        if method == "delivery"
        else gettext("Your order is packed. We tell you when you can collect it."),
        "shipped": gettext("The rider is on the way to you. Please keep your phone at hand."),
        DELIVERED: gettext("Thank you for shopping with us."),
        CANCELLED: gettext("This order is cancelled. Nothing will be delivered."),
    }[status]


def entry_words(entry: Mapping[str, Any], method: str) -> str:
    """A row of an order's history."""
    if entry["event"] == "placed":
        return gettext("You placed the order")
    if entry["event"] == "returned":
        return gettext("Something was taken back")
    if entry["event"] == "checked_in":
        return gettext("The goods are back in the shop")
    if entry["event"] == "lines":
        total = (entry["changed"] or {}).get("total")
        return gettext("Changed; the total is now %(total)s", total=money(total["to"])) if total else gettext("Changed")
    return state_words(entry["status"], method)


def names_in_words(names: Sequence[str]) -> str:
    """A few of them: the first three, and how many more there are."""
    named = ", ".join(_shortened(name) for name in names[:_NAMED])
    more = len(names) - _NAMED
    return gettext("%(names)s and %(count)s more", names=named, count=more) if more > 0 else named


def difference_words(differences: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """What is not as it was, when an order or a list was put into the basket: a sentence for each kind."""
    sentences = []
    if missing := differences["missing"]:
        sentences.append(_missing_words(len(missing), _names_of(missing)))
    if reduced := differences["reduced"]:
        sentences.append(_reduced_words(len(reduced), _names_of(reduced)))
    if repriced := differences.get("repriced"):
        sentences.append(_repriced_words(len(repriced), names_in_words([_price_words(one) for one in repriced])))
    return sentences


def picked_words(line: Mapping[str, Any]) -> str:
    """What was picked of a line, where it is not what was ordered; "" where it is, and before it was picked."""
    picked, ordered, unit = line["picked_quantity"], line["quantity"], line["unit"]
    if picked is None or picked == ordered:
        return ""
    if not picked:
        return gettext("Left out, as you wished") if line["short_reason"] == "unwanted" else gettext("Not available")
    amounts = {"picked": quantity(picked, unit), "ordered": quantity(ordered, unit)}
    if unit == "kg":
        return gettext("%(picked)s weighed, %(ordered)s ordered", **amounts)
    return gettext("%(picked)s of %(ordered)s available", **amounts)


def _missing_words(count: int, names: str) -> str:
    return ngettext(
        "%(num)s item is not available: %(names)s.", "%(num)s items are not available: %(names)s.", count, names=names
    )


def _reduced_words(count: int, names: str) -> str:
    return ngettext(
        "Of %(num)s item there is less: %(names)s.", "Of %(num)s items there is less: %(names)s.", count, names=names
    )


def _repriced_words(count: int, prices: str) -> str:
    return ngettext(
        "%(num)s price has changed: %(prices)s.", "%(num)s prices have changed: %(prices)s.", count, prices=prices
    )


def _names_of(entries: Sequence[Mapping[str, Any]]) -> str:
    return names_in_words([entry["name"] for entry in entries])


def _price_words(entry: Mapping[str, Any]) -> str:
    prices = entry["unit_price"]
    return f"{_shortened(entry['name'], _LONGEST // 2)} {money(prices['from'])} → {money(prices['to'])}"


def _shortened(name: str, longest: int = _LONGEST) -> str:
    # What is said after a redirect travels in a cookie, which has little room.
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
