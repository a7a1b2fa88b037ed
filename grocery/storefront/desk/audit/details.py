"""What an entry of the log has besides, in words: what else it was about, what was chosen, which fields were sent."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from grocery.storefront.desk.audit.words import ROLES, SUBJECTS
from grocery.storefront.desk.notifications.words import AUDIENCES, CHANNELS
from grocery.storefront.desk.notifications.words import event_words as message_words
from grocery.storefront.desk.words import status_words
from grocery.storefront.languages import NAMES

_THINGS = {
    **SUBJECTS,
    "user": _l("Person"),
    "line": _l("Line"),
    "lot": _l("Lot"),
    "change": _l("Planned price"),
    "return": _l("Return"),
    "address": _l("Address"),
    "list": _l("Shopping list"),
}

_FIELDS = {
    "address": _l("address"),
    "amount": _l("amount"),
    "barcode": _l("barcode"),
    "capacity": _l("places"),
    "category_id": _l("category"),
    "channel": _l("channel"),
    "collected": _l("money taken"),
    "description": _l("description"),
    "email": _l("e-mail"),
    "is_active": _l("active"),
    "name": _l("name"),
    "note": _l("note"),
    "password": _l("password"),
    "phone": _l("phone"),
    "picked_quantity": _l("picked quantity"),
    "price": _l("price"),
    "product_id": _l("product"),
    "quantity": _l("quantity"),
    "reason": _l("reason"),
    "received_by": _l("received by"),
    "role": _l("role"),
    "source": _l("text"),
    "status": _l("state"),
    "stock": _l("stock"),
}

# What forms send besides: which version somebody saw, which button they pressed.
_OF_FORMS = frozenset(("version", "seen", "seen_at", "since", "was", "sure", "kind", "scale", "paid"))

_VALUES: dict[str, Callable[[str], object]] = {
    "role": ROLES.get,
    "status": status_words,
    "channel": CHANNELS.get,
    "audience": AUDIENCES.get,
    "language": NAMES.get,
    "event": message_words,
}


def detail_words(details: Mapping[str, Any] | None) -> list[str]:
    """One after the other, without the names of the fields."""
    return [_words(name, value) for name, value in (details or {}).items() if name != "fields"]


def field_words(details: Mapping[str, Any] | None) -> list[str]:
    """The fields that were sent and are not among the details, by the program's own name where there is no other."""
    known = details or {}
    names = [name for name in known.get("fields", ()) if name not in known and name not in _OF_FORMS]
    return [str(_FIELDS.get(name) or name.replace("_", " ")) for name in names]


def _words(name: str, value: Any) -> str:
    if name.endswith("_id"):
        kind = name.removesuffix("_id")
        return f"{_THINGS.get(kind) or kind.replace('_', ' ')} {value}"
    if name == "is_active":
        return gettext("active") if value else gettext("not active")
    words = _VALUES.get(name)
    if words is None:
        return f"{name.replace('_', ' ')}: {value}"
    return str(words(value) or value)
