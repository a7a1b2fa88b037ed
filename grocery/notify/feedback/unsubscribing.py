"""Ending the offers by e-mail for the holder of an address."""

from grocery.notify.hooks import marketing_chosen
from grocery.notify.suppressions.service import normalize_address


def end_offers(address: str) -> None:
    """Send no more offers to an e-mail address, those that wait already included. Repeating it changes nothing.

    Locks accounts, so it comes before anything that locks messages. Runs in the caller's `transaction()`.
    """
    marketing_chosen.send(channel="email", address=normalize_address("email", address), is_wanted=False)
