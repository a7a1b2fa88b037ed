"""How often strangers may try: to sign in, to have codes sent, to make accounts. The settings have the rates."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app

from grocery.auth.codes.errors import InvalidCodeError
from grocery.auth.errors import InvalidCredentialsError, WrongPasswordError
from grocery.auth.identifiers import normalize_identifier
from grocery.auth.throttling.delays import WINDOW_SECONDS, delay_seconds
from grocery.auth.throttling.devices import find_device
from grocery.errors import GroceryError
from grocery.limits import client_network, limit, limiter

# Customers of one carrier share a few addresses.
_PER_NETWORK = 10


@contextmanager
def throttled_sign_in(identifier: str) -> Iterator[None]:
    """Stands around the checking of a password, before the transaction; counts the failures that are raised in it.

    Raises TooManyRequestsError when there were more of this account and network than RATE_LIMIT_LOGIN allows, and when
    the account rests, since many have guessed at it from anywhere. A device known to the account has a count of its own
    and no rest, so that nobody can lock its owner out. Unknown accounts are treated the same.
    """
    if not current_app.config["RATE_LIMIT_LOGIN"]:
        yield
        return
    account, device = normalize_identifier(identifier), find_device(identifier)
    with _counted_failures("login", account, device or client_network()):
        if device is None:
            _wait_for_turn(account)
        try:
            yield
        except InvalidCredentialsError:
            limiter().add(WINDOW_SECONDS, "login-failures", account)
            raise


@contextmanager
def throttled_confirmation(customer_id: int) -> Iterator[None]:
    """Stands around the checking of the password of somebody who is signed in, by RATE_LIMIT_LOGIN too.

    Who has stolen a token must not find the password with it. Raises TooManyRequestsError.
    """
    if not current_app.config["RATE_LIMIT_LOGIN"]:
        yield
        return
    with _counted_failures("confirmation", str(customer_id)):
        yield


def limit_registrations() -> None:
    """Raise TooManyRequestsError when more came from this network than RATE_LIMIT_REGISTER allows."""
    limit("RATE_LIMIT_REGISTER", "register", client_network())


def limit_codes(identifier: str) -> None:
    """Raise TooManyRequestsError when RATE_LIMIT_OTP does not allow another code to this number or e-mail address.

    Ten times as many for one network. A device known to the account has a count of its own and none of its network: a
    stranger who has codes sent cannot keep the owner from getting one.
    """
    account, device = normalize_identifier(identifier), find_device(identifier)
    if device is None:
        limit("RATE_LIMIT_OTP", "codes-from", client_network(), times=_PER_NETWORK)
    limit("RATE_LIMIT_OTP", "codes", account, device or "")


@contextmanager
def throttled_codes(phone: str) -> Iterator[None]:
    """Stands around the trying of a code that was sent to this number; counts the wrong ones of one network.

    Raises TooManyRequestsError when RATE_LIMIT_OTP_LOGIN allows no more. That keeps one address from guessing at many
    numbers; what it may guess at one is held in `codes.tries`. A device known to the account has a count of its own.
    """
    rates = current_app.config["RATE_LIMIT_OTP_LOGIN"]
    if not rates:
        yield
        return
    source = find_device(phone) or client_network()
    limiter().check(rates, "wrong-codes", source)
    try:
        yield
    except InvalidCodeError:
        limiter().hit(rates, "wrong-codes", source)
        raise


def limit_costly(person_id: int, what: str) -> None:
    """Raise TooManyRequestsError when this person has done `what` more often than RATE_LIMIT_COSTLY allows.

    For what takes much work or writes many rows each time, so that nobody with an account can keep the shop busy.
    """
    limit("RATE_LIMIT_COSTLY", "costly", what, str(person_id))


@contextmanager
def _counted_failures(name: str, *key: str) -> Iterator[None]:
    """Refuse before the work when the failures are used up, and after it when others have used them up meanwhile.

    So of many guesses at once no more are answered than of guesses one by one, and right passwords are never counted.
    """
    rates = current_app.config["RATE_LIMIT_LOGIN"]
    limiter().check(rates, name, *key)
    try:
        yield
    except (InvalidCredentialsError, WrongPasswordError):
        limiter().hit(rates, name, *key)
        raise
    except GroceryError:
        limiter().check(rates, name, *key)
        raise
    limiter().check(rates, name, *key)


def _wait_for_turn(account: str) -> None:
    delay = delay_seconds(limiter().count("login-failures", account))
    if delay:
        limiter().take_turn(delay, "login-turn", account)
