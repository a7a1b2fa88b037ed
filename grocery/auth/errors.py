"""What can go wrong when people sign in, and with the people themselves."""

from grocery.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError
from grocery.lanes import LineFullError


class InvalidCredentialsError(UnauthenticatedError):
    """Unknown, wrong password or deactivated: one answer, which tells nobody who has an account."""

    code = "invalid_credentials"

    def __init__(self, customer_id: int | None = None) -> None:
        """`customer_id`, whose password was wrong, is for the audit log; the answer is without it."""
        super().__init__("The e-mail address or phone number, or the password, is wrong.")
        self.customer_id = customer_id


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


class SignInAgainError(ForbiddenError):
    """What is asked for needs a fresh sign-in, in the place of a password that the person does not have."""

    code = "sign_in_again"

    def __init__(self) -> None:
        super().__init__("This sign-in is too old for that. Sign in again, then repeat it.")


class SessionNotFoundError(NotFoundError):
    def __init__(self) -> None:
        super().__init__("You have no such sign-in, or it has ended.")


class ForgedRequestError(ForbiddenError):
    """A page sent something that the shop's own pages have not made: somebody else's page may have."""

    code = "forged_request"

    def __init__(self) -> None:
        super().__init__("This did not come from a page of this shop. Load the page again, then repeat it.")


class HashingBusyError(LineFullError):
    """Too many passwords at once."""


class EmailTakenError(ConflictError):
    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("There is an account with this e-mail address already.")


class LastIdentifierError(ConflictError):
    """Without an e-mail address and a verified phone nobody could sign in to the account again."""

    code = "last_identifier"

    def __init__(self) -> None:
        super().__init__("This is the only address to sign in with. Verify another one first.")


class VerifiedPhoneError(ConflictError):
    """A verified number is a way in: it goes when another one was proved, or when its owner says so once more."""

    code = "phone_verified"

    def __init__(self) -> None:
        super().__init__(
            "This number is verified. Prove another one with POST /auth/phone/verify, or remove it with"
            " DELETE /auth/phone."
        )


class UnverifiedError(ConflictError):
    """Anybody may have made this account with somebody else's address."""

    code = "unverified"

    def __init__(self) -> None:
        super().__init__(
            "The e-mail address of this account, or its phone number where it has none, has to be verified first."
        )


class OwnAccountError(ConflictError):
    code = "own_account"

    def __init__(self) -> None:
        super().__init__("This is your own account. Use DELETE /auth/totp, with a code.")


class LastAdminError(ConflictError):
    code = "last_admin"

    def __init__(self) -> None:
        super().__init__("This is the last active admin. Make someone else an admin first.")


class PersonNotFoundError(NotFoundError):
    def __init__(self) -> None:
        super().__init__("There is no such person.")


class PhoneTakenError(ConflictError):
    code = "phone_taken"

    def __init__(self) -> None:
        super().__init__("There is an account that signs in with this phone number already.")


class UnreachableError(ConflictError):
    code = "unreachable"

    def __init__(self) -> None:
        super().__init__("This account has neither an e-mail address nor a phone number.")


class DeactivatedError(ConflictError):
    code = "deactivated"

    def __init__(self) -> None:
        super().__init__("This account is deactivated. Activate it first.")
