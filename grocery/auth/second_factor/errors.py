"""What can go wrong with second factors."""

from grocery.auth.errors import InvalidCredentialsError
from grocery.auth.people import Person
from grocery.errors import ConflictError, ForbiddenError, TooManyRequestsError, UnauthenticatedError


class TotpRequiredError(UnauthenticatedError):
    """All else is right: the same request, with a code, signs in."""

    code = "totp_required"

    def __init__(self) -> None:
        super().__init__("This account has a second factor. Send the code of the authenticator app as totp, too.")


class WrongSecondFactorError(InvalidCredentialsError):
    """The code sent with a sign-in is wrong, expired or used. Looks like any other wrong credential."""

    role = "visitor"

    def __init__(self, customer_id: int):
        super().__init__(customer_id)


class WrongCodeError(ForbiddenError):
    """The code sent to confirm a step is wrong, expired or used; the token stays good, so this is no 401."""

    code = "wrong_code"

    def __init__(self, person: Person):
        super().__init__("This code is wrong, or was used before. Send the one that the app shows now.")
        self.customer_id, self.role = person.id, person.role


class TotpNeededError(ForbiddenError):
    """The shop wants a second factor of its staff, and this person has none yet."""

    code = "totp_needed"

    def __init__(self) -> None:
        super().__init__("Staff of this shop need a second factor. Turn it on with POST /auth/totp.")


class TotpOnError(ConflictError):
    code = "totp_on"

    def __init__(self) -> None:
        super().__init__("There is a second factor already. Turn it off first, with DELETE /auth/totp.")


class TotpOffError(ConflictError):
    code = "totp_off"

    def __init__(self) -> None:
        super().__init__("There is no second factor to do this with. Begin with POST /auth/totp.")


class TooManyWrongCodesError(TooManyRequestsError):
    def __init__(self, retry_after_seconds: int):
        super().__init__(retry_after_seconds, "Too many wrong codes for this account. Wait before the next one.")
