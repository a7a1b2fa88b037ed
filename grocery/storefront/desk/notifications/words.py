"""Messages in words: what they tell, what became of them and why, and what may be wrong with a wish about them."""

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

CHANNELS = {"sms": _l("SMS"), "email": _l("E-mail")}

STATES = {
    "pending": _l("Waiting"),
    "sending": _l("Being sent"),
    "sent": _l("Sent"),
    "delivered": _l("Arrived"),
    "failed": _l("Failed"),
    "unknown": _l("Not known"),
}

#: What each message tells, in the order of a customer's way through the shop.
EVENTS = {
    "order_placed": _l("Order placed"),
    "order_confirmed": _l("Order confirmed"),
    "order_changed": _l("Order changed by the shop"),
    "order_updated": _l("Order changed by the customer"),
    "order_packed": _l("Order packed"),
    "order_shipped": _l("Order on the way"),
    "order_delivered": _l("Order delivered"),
    "order_cancelled": _l("Order cancelled"),
    "order_stuck": _l("Order is stuck"),
    "back_in_stock": _l("Back in stock"),
    "campaign": _l("Offer"),
    "sign_in_code": _l("Code to sign in"),
    "verify_phone": _l("Code to confirm a phone"),
    "verify_email": _l("Code to confirm an e-mail address"),
    "reset_password": _l("New password"),
    "invitation": _l("Invitation"),
    "account_made": _l("Account was made"),
    "account_changed": _l("Account was changed"),
    "stock_low": _l("Stock is low"),
    "sms_budget": _l("SMS budget"),
    "codes_used_up": _l("Codes used up"),
    "notification_unknown": _l("Message with unknown outcome"),
    "reply_status": _l("Answer: where the order is"),
    "reply_cancelled": _l("Answer: order cancelled"),
    "reply_not_cancelled": _l("Answer: order not cancelled"),
    "reply_nothing_to_cancel": _l("Answer: nothing to cancel"),
    "reply_too_late": _l("Answer: too late to cancel"),
    "reply_which_order": _l("Answer: which order?"),
    "reply_order_unknown": _l("Answer: no such order"),
    "reply_no_orders": _l("Answer: no orders"),
    "reply_no_account": _l("Answer: no account"),
    "reply_refused": _l("Answer: replacement refused"),
    "reply_which_substitute": _l("Answer: which replacement?"),
    "reply_no_substitute": _l("Answer: no replacement to refuse"),
    "reply_help": _l("Answer: help"),
    "reply_not_understood": _l("Answer: not understood"),
    "reply_started": _l("Answer: messages are on"),
    "reply_stopped": _l("Answer: messages are off"),
    "reply_offers_started": _l("Answer: offers are on"),
    "reply_offers_stopped": _l("Answer: offers are off"),
}

AUDIENCES = {"customer": _l("To customers"), "admin": _l("To admins")}

PRIORITIES = {0: _l("Codes"), 1: _l("News"), 2: _l("Offers")}

REASONS = {
    "stop": _l("Said STOP"),
    "provider": _l("Blocked by the network"),
    "bounce": _l("Mailbox is gone"),
}

CAMPAIGN_STATES = {
    "draft": _l("Draft"),
    "running": _l("Running"),
    "paused": _l("Paused"),
    "cancelled": _l("Called off"),
    "finished": _l("Finished"),
}

CAMPAIGN_ACTIONS = {
    "start": _l("Start sending"),
    "pause": _l("Pause"),
    "resume": _l("Go on"),
    "cancel": _l("Call off"),
}

INBOUND_STATES = {
    "received": _l("Waiting"),
    "answered": _l("Answered"),
    "ignored": _l("No answer needed"),
    "failed": _l("Failed"),
}

WORDS: Mapping[str, Any] = {
    "name": _l("Write a name, in no more than 200 characters."),
    "channel": _l("Choose SMS or e-mail."),
    "shop_url_needed": ("form", _l("Offers by e-mail need the shop's own address (SHOP_URL), for unsubscribing.")),
    "not_draft": ("form", _l("This was started already and stays as it is.")),
    "illegal_transition": ("form", _l("That is not possible any more. Look at where it is by now.")),
    "stopped_by_holder": ("form", _l("The holder said STOP. Write again only when they have asked you for it.")),
    "suppression_not_found": ("form", _l("This address is not on the list any more.")),
    "not_resendable": ("form", _l("This message cannot be sent again: it is on its way, has arrived, or may not go.")),
    "own_text_not_found": ("form", _l("The text of the program is in use already.")),
}

# By what is found in the words of the provider or of the program; the first that fits counts.
_ERRORS = (
    (r"opted out|UserInBlacklist|DoNotDisturb", _l("The recipient wants no messages.")),
    (r"comes back|mailbox|5\.1\.1|no such user", _l("There is no such mailbox.")),
    (r"InvalidPhoneNumber|UnsupportedNumber|E\.164|not an e-mail", _l("There is no such number or address.")),
    (r"InsufficientBalance", _l("The SMS account has run out of money. Top it up.")),
    (r"InvalidSenderId", _l("The provider does not know the shop's sender name.")),
    (r"budget", _l("The SMS budget of the day is used up.")),
    (r"HTTP 40[13]|[Aa]uthenticat|login refused|535", _l("The provider does not take the shop's user name or key.")),
    (r"[Tt]imed? ?out|stopped answering|hung", _l("The provider did not answer in time.")),
    (r"refused|[Cc]onnect|resolve|unreachable|getaddrinfo", _l("The provider could not be reached.")),
    (r"CouldNotRoute|RejectedByGateway|GatewayError|network reported", _l("The network did not deliver it.")),
    (r"HTTP 5|InternalServerError", _l("The provider has a fault.")),
)
_RULES = tuple((re.compile(pattern), words) for pattern, words in _ERRORS)

_TAGS = {"delivered": "", "sent": "", "failed": "bad", "unknown": "late"}


def event_words(event: str) -> str:
    """What a message tells; for an event of a later version its name."""
    return str(EVENTS.get(event, event))


def error_words(error: str) -> str:
    """Why an attempt was not successful, for people; what the provider said stands beside it."""
    return next((str(words) for rule, words in _RULES if rule.search(error)), gettext("It was not accepted."))


def state_tag(status: str) -> str:
    """The class of the tag that has a message's state in it."""
    return _TAGS.get(status, "off")
