"""How texts read with sample values, and what they cost as SMS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import current_app

from grocery.notify.wording import gsm7
from grocery.notify.wording.catalogue import TextKey
from grocery.notify.wording.errors import BadSourceError
from grocery.notify.wording.grammar import OwnText, SourceError, compile_source, line_of
from grocery.notify.wording.needs import check_needs
from grocery.notify.wording.samples import USUAL, Context, Shop, make_samples
from grocery.notify.wording.texts import Text, render, write_own

# What the values of a text are called beside those of its samples; whether an SMS has to be cut.
_TIGHT = "is_tight"


@dataclass(frozen=True)
class Preview:
    """A text written with the values of one variant. The last four are those of an SMS, None for an e-mail.

    `length` is in septets (GSM-7) or UTF-16 units (UCS-2); `outside_gsm7` are the characters that force UCS-2.
    """

    variant: str
    subject: str | None
    body: str
    encoding: str | None = None
    length: int | None = None
    parts: int | None = None
    outside_gsm7: Sequence[str] | None = None


def preview_text(key: TextKey) -> list[Preview]:
    """The text as it is sent now: the shop's own, or the program's."""
    texts = {
        variant: render(key.event, key.audience, key.channel, context, key.language)
        for variant, context in _samples(key).items()
    }
    return [_preview(key, variant, text) for variant, text in texts.items()]


def preview_source(key: TextKey, source: str) -> list[Preview]:
    """The text as it would be with this source; raises BadSourceError when it cannot be used."""
    samples = _samples(key)
    names = {*samples[USUAL], *([_TIGHT] if key.channel == "sms" else [])}
    try:
        own = compile_source(source, key.language, names)
    except SourceError as error:
        raise BadSourceError(str(error)) from None
    return [_preview(key, variant, _try_to_write(own, key, variant, context)) for variant, context in samples.items()]


def find_problem(key: TextKey, source: str) -> str | None:
    """Why a source cannot be used, None when it can: one kept for long may name values that are no longer there."""
    try:
        preview_source(key, source)
    except BadSourceError as error:
        return error.problem
    return None


def warnings_of(previews: Sequence[Preview]) -> list[str]:
    """What somebody who pays for SMS wants to know."""
    return [warning for preview in previews for warning in _warnings(preview)]


def _warnings(preview: Preview) -> list[str]:
    found = []
    if preview.outside_gsm7:
        found.append(f"{preview.variant}: {' '.join(preview.outside_gsm7)} cannot be sent in GSM-7.")
    if preview.parts and preview.parts > 1:
        found.append(f"{preview.variant}: takes {preview.parts} SMS.")
    return found


def _try_to_write(own: OwnText, key: TextKey, variant: str, context: Context) -> Text:
    try:
        text = write_own(own, key.channel, context)
        check_needs(key, context, text)
    except Exception as error:  # whatever goes wrong was written by the person who is told
        line = line_of(error)
        where = f"Line {line}: " if line else ""
        raise BadSourceError(f"{where}{error} (with the values of the variant {variant})") from None
    return text


def _samples(key: TextKey) -> Mapping[str, Context]:
    config = current_app.config
    return make_samples(key.event, Shop(config["SHOP_NAME"], config["SHOP_URL"], config["CURRENCY"]))


def _preview(key: TextKey, variant: str, text: Text) -> Preview:
    if key.channel != "sms":
        return Preview(variant, text.subject, text.body)
    sms = gsm7.explain(text.body)
    return Preview(variant, None, text.body, sms.alphabet, sms.length, sms.parts, sms.outsiders)
