"""What can be wrong with a payment."""

from grocery import money
from grocery.errors import ConflictError, InvalidError


class TooManyOpenOrdersError(ConflictError):
    """Goods on their way that nobody has paid for are the shop's risk, so their number is limited per customer."""

    code = "too_many_open_orders"

    def __init__(self, open_orders: int, limit: int):
        super().__init__(
            f"{open_orders} orders are open and not paid yet; {limit} can be. Pay for one or cancel one first.",
            open_orders=open_orders,
            limit=limit,
        )


class PaymentExceedsTotalError(ConflictError):
    """More than the order still costs; `due` is what it does."""

    code = "payment_exceeds_total"

    def __init__(self, amount_cents: int, due_cents: int, currency: str):
        amount, due = money.to_text(amount_cents), money.to_text(max(due_cents, 0))
        super().__init__(f"{currency} {amount} is more than the {due} still due.", due=due, currency=currency)


class RefundExceedsPaidError(ConflictError):
    """More than was paid; `paid` is what was."""

    code = "refund_exceeds_paid"

    def __init__(self, amount_cents: int, paid_cents: int, currency: str):
        amount, paid = money.to_text(amount_cents), money.to_text(paid_cents)
        super().__init__(f"{currency} {amount} is more than the {paid} paid.", paid=paid, currency=currency)


class OrderCancelledError(ConflictError):
    code = "order_cancelled"

    def __init__(self, number: str):
        super().__init__(f"Order {number} is cancelled. Nothing is to be paid for it.")


class UnknownMethodError(InvalidError):
    code = "unknown_payment_method"

    def __init__(self, name: str, known: tuple[str, ...]):
        message = f"Must be one of: {', '.join(known)}."
        super().__init__(f"There is no payment method {name}.", errors={"payment_method": [message]})


class NotACollectorError(InvalidError):
    """The shop's money is in the hands of its own people only. `field` is where the sender named who has it."""

    def __init__(self, collector_id: int, field: str):
        message = f"There is no member of staff {collector_id}."
        super().__init__("One or more fields are not valid.", errors={field: [message]})
