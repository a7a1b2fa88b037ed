"""What can be wrong with a wish about the suppression list."""

from grocery.errors import ConflictError, NotFoundError


class SuppressionNotFoundError(NotFoundError):
    code = "suppression_not_found"

    def __init__(self, channel: str, address: str):
        super().__init__(f"{address} is not on the suppression list of {channel}.")


class StoppedByHolderError(ConflictError):
    """Who has said STOP comes back by saying START."""

    code = "stopped_by_holder"

    def __init__(self, address: str):
        super().__init__(f"The holder of {address} wants no messages. They come back by sending START.")
