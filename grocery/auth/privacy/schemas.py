"""The copy of one's data as JSON."""

from marshmallow import fields

from grocery.fields import Schema


def _rows(description: str) -> fields.List:
    return fields.List(fields.Dict(), required=True, metadata={"description": description})


class ExportSchema(Schema):
    """Everything that the shop knows of a person. Times are in UTC."""

    account = fields.Dict(required=True, metadata={"description": "Name, addresses, choices."})
    sessions = _rows("Where one is signed in.")
    known_devices = _rows("Devices that have signed in before.")
    codes = _rows("Codes that were sent, without the codes.")
    second_factor = _rows("Whether signing in needs a second factor; empty if not.")
    audit_log = _rows("What was done by this account, and to it.")
    notifications = _rows("Messages to this account; those with codes without their text.")
    sms_to_the_shop = _rows("SMS that were received from its verified phone.")
    suppressions = _rows("Verified addresses of it that get no messages, and why.")
    stock_alerts = _rows("Products of which it wants to hear when they are back.")
    product_requests = _rows("What it has asked the shop to stock.")
    orders = _rows("Orders with their lines, history, payments and returns, as `GET /orders/{order_id}` answers them.")
    addresses = _rows("Saved addresses.")
    cart = _rows("What is in the cart, with the prices that were seen.")
    checkout_draft = _rows("What was filled in at the checkout and not ordered yet; empty if nothing was.")
    shopping_lists = _rows("Shopping lists and what is on them.")
    personal_coupons = _rows("Coupons for this account alone.")
    idempotency_keys = _rows("`Idempotency-Key`s of the last two days.")
