"""What the answers to SMS could have to say: contexts of every reply, the usual one and its variants. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Context = dict[str, Any]

_NUMBER = "G-7K3M9Q"
_SUBSTITUTES = [{"place": 1, "name": "KCC Milk 500 ml"}, {"place": 2, "name": "Soko Maize Meal 2 kg"}]

# About SMS themselves, or about orders of which there is none.
_BARE = (
    "reply_stopped",
    "reply_started",
    "reply_offers_stopped",
    "reply_offers_started",
    "reply_no_account",
    "reply_help",
    "reply_not_understood",
    "reply_no_orders",
    "reply_nothing_to_cancel",
)
# About one order in one of these statuses.
_STATUSES: Mapping[str, tuple[str, ...]] = {
    "reply_status": ("pending", "confirmed", "packed", "shipped", "delivered", "cancelled"),
    "reply_which_order": ("pending",),
    "reply_cancelled": ("cancelled",),
    "reply_not_cancelled": ("packed", "shipped", "delivered", "cancelled"),
    "reply_no_substitute": ("confirmed",),
    "reply_which_substitute": ("confirmed",),
    "reply_too_late": ("shipped", "delivered"),
    "reply_refused": ("confirmed",),
}


def make_reply_samples(event: str, *, total: str, track_url: str | None) -> Mapping[str, Context]:
    """Contexts by the name of the variant, the usual one first; raises KeyError for an unknown event."""
    if event == "reply_order_unknown":
        return _with_and_without_phone({"usual": {"number": _NUMBER}, "no_number": {"number": None}})
    if event in _BARE:
        return _with_and_without_phone({"usual": {"order": None}})
    more: Context = {"track_url": track_url, "substitutes": _SUBSTITUTES, "name": "KCC Milk 500 ml"}
    usual, *others = [{**more, "order": _order(status, total)} for status in _STATUSES[event]]
    slot = {"starts": datetime(2026, 11, 28, 10, tzinfo=UTC), "ends": datetime(2026, 11, 28, 12, tzinfo=UTC)}
    variants = {
        "usual": usual,
        **{context["order"]["status"]: context for context in others},
        "pickup": {**usual, "order": {**usual["order"], "is_pickup": True}},
        "slot": {**usual, "track_url": None, "order": {**usual["order"], "slot": slot}},
    }
    return _with_and_without_phone(variants)


def _with_and_without_phone(variants: Mapping[str, Context]) -> Mapping[str, Context]:
    first = next(iter(variants.values()))
    with_phone = {name: {"shop_phone": "+254 20 1234567", **context} for name, context in variants.items()}
    return {**with_phone, "no_phone": {**first, "shop_phone": None}}


def _order(status: str, total: str) -> Context:
    return {"number": _NUMBER, "status": status, "total": total, "is_pickup": False, "slot": None}
