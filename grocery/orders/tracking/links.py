"""The public link of an order: a token that nobody can guess, made of its id. No table, so it cannot get lost."""

import base64
import hashlib
import hmac
import re

from flask import current_app

from grocery.fields import MAX_ID
from grocery.keys import is_made_by_any, keys_of
from grocery.orders.tracking.errors import LinkNotFoundError

_TOKEN = re.compile(r"([0-9a-z]{1,13})-[0-9A-Za-z]{16}", re.ASCII)
_PURPOSE = b"tracking-link:"
_SIGNATURE_BYTES = 12
# In place of + and /. A token is never decoded, so it does no harm that these stand for other values too; a link that
# ends with a hyphen, on the other hand, is cut short by the phones that make it one.
_LETTERS = b"xX"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def make_token(order_id: int, secret_key: str) -> str:
    """The token of an order: its id in base 36, and 96 bits that only this shop can make of it."""
    digest = hmac.digest(secret_key.encode(), _PURPOSE + str(order_id).encode(), hashlib.sha256)
    signature = base64.b64encode(digest[:_SIGNATURE_BYTES], _LETTERS).decode()
    return f"{_to_base_36(order_id)}-{signature}"


def read_token(token: str, *secret_keys: str) -> int:
    """The id of the order whose token it is, made with one of the keys; raises LinkNotFoundError."""
    match = _TOKEN.fullmatch(token)
    order_id = int(match[1], 36) if match else 0
    if order_id > MAX_ID or not is_made_by_any(token, lambda key: make_token(order_id, key), secret_keys):
        raise LinkNotFoundError
    return order_id


def find_link(order_id: int) -> str | None:
    """The public address at which an order can be followed; None while the shop has no public address."""
    shop_url: str = current_app.config["SHOP_URL"]
    return f"{shop_url}/t/{make_token(order_id, keys_of(current_app.config).signing)}" if shop_url else None


def _to_base_36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
