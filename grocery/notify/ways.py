"""By which channels a customer is told of an event: what the shop does by itself, and what the customer chose. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

SMS, EMAIL = "sms", "email"


@dataclass(frozen=True)
class Way:
    """One message to make; a fallback stands in the place of the SMS among the same customer's ways."""

    channel: str
    address: str
    is_fallback: bool = False


def choose_ways(
    notify_by: str, *, phone: str | None, email: str | None, usual: Sequence[str], has_sms: bool
) -> list[Way]:
    """The ways to a customer, the SMS first.

    `usual` are the channels of the event for those who chose nothing ("sms_and_email"). Who chose "sms" hears by SMS
    alone of what there is an SMS of (`has_sms`), and by e-mail only when that does not arrive; who chose "email" hears
    of everything there. Nobody goes untold for a choice that their addresses do not allow.
    """
    if not phone:
        return [Way(EMAIL, email)] if email else []
    if not email:
        return [Way(SMS, phone)] if has_sms else []
    if notify_by == "sms":
        return [Way(SMS, phone), Way(EMAIL, email, is_fallback=True)] if has_sms else []
    if notify_by == "email":
        return [Way(EMAIL, email)]
    addresses = {SMS: phone, EMAIL: email}
    return [Way(channel, address) for channel, address in addresses.items() if channel in usual]
