"""What can be wrong with a cart."""

from grocery.errors import ConflictError, NotFoundError


class CartNotFoundError(NotFoundError):
    code = "cart_not_found"

    def __init__(self) -> None:
        super().__init__("This cart token is none of this shop. Leave X-Cart-Token out to begin a new cart.")


class CartFullError(ConflictError):
    code = "cart_full"

    def __init__(self, limit: int):
        super().__init__(f"A cart has room for {limit} different products.", limit=limit)
