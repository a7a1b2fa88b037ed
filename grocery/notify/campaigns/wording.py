"""What people read of a campaign: the shop's words in the frame that says who writes and how to have no more."""

from collections.abc import Mapping
from typing import Any

from flask import current_app

from grocery.db import Row
from grocery.errors import InvalidError
from grocery.notify.campaigns.errors import ShopUrlNeededError
from grocery.notify.extension import Subscriber
from grocery.notify.service import Message
from grocery.notify.wording import gsm7
from grocery.notify.wording.texts import MAX_PARTS, Text, render

EVENT = "campaign"
_AUDIENCE = "customer"

#: Characters of a line of an e-mail: what a text's frame takes of a value.
MAX_LINE = 1000


def choose_language(texts: Mapping[str, Any], wanted: str | None) -> str:
    """The language that is wanted, else the shop's, else the first that the campaign has."""
    shop_language: str = current_app.config["SHOP_LANGUAGE"]
    return next(one for one in (wanted, shop_language, *texts) if one is not None and one in texts)


def message_to(campaign: Row, subscriber: Subscriber) -> Message:
    """The campaign's message to a subscriber; one for each address, however many accounts share it."""
    language = choose_language(campaign["texts"], subscriber.language)
    return Message(
        channel=campaign["channel"],
        event=EVENT,
        audience=_AUDIENCE,
        recipient=subscriber.address,
        context=text_context(campaign["texts"][language]),
        dedupe_key=f"{EVENT}:{campaign['id']}:{subscriber.address}",
        customer_id=subscriber.customer_id,
        language=language,
        campaign_id=campaign["id"],
    )


def text_context(written: Mapping[str, Any]) -> dict[str, Any]:
    """The values for the frame: each line of an e-mail is a paragraph, as that is all that is kept of its shape."""
    config = current_app.config
    return {
        "shop": config["SHOP_NAME"],
        "url": config["SHOP_URL"] or None,
        "subject": written["subject"],
        "text": written["body"],
        "paragraphs": [line for line in map(str.strip, written["body"].splitlines()) if line],
    }


def write(channel: str, texts: Mapping[str, Any]) -> dict[str, Text]:
    """What people will read, by language."""
    return {
        language: render(EVENT, _AUDIENCE, channel, text_context(written), language)
        for language, written in texts.items()
    }


def count_parts(channel: str, texts: Mapping[str, Any]) -> dict[str, int] | None:
    """How many SMS each language takes; None for e-mails."""
    if channel != "sms":
        return None
    return {language: gsm7.parts(text.body) for language, text in write(channel, texts).items()}


def check_texts(channel: str, texts: Mapping[str, Any]) -> None:
    """Raise InvalidError for texts that may not go out so, ShopUrlNeededError for e-mails of a shop without address.

    Asked again at the start: the shop's name, its language and the frame are part of it, and change.
    """
    if channel == "email" and not current_app.config["SHOP_URL"]:
        raise ShopUrlNeededError
    shop_language = current_app.config["SHOP_LANGUAGE"]
    if shop_language not in texts:
        _refuse(shop_language, "The shop's own language is needed: it is for all who have chosen none.")
    for language, parts in (count_parts(channel, texts) or {}).items():
        if parts > MAX_PARTS:
            _refuse(
                language,
                {"body": [f"Takes {parts} SMS with the shop's name and how to opt out; at most {MAX_PARTS} may be."]},
            )


def _refuse(language: str, problem: str | dict[str, list[str]]) -> None:
    messages = [problem] if isinstance(problem, str) else problem
    raise InvalidError("The texts cannot go out like this.", errors={"texts": {language: messages}})
