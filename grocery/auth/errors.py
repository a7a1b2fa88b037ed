"""What can go wrong when people sign in, and with the people themselves."""

from grocery.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError


class InvalidCredentialsError(UnauthenticatedError):
    """Unknown, wrong password or deactivated: one answer, which tells nobody who has an account."""

    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__("The e-mail address or phone number, or the password, is wrong.")


class TokenRevokedError(UnauthenticatedError):
    code = "token_revoked"

    def __init__(self, detail: str = "This token was signed out. Sign in again."):
        super().__init__(detail)


class TokenReusedError(TokenRevokedError):
    """A refresh token that was exchanged before: it may have been stolen, so its whole family has to die."""

    def __init__(self) -> None:
        super().__init__("This refresh token was used before, so its sign-in was ended. Sign in again.")


class WrongPasswordError(ForbiddenError):
    """The password sent to confirm a step is wrong; the token stays good, so this is no 401."""

    code = "wrong_password"

    def __init__(self) -> None:
        super().__init__("The password is wrong.")


class WeakPasswordError(InvalidError):
    code = "validation_failed"

    def __init__(self, message: str):
        super().__init__("One or more fields are not valid.", errors={"password": [message]})


class EmailTakenError(ConflictError):
    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("There is an account with this e-mail address already.")


class LastAdminError(ConflictError):
    code = "last_admin"

    def __init__(self) -> None:
        super().__init__("This is the last active admin. Make someone else an admin first.")


class PersonNotFoundError(NotFoundError):
    def __init__(self) -> None:
        super().__init__("There is no such person.")
