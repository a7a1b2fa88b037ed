"""The form of a campaign: fields side by side, which the API has inside each other, by language."""

import re
from collections.abc import Mapping
from typing import Any

from flask import request
from flask_babel import gettext, lazy_gettext
from marshmallow import ValidationError

from grocery.config import LANGUAGES
from grocery.errors import GroceryError
from grocery.notify.campaigns.schemas import WriteCampaignSchema
from grocery.notify.wording.texts import MAX_PARTS
from grocery.storefront.desk.forms import explain, load, written
from grocery.storefront.desk.notifications.words import WORDS

_TOO_LONG = re.compile(r"Takes (\d+) SMS")

_PARTS = ("subject", "body")

_PROBLEMS = {
    "subject": lazy_gettext("An e-mail needs a subject of up to 150 characters, and an SMS has none."),
    "body": lazy_gettext("Write the text, with no more than 1,000 characters in a line."),
}


def written_values() -> dict[str, str]:
    """What was written, field by field."""
    names = ["name", "channel", *[f"{part}_{language}" for language in LANGUAGES for part in _PARTS]]
    return {name: request.form.get(name, "") for name in names}


def read_campaign() -> dict[str, Any]:
    """What was written, as the service takes it; raises ValidationError."""
    texts = {language: text for language in LANGUAGES if (text := _text_in(language))}
    return load(WriteCampaignSchema(), {"name": written("name"), "channel": written("channel"), "texts": texts})


def values_of(campaign: Mapping[str, Any]) -> dict[str, str]:
    """A campaign for the fields of the form."""
    values = {"name": campaign["name"], "channel": campaign["channel"]}
    for language, text in campaign["texts"].items():
        values |= {f"{part}_{language}": text.get(part) or "" for part in _PARTS}
    return values


def problems_of(error: Exception) -> dict[str, str]:
    """What was wrong, by field of the form."""
    found = explain(error, WORDS)
    if "texts" not in found:
        return found
    problems = {name: message for name, message in found.items() if name != "texts"}
    return problems | dict(_of_language(language, about) for language, about in _texts_in(error).items())


def _text_in(language: str) -> dict[str, str | None]:
    """Of one that was left empty nothing; the subject of an SMS, whose field is not shown, does not count."""
    subject, body = written(f"subject_{language}"), written(f"body_{language}").replace("\r\n", "\n")
    if written("channel") == "sms":
        subject = ""
    return {"subject": subject or None, "body": body} if subject or body else {}


def _texts_in(error: Exception) -> Mapping[str, Any]:
    errors = error.messages_dict if isinstance(error, ValidationError) else {}
    if isinstance(error, GroceryError):
        errors = error.members.get("errors", {})
    texts = errors.get("texts", {})
    return texts if isinstance(texts, Mapping) else {LANGUAGES[0]: texts}


def _of_language(language: str, about: Any) -> tuple[str, str]:
    """A field, and what is said of it."""
    if not isinstance(about, Mapping):
        return f"body_{language}", gettext("A text in the shop's own language is needed.")
    fields = about.get("value", about)  # as nested fields tell it
    part = next((part for part in _PARTS if part in fields), "body")
    too_long = _TOO_LONG.search(" ".join(map(str, fields.get(part, []))))
    if too_long:
        return f"{part}_{language}", gettext(
            "With the shop's name and how to opt out this takes %(num)s SMS; %(most)s are the most.",
            num=too_long[1],
            most=MAX_PARTS,
        )
    return f"{part}_{language}", str(_PROBLEMS[part])
