"""What can be wrong with an order."""

from collections.abc import Sequence
from typing import Any

from grocery.errors import ConflictError, InvalidError, NotFoundError


class OrderNotFoundError(NotFoundError):
    """No such order, or one of somebody else: who asks must not learn which."""

    def __init__(self, order_id: int):
        super().__init__(f"There is no order {order_id}.")


class IllegalTransitionError(ConflictError):
    code = "illegal_transition"

    def __init__(self, status: str, to: str, allowed: list[str]):
        choices = ", ".join(allowed) if allowed else "nothing"
        super().__init__(
            f"An order that is {status} cannot become {to}; it can become: {choices}.", current=status, allowed=allowed
        )


class TotalChangedError(ConflictError):
    """The customer saw another total than the one the order would have; `quote` is the new one."""

    code = "total_changed"

    def __init__(self, expected: str, quote: dict[str, Any]):
        super().__init__(
            f"The total is {quote['currency']} {quote['total']}, not {expected}.",
            expected_total=expected,
            total=quote["total"],
            currency=quote["currency"],
            quote=quote,
        )


class RequestInProgressError(ConflictError):
    """The same idempotency key is being worked on at this moment."""

    code = "request_in_progress"

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is still running. Try again in a moment.")


class KeyReusedError(InvalidError):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request.")


class ItemsError(InvalidError):
    """Some items cannot be ordered as asked; `problems` maps an item's index to messages by field."""

    def __init__(self, problems: dict[int, dict[str, list[str]]], code: str | None = None):
        errors: dict[str, Any] = {"items": {str(index): fields for index, fields in sorted(problems.items())}}
        super().__init__("One or more items cannot be ordered as asked.", errors=errors, code=code)


class EmptyCartError(InvalidError):
    code = "empty_cart"

    def __init__(self) -> None:
        message = "The cart is empty, and no items were sent."
        super().__init__(message, errors={"items": [message]})


class DeliveryError(InvalidError):
    """The delivery cannot be as asked; `field` is the one in `delivery` that is wrong or missing."""

    def __init__(self, field: str, message: str):
        super().__init__(message, errors={"delivery": {field: [message]}})


class SlotFullError(ConflictError):
    code = "slot_full"

    def __init__(self) -> None:
        super().__init__("This delivery slot has just been filled. Choose another one.")


class SlotClosedError(ConflictError):
    """Its cut-off has passed, or it was taken away."""

    code = "slot_closed"

    def __init__(self) -> None:
        super().__init__("This delivery slot takes no more orders. Choose another one.")


class BelowMinimumError(ConflictError):
    """The goods are below what the zone asks for."""

    code = "below_minimum_basket"

    def __init__(self, zone: str, min_basket: str, missing: str, currency: str):
        super().__init__(
            f"{zone}: orders from {currency} {min_basket} on; {missing} is missing.",
            min_basket=min_basket,
            missing=missing,
            currency=currency,
        )


class UnknownCouponError(InvalidError):
    """No such coupon, or one of somebody else: who asks must not learn which."""

    code = "unknown_coupon"

    def __init__(self) -> None:
        message = "There is no such coupon."
        super().__init__(message, errors={"coupon": [message]})


class CouponError(ConflictError):
    """The coupon is none for this order; the `code` says why."""


class PromotionGoneError(ConflictError):
    """An offer that the order was priced with has ended in the same moment."""

    code = "promotion_ended"

    def __init__(self) -> None:
        super().__init__("An offer in this order has just ended. Look at the new total, then order again.")


class EditConflictError(ConflictError):
    """Somebody else has changed the order between the request and its turn."""

    code = "order_changed"

    def __init__(self) -> None:
        super().__init__("Somebody else has just changed this order. Read it again, then repeat the change.")


class NotEditableError(ConflictError):
    """The order is packed or finished: its lines are what they are."""

    code = "not_editable"

    def __init__(self, status: str):
        super().__init__(f"The lines of an order that is {status} cannot be changed.", current=status)


class LineNotFoundError(NotFoundError):
    def __init__(self, line_id: int):
        super().__init__(f"There is no line {line_id} in this order.")


class LineExistsError(ConflictError):
    code = "line_exists"

    def __init__(self) -> None:
        super().__init__("The order has a line of this product already. Change its quantity.")


class LastLineError(ConflictError):
    code = "last_line"

    def __init__(self) -> None:
        super().__init__("It is the only line. Cancel the order instead.")


class LinesOpenError(ConflictError):
    """Some lines were not picked yet, and the shop wants every one picked."""

    code = "lines_open"

    def __init__(self, line_ids: Sequence[int]):
        super().__init__("Some lines were not picked yet.", line_ids=list(line_ids))


class NothingPickedError(ConflictError):
    code = "nothing_picked"

    def __init__(self) -> None:
        super().__init__("Nothing of this order was found. Cancel it instead.")
