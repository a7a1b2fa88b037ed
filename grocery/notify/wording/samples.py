"""What the texts could have to say: contexts of every event, the usual one and its variants. Pure.

For looking at texts before customers do, and for trying the shop's own ones before they are used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grocery import money
from grocery.notify.policy import REPLY_PREFIX
from grocery.notify.wording.reply_samples import make_reply_samples

Context = dict[str, Any]

USUAL = "usual"

_NUMBER = "G-7K3M9Q"
_TRACK_PATH = "/t/7ps-Jw3vXq81LxTz0bRk"
_PHONE, _EMAIL = "+254712345678", "amina@example.com"

_STATUS = {
    "order_placed": "pending",
    "order_confirmed": "confirmed",
    "order_packed": "packed",
    "order_shipped": "shipped",
    "order_delivered": "delivered",
    "order_cancelled": "cancelled",
    "order_changed": "confirmed",
    "order_updated": "confirmed",
    "order_stuck": "pending",
}

_MILK, _KALE = "Brookside Milk 500 ml", "Sukuma Wiki (Kale)"

_SHORT = {"say": "short", "amount": {"quantity": "1.2", "unit": "kg"}, "name": _KALE}
_PICKING = [
    _SHORT,
    {"say": "missing", "name": _MILK},
    {"say": "replaced", "amount": {"quantity": "2", "unit": "each"}, "name": "KCC Milk 500 ml", "instead_of": _MILK},
]
_CHANGES = [
    {"say": "added", "amount": {"quantity": "3", "unit": "each"}, "name": "Mango"},
    {"say": "resized", "amount": {"quantity": "2", "unit": "each"}, "before": "4", "name": _MILK},
    {"say": "removed", "name": _KALE},
    {"say": "withdrawn", "name": _MILK},
    {"say": "refused", "name": "KCC Milk 500 ml"},
    {"say": "undelivered"},
    {"say": "uncollected"},
    {"say": "erased"},
]


@dataclass(frozen=True)
class Shop:
    """What is the same in all texts of a shop; `url` is None while it has no public address."""

    name: str
    url: str | None
    currency: str

    def amount(self, cents: int) -> str:
        return money.to_display(cents, self.currency)


def make_samples(event: str, shop: Shop) -> Mapping[str, Context]:
    """Contexts of an event by the name of the variant, the usual one first; raises KeyError for an unknown event."""
    if event in _STATUS:
        return _order_samples(event, shop)
    base = {"shop": shop.name, "url": shop.url}
    return {variant: {**base, **context} for variant, context in _other_samples(event, shop).items()}


def _other_samples(event: str, shop: Shop) -> Mapping[str, Context]:
    if event.startswith(REPLY_PREFIX):
        return make_reply_samples(event, total=shop.amount(1_250_00), track_url=_track_url(shop))
    return _OTHERS[event](shop)


def _order_samples(event: str, shop: Shop) -> Mapping[str, Context]:
    usual = _order_context(event, shop)
    order = usual["order"]
    discounts = [{"name": "KARIBU", "amount": shop.amount(-105_00)}]
    nobody = {"name": "", "phone": None, "email": None}
    return {
        USUAL: usual,
        "pickup": {**usual, "order": {**order, "is_pickup": True, "delivery": "", "delivery_fee": shop.amount(0)}},
        "slot": {**usual, "order": {**order, "slot": _slot(), "discounts": discounts}},
        "note": {**usual, "note": "Our van is 20 minutes late"},
        "change": {**usual, "change": _CHANGES},
        "picking": {**usual, "change": _PICKING, "picking": _PICKING},
        "bare": {
            **usual,
            "url": None,
            "track_url": None,
            "customer": nobody,
            "change": [],
            "order": {**order, "note": None, "lines": []},
        },
        "erased": {**usual, "customer": {**nobody, "name": None}, "order": {**order, "delivery": ""}},
    }


def _order_context(event: str, shop: Shop) -> Context:
    return {
        "shop": shop.name,
        "url": shop.url,
        "track_url": _track_url(shop),
        "customer": {"name": "Amina Odhiambo", "phone": _PHONE, "email": _EMAIL},
        "change": [_SHORT] if event in ("order_changed", "order_updated") else [],
        "note": None,
        "picking": [],
        "order": {
            "number": _NUMBER,
            "status": _STATUS[event],
            "subtotal": shop.amount(1_050_00),
            "discounts": [],
            "delivery_fee": shop.amount(200_00),
            "vat": shop.amount(70_50),
            "total": shop.amount(1_250_00),
            "is_pickup": False,
            "delivery": "Moi Avenue 5, near Shell, blue gate",
            "slot": None,
            "payment": "cash_on_delivery",
            "note": "Ring twice",
            "lines": [
                _line(_KALE, "1.5", "kg", shop.amount(60_00), shop.amount(90_00)),
                _line(_MILK, "2", "each", shop.amount(480_00), shop.amount(960_00)),
            ],
        },
    }


def _track_url(shop: Shop) -> str | None:
    return f"{shop.url}{_TRACK_PATH}" if shop.url else None


def _line(name: str, quantity: str, unit: str, unit_price: str, line_total: str) -> Context:
    amount = {"quantity": quantity, "unit": unit}
    return {"name": name, "quantity": amount, "unit_price": unit_price, "line_total": line_total}


def _slot() -> Context:
    starts = datetime(2026, 11, 28, 10, tzinfo=UTC)
    return {"starts": starts, "ends": starts.replace(hour=12)}


def _back_in_stock(shop: Shop) -> Mapping[str, Context]:
    usual = {"customer": {"name": "Amina Odhiambo"}, "product": {"name": _KALE, "price": shop.amount(60_00)}}
    return {USUAL: usual, "bare": {**usual, "url": None, "customer": {"name": ""}}}


def _stock_low(_shop: Shop) -> Mapping[str, Context]:
    milk = {"name": _MILK, "sku": "MILK-500", "left": {"quantity": "3", "unit": "each"}}
    kale = {"name": _KALE, "sku": "", "left": {"quantity": "1.5", "unit": "kg"}}
    return {
        USUAL: {"products": [milk, kale], "others": 2, "in_all": 7},
        "bare": {"products": [kale], "others": 0, "in_all": 1, "url": None},
    }


def _notification_unknown(_shop: Shop) -> Mapping[str, Context]:
    sms = {"id": 71, "channel": "sms", "event": "order_placed", "recipient": _PHONE, "attempts": 3}
    email = {**sms, "channel": "email", "recipient": _EMAIL, "event": "campaign"}
    return {
        USUAL: {"notification": {**sms, "error": "The provider did not answer", "order_id": 12}},
        "bare": {"notification": {**email, "error": None, "order_id": None}, "url": None},
    }


def _campaign(shop: Shop) -> Mapping[str, Context]:
    offer = f"This week: mangoes, three for {shop.amount(100_00)}, until Sunday."
    usual = {"subject": "Mangoes, three for two", "text": offer, "paragraphs": [offer, "See you at the shop!"]}
    return {USUAL: usual, "bare": {**usual, "paragraphs": [offer], "url": None}}


def _sms_budget(shop: Shop) -> Mapping[str, Context]:
    warning = {"budget": shop.amount(2_000_00), "spent": shop.amount(1_612_00), "percent": 80, "is_used_up": False}
    return {
        USUAL: warning,
        "used_up": {**warning, "spent": shop.amount(2_000_80), "percent": 100, "is_used_up": True},
        "bare": {**warning, "url": None},
    }


def _sign_in_code(_shop: Shop) -> Mapping[str, Context]:
    usual = {"code": "493027", "minutes": 10, "domain": None}
    return {USUAL: usual, "domain": {**usual, "domain": "grocery.example"}}


def _verify_phone(_shop: Shop) -> Mapping[str, Context]:
    return {USUAL: {"code": "493027", "minutes": 10}}


def _reset_password(_shop: Shop) -> Mapping[str, Context]:
    usual = {"code": "493027", "minutes": 30}
    return {USUAL: usual, "bare": {**usual, "url": None}}


def _invitation(_shop: Shop) -> Mapping[str, Context]:
    usual = {"code": "493027", "days": 3, "customer": {"name": "Amina Odhiambo"}}
    return {USUAL: usual, "bare": {**usual, "url": None}}


def _account_made(_shop: Shop) -> Mapping[str, Context]:
    return {USUAL: {}, "bare": {"url": None}}


def _verify_email(_shop: Shop) -> Mapping[str, Context]:
    usual = {"code": "493027", "hours": 24}
    return {USUAL: usual, "bare": {**usual, "url": None}}


def _account_changed(_shop: Shop) -> Mapping[str, Context]:
    usual = {"what": "phone", "customer": {"name": "Amina Odhiambo"}}
    others = {
        what: {**usual, "what": what}
        for what in ("phone_taken", "email", "totp_on", "totp_off", "password", "reclaimed")
    }
    return {USUAL: usual, **others, "bare": {**usual, "customer": {"name": ""}, "url": None}}


def _codes_used_up(_shop: Shop) -> Mapping[str, Context]:
    usual = {"limit": 2000, "is_abroad": False}
    return {USUAL: usual, "abroad": {"limit": 200, "is_abroad": True}, "bare": {**usual, "url": None}}


_OTHERS: Mapping[str, Callable[[Shop], Mapping[str, Context]]] = {
    "back_in_stock": _back_in_stock,
    "stock_low": _stock_low,
    "notification_unknown": _notification_unknown,
    "campaign": _campaign,
    "sms_budget": _sms_budget,
    "sign_in_code": _sign_in_code,
    "verify_phone": _verify_phone,
    "verify_email": _verify_email,
    "reset_password": _reset_password,
    "invitation": _invitation,
    "account_made": _account_made,
    "account_changed": _account_changed,
    "codes_used_up": _codes_used_up,
}
