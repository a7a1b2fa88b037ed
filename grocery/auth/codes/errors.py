"""What can go wrong with codes."""

from grocery.errors import (
    BusyError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    TooManyRequestsError,
    UnauthenticatedError,
)

_INVALID = "This code is wrong, was used, or has expired. Ask for a new one."


class InvalidCodeError(UnauthenticatedError):
    """Wrong, unknown, used, expired, of another address, or out of tries: one answer for all."""

    code = "invalid_code"

    def __init__(self) -> None:
        super().__init__(_INVALID)


class WrongCodeError(ForbiddenError):
    """The same for somebody who is signed in: their token stays good, so this is no 401."""

    code = "invalid_code"

    def __init__(self) -> None:
        super().__init__(_INVALID)


class CodeBudgetUsedUpError(TooManyRequestsError):
    """So many codes went to this number or address within a day that no more do."""

    code = "code_budget_used_up"

    def __init__(self, retry_after_seconds: int):
        super().__init__(retry_after_seconds, "Too many codes went to this number or address. Try again later.")


class CodesUsedUpError(BusyError):
    """The shop has sent as many SMS with codes as it may within a day; `is_abroad`: to other countries."""

    code = "codes_used_up"

    def __init__(self, limit: int, *, is_abroad: bool):
        super().__init__("No more codes can be sent by SMS for now. Sign in with a password, or try again later.")
        self.limit, self.is_abroad = limit, is_abroad


class NoPhoneError(InvalidError):
    def __init__(self) -> None:
        super().__init__("There is no phone number to verify.", errors={"phone": ["Needs a phone number."]})


class NoMobilePhoneError(InvalidError):
    def __init__(self) -> None:
        message = "Is not the number of a mobile phone."
        super().__init__("No SMS can be sent to this number.", errors={"phone": [message]})


class AlreadyVerifiedError(ConflictError):
    code = "already_verified"

    def __init__(self) -> None:
        super().__init__("This is verified already.")
