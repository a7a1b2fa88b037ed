"""What a text has to say in whatever words, since the message would be of no use, or not be allowed, without. Pure."""

from collections.abc import Mapping
from typing import Any

from grocery.notify.policy import CODE_EVENTS
from grocery.notify.wording.catalogue import TextKey
from grocery.notify.wording.texts import ShapeError, Text

# What a customer may answer an offer with. Who sends offers has to say how to get no more of them.
_OPT_OUT = ("STOP OFFERS", "ACHA OFA")


def check_needs(key: TextKey, context: Mapping[str, Any], text: Text) -> None:
    """Raise ShapeError when the text, written with this context, leaves out what it is for."""
    if key.event in CODE_EVENTS and context["code"] not in text.body:
        raise ShapeError("The code itself is missing: {{ code }}.")
    if key.event != "campaign":
        return
    if key.channel == "sms":
        _check_offer_by_sms(context, text)
    elif not all(paragraph in text.body for paragraph in context["paragraphs"]):
        raise ShapeError("The offer itself is missing: {% for paragraph in paragraphs %} … {% endfor %}.")


def _check_offer_by_sms(context: Mapping[str, Any], text: Text) -> None:
    if context["text"] not in text.body:
        raise ShapeError("The offer itself is missing: {{ text }}.")
    if not any(words in text.body for words in _OPT_OUT):
        raise ShapeError(f"It does not say how to get no more offers: {' or '.join(_OPT_OUT)}.")
