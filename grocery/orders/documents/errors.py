"""What can go wrong with documents."""

from grocery.errors import NotFoundError


class ReturnNotFoundError(NotFoundError):
    """Also for a return of another order, or of another customer's."""

    def __init__(self) -> None:
        super().__init__("There is no such return of this order.")
