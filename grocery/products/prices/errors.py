"""What can go wrong with scheduled prices."""

from grocery.errors import ConflictError, NotFoundError


class OfferOverlapsError(ConflictError):
    """Another offer of the product runs in the same time; `change_id` names it."""

    code = "offer_overlaps"

    def __init__(self, change_id: int):
        super().__init__("Another offer of this product runs in that time. End it first.", change_id=change_id)


class TooManyPriceChangesError(ConflictError):
    code = "too_many_price_changes"

    def __init__(self, limit: int):
        super().__init__(f"A product can have {limit} changes of its price ahead. Cancel some first.", limit=limit)


class PriceChangeNotFoundError(NotFoundError):
    def __init__(self) -> None:
        super().__init__("There is no such change of this product's price.")


class PriceChangeOverError(ConflictError):
    """It is neither ahead nor running, so nothing is left to cancel; `change_status` says what it is."""

    code = "price_change_over"

    def __init__(self, status: str):
        super().__init__(f"This change of the price is {status}. Nothing is left to cancel.", change_status=status)
