"""What can be wrong with an order."""

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
    """The customer saw another total than the one the order would have."""

    code = "total_changed"

    def __init__(self, expected: str, total: str, currency: str):
        super().__init__(
            f"The total is {currency} {total}, not {expected}.", expected_total=expected, total=total, currency=currency
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
