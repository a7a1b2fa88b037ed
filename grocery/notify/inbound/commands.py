"""What the commands about SMS themselves do. Each answers the event of its reply."""

from collections.abc import Callable, Mapping
from typing import Final

from grocery.notify.extension import state
from grocery.notify.hooks import marketing_chosen
from grocery.notify.inbound.words import HELP, START, START_OFFERS, STOP, STOP_OFFERS
from grocery.notify.suppressions.service import lift, suppress

#: The reply to a text that is no command.
NOT_UNDERSTOOD: Final = "reply_not_understood"


def stop(phone: str) -> str:
    """Send this phone nothing more but what it asks for. Offers stay off when it comes back."""
    _choose_offers(phone, is_wanted=False)
    suppress("sms", phone, "stop")
    return "reply_stopped"


def start(phone: str) -> str:
    """Take back STOP, also one that was said to the provider."""
    lift("sms", phone)
    return "reply_started"


def stop_offers(phone: str) -> str:
    """Send this phone no more offers; news of orders go on."""
    _choose_offers(phone, is_wanted=False)
    return "reply_offers_stopped"


def start_offers(phone: str) -> str:
    """Send offers to this phone, which takes back STOP too. Without an account there is nothing to send them by."""
    if state().find_holder(phone) is None:
        return "reply_no_account"
    _choose_offers(phone, is_wanted=True)
    lift("sms", phone)
    return "reply_offers_started"


def give_help(_phone: str) -> str:
    return "reply_help"


COMMANDS: Mapping[str, Callable[[str], str]] = {
    STOP: stop,
    START: start,
    STOP_OFFERS: stop_offers,
    START_OFFERS: start_offers,
    HELP: give_help,
}


def _choose_offers(phone: str, *, is_wanted: bool) -> None:
    # First of all: accounts are locked before anything else.
    marketing_chosen.send(channel="sms", address=phone, is_wanted=is_wanted)
