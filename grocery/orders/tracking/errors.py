"""What can be wrong with a tracking link."""

from grocery.errors import NotFoundError


class LinkNotFoundError(NotFoundError):
    """Forged, mistyped, or of an order that is gone: who asks must not learn which."""

    def __init__(self) -> None:
        super().__init__("There is no order behind this link.")
