"""Words of the desk: states, what can be done next, how late something is, what has happened to an order."""

from typing import Any

from flask_babel import gettext, ngettext

from grocery.storefront.looks import phone, quantity


def status_words(status: str) -> str:
    """A state, as staff say it."""
    return {
        "pending": gettext("New"),
        "confirmed": gettext("Confirmed"),
        "packed": gettext("Packed"),
        "shipped": gettext("On the way"),
        "delivered": gettext("Delivered"),
        "cancelled": gettext("Cancelled"),
    }.get(status, status)


def tab_words(tab: str) -> str:
    return {
        "new": gettext("New"),
        "picking": gettext("Being picked"),
        "packed": gettext("Packed"),
        "shipped": gettext("On the way"),
        "problem": gettext("Problems"),
        "all": gettext("All"),
    }[tab]


def move_words(status: str, method: str) -> str:
    """The button that moves an order to a status."""
    return {
        "confirmed": gettext("Confirm"),
        "packed": gettext("Packed"),
        "shipped": gettext("Rider has it") if method == "delivery" else gettext("Ready to collect"),
        "delivered": gettext("Delivered") if method == "delivery" else gettext("Collected"),
        "cancelled": gettext("Cancel order"),
    }[status]


def late_words(minutes: int) -> str:
    """How long a slot is over."""
    if minutes < 60:
        return ngettext("Late by %(num)s minute", "Late by %(num)s minutes", minutes)
    if minutes < 48 * 60:
        return ngettext("Late by %(num)s hour", "Late by %(num)s hours", minutes // 60)
    return ngettext("Late by %(num)s day", "Late by %(num)s days", minutes // (24 * 60))


def wish_words(wish: str) -> str:
    """What the customer wants where something is not on the shelf."""
    return {
        "substitute": gettext("If missing: replace it"),
        "call": gettext("If missing: call first"),
        "remove": gettext("If missing: leave it out"),
    }[wish]


def reason_words(reason: str) -> str:
    """Why less was picked than ordered."""
    return {
        "not_found": gettext("Not on the shelf"),
        "damaged": gettext("Damaged"),
        "unwanted": gettext("Customer does not want it"),
    }.get(reason, reason)


def approval_words(reason: str) -> str:
    """Why the customer has to be asked first."""
    kind, _, what = reason.partition(":")
    return {
        "over_ceiling": gettext("It weighs over a tenth more than ordered, and will cost more."),
        "wish_is_call": gettext("The customer wants a call before anything is replaced."),
        "wish_is_remove": gettext("The customer wants it left out, not replaced."),
        "allergen": gettext("It contains %(allergen)s, which the ordered product does not.", allergen=what),
        "age_restricted": gettext("It is for adults only, the ordered product is not."),
    }.get(kind, reason)


def cold_words(cold: int) -> str:
    return ("", gettext("Chilled"), gettext("Frozen"))[cold]


def event_words(entry: dict[str, Any]) -> str:
    """What a line of an order's history says."""
    if entry["event"] == "status":
        return status_words(entry["status"])
    return {
        "placed": gettext("Placed"),
        "lines": gettext("Changed"),
        "checked_in": gettext("Goods came back"),
        "returned": gettext("Goods were returned"),
    }.get(entry["event"], entry["event"])


def changed_words(changed: dict[str, Any] | None) -> list[str]:
    """What was changed, one after the other."""
    return [_entry_words(kind, entry) for kind, entries in (changed or {}).items() for entry in _entries(entries)]


def _entries(entries: Any) -> list[dict[str, Any]]:
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _entry_words(kind: str, entry: dict[str, Any]) -> str:
    name = entry.get("name", "")
    number = entry.get("quantity", entry.get("picked", ""))
    if kind == "quantities":
        return gettext("%(name)s: %(old)s → %(new)s", name=name, old=number["from"], new=number["to"])
    if kind == "picked":
        return gettext("%(name)s: %(picked)s of %(ordered)s picked", name=name, picked=number, ordered=entry["ordered"])
    if kind == "substituted":
        return gettext("%(name)s replaced by %(quantity)s × %(by)s", name=name, quantity=number, by=entry["by"])
    words = {
        "added": gettext("%(name)s added: %(quantity)s", name=name, quantity=number),
        "removed": gettext("%(name)s removed", name=name),
        "refused": gettext("%(name)s refused by the customer", name=name),
        "checked_in": gettext("%(name)s came back: %(quantity)s", name=name, quantity=number),
        "returned": gettext("%(name)s returned: %(quantity)s", name=name, quantity=number),
    }
    return words.get(kind, name)


def bag_words(line: dict[str, Any]) -> str:
    """What of a line is in the bag."""
    if line["picked"] is None:
        return ""
    parts = [quantity(line["picked"], line["unit"])]
    if line["short_reason"]:
        parts.append(reason_words(line["short_reason"]))
    parts += [f"{quantity(one['quantity'], one['unit'])} × {one['name']}" for one in line["substitutes"]]
    return " · ".join(parts)


def recipient_words(channel: str, recipient: str) -> str:
    """Where a message went, as people write it."""
    return phone(recipient) if channel == "sms" else recipient


def for_templates() -> dict[str, Any]:
    """The functions above that templates call."""
    names = (status_words, tab_words, move_words, late_words, wish_words, reason_words, approval_words, cold_words)
    more = (event_words, changed_words, bag_words, recipient_words)
    return {function.__name__: function for function in (*names, *more)}
