"""The words of the page that ends a subscription, by language."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Words:
    """`text` may have the address in it, as `{address}`; `button` is empty on a page without one."""

    title: str
    text: str
    button: str = ""


WORDS: Final = {
    "en": {
        "ask": Words(
            "No more offers?",
            "We will send no more offers to {address}. Messages about your orders still come.",
            "Unsubscribe",
        ),
        "done": Words(
            "You are unsubscribed",
            "No more offers will come to {address}. Messages about your orders still do. "
            "If you change your mind, you can ask for offers again in your account.",
        ),
        "no_link": Words("This link does not work", "Please check that it is complete: mail programs may cut it."),
    },
    "sw": {
        "ask": Words(
            "Hutaki ofa tena?",
            "Hatutatuma tena ofa kwa {address}. Ujumbe kuhusu oda zako bado utakuja.",
            "Jitoe",
        ),
        "done": Words(
            "Umejitoa",
            "Ofa hazitakuja tena kwa {address}. Ujumbe kuhusu oda zako bado utakuja. "
            "Ukibadilisha nia, unaweza kuomba ofa tena katika akaunti yako.",
        ),
        "no_link": Words(
            "Kiungo hiki hakifanyi kazi",
            "Tafadhali hakikisha kuwa kimekamilika: programu za barua pepe huweza kukikata.",
        ),
    },
}
