"""What can go wrong with lots and alerts."""

from decimal import Decimal

from grocery.errors import ConflictError
from grocery.fields import quantity_number


class InsufficientLotError(ConflictError):
    """A correction would bring a lot below zero; `available` says what is left of it."""

    code = "insufficient_lot"

    def __init__(self, remaining: Decimal):
        left = quantity_number(remaining)
        super().__init__(f"{left} are left of this lot; it cannot go below 0.", available=left)


class InStockError(ConflictError):
    code = "in_stock"

    def __init__(self) -> None:
        super().__init__("The product can be bought now; there is nothing to wait for.")


class TooManyAlertsError(ConflictError):
    code = "too_many_alerts"

    def __init__(self, limit: int):
        super().__init__(f"You wait for {limit} products already. Take one off the list first.")
