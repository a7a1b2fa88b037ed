"""What can be wrong with picking, runs and deliveries."""

from collections.abc import Sequence

from grocery.errors import ConflictError, InvalidError, NotFoundError


class NeedsApprovalError(ConflictError):
    """The customer has to be asked first; `reasons` say what about. Sent again with `approved`, it is done."""

    code = "needs_approval"

    def __init__(self, reasons: Sequence[str]):
        super().__init__("The customer has to say yes to this. Ask, then send it with approved.", reasons=list(reasons))


class PickedTooMuchError(ConflictError):
    code = "picked_too_much"

    def __init__(self, ordered: int | float):
        super().__init__(f"No more than was ordered: {ordered}.", ordered=ordered)


class ImplausibleWeightError(InvalidError):
    code = "implausible_weight"

    def __init__(self) -> None:
        message = "More than twice what was ordered. Kilograms, not grams?"
        super().__init__(message, errors={"picked_quantity": [message]})


class SubstituteError(InvalidError):
    def __init__(self, message: str):
        super().__init__(message, errors={"substitute_product_id": [message]})


class NotASubstituteError(ConflictError):
    code = "not_a_substitute"

    def __init__(self) -> None:
        super().__init__("This line stands in for no other.")


class TooLateError(ConflictError):
    """The order has left the shop."""

    code = "too_late"

    def __init__(self, status: str):
        super().__init__(f"The order is {status}. A substitute can be given back to the rider.", current=status)


class RunNotFoundError(NotFoundError):
    def __init__(self, run_id: int):
        super().__init__(f"There is no delivery run {run_id}.")


class RunDepartedError(ConflictError):
    code = "run_departed"

    def __init__(self) -> None:
        super().__init__("The rider has left with this run.")


class RunOrdersError(ConflictError):
    """Orders that cannot go with this run; `problems` maps their ids to why."""

    code = "orders_not_ready"

    def __init__(self, problems: dict[int, str]):
        listed = {str(order_id): problem for order_id, problem in sorted(problems.items())}
        super().__init__("Some orders cannot go with this run.", problems=listed)


class NotFailedError(ConflictError):
    code = "not_failed"

    def __init__(self) -> None:
        super().__init__("Only goods of a delivery that failed are checked in.")


class CheckInError(InvalidError):
    """More would be checked in than went out; `problems` maps the index of an item to messages."""

    def __init__(self, problems: dict[int, str]):
        errors = {"items": {str(index): {"quantity": [problem]} for index, problem in sorted(problems.items())}}
        super().__init__("One or more items cannot be checked in as sent.", errors=errors)


class LineChangedError(ConflictError):
    """Somebody else has picked this line since the sender saw it."""

    code = "line_changed"

    def __init__(self) -> None:
        super().__init__("Somebody else has picked this line meanwhile. Look at it again.")
