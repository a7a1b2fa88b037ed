"""What can be wrong with a return."""

from grocery.errors import ConflictError, InvalidError


class NotDeliveredError(ConflictError):
    code = "not_delivered"

    def __init__(self, status: str):
        super().__init__(f"Only what was delivered comes back; the order is {status}.", current=status)


class ReturnItemsError(InvalidError):
    """More would come back than was delivered; `problems` maps the index of an item to messages."""

    def __init__(self, problems: dict[int, dict[str, list[str]]]):
        errors = {"items": {str(index): fields for index, fields in sorted(problems.items())}}
        super().__init__("One or more items cannot come back as sent.", errors=errors)
