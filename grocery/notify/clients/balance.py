"""What an account at Africa's Talking has left: a question that costs nothing.

Source: https://developers.africastalking.com/docs/application
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import requests
from africastalking.Application import ApplicationService

from grocery.notify.clients.transport import WholeAnswers
from grocery.notify.outcome import one_line

_BALANCE: Final = re.compile(r"([A-Z]{3}) (-?[0-9]{1,12}(?:\.[0-9]{1,6})?)")


class BalanceError(Exception):
    """There was no answer, or none that can be read. `is_refusal`: the provider does not take the account or key."""

    def __init__(self, detail: str, *, is_refusal: bool = False):
        super().__init__(detail)
        self.is_refusal = is_refusal


@dataclass(frozen=True)
class Balance:
    """In whole units of the currency."""

    currency: str
    amount: Decimal

    def __str__(self) -> str:
        return f"{self.currency} {self.amount:.2f}"


class _AccountService(WholeAnswers, ApplicationService):
    """Asks about the account."""


def read_balance(username: str, api_key: str, origin: str | None = None) -> Balance:
    """What the account has; raises BalanceError."""
    service = _AccountService(username, api_key, origin)
    try:
        with service.connections:
            response: requests.Response = service.fetch_application_data()
    except requests.RequestException as error:
        raise BalanceError(one_line(f"{type(error).__name__}: {error}")) from error
    if response.status_code in (401, 403):
        raise BalanceError(f"it refuses AT_USERNAME or AT_API_KEY (HTTP {response.status_code})", is_refusal=True)
    try:
        written = response.json()["UserData"]["balance"]
        found = _BALANCE.fullmatch(written.strip())
    except (ValueError, LookupError, TypeError, AttributeError):
        found = None
    if found is None:
        excerpt = response.content[:200].decode("utf-8", "replace")
        raise BalanceError(one_line(f"HTTP {response.status_code} without a readable balance: {excerpt}"))
    return Balance(found[1], Decimal(found[2]))
