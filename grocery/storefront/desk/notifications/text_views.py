"""The words of messages: the program's, and the shop's own in their place."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from flask import Response, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required, current_person
from grocery.db import transaction
from grocery.errors import InvalidError
from grocery.notify.wording import overrides
from grocery.notify.wording.catalogue import TextKey, get_key
from grocery.notify.wording.errors import OwnTextNotFoundError
from grocery.storefront.desk.forms import explain
from grocery.storefront.desk.notifications.blueprint import blp
from grocery.storefront.desk.notifications.words import AUDIENCES, CHANNELS, EVENTS, WORDS, event_words
from grocery.storefront.languages import NAMES
from grocery.storefront.pages import go, refused, render, say

_TEXT = "/texts/<event>/<audience>/<channel>/<language>"

_ORDER = {event: number for number, event in enumerate(EVENTS)}


@blp.get("/texts")
@admin_required
def list_texts() -> Response:
    """All texts by what they tell, in the order in which customers meet them."""
    texts = sorted(overrides.list_texts(), key=lambda text: (_ORDER.get(text["event"], len(_ORDER)), text["event"]))
    events = [(event, list(of_event)) for event, of_event in groupby(texts, key=lambda text: text["event"])]
    return render("desk/notifications/texts.html", events=events, **_words())


@blp.get(_TEXT)
@admin_required
def show_text(**key: str) -> Response:
    return _page(get_key(**key), {})


@blp.post(f"{_TEXT}/preview")
@admin_required
def preview_text(**key: str) -> Response:
    """How a text would read; nothing is changed."""
    text, source = get_key(**key), _source()
    try:
        return _page(text, {}, source=source, checked=overrides.check_source(text, source))
    except InvalidError as error:
        return refused(_page(text, explain(error, WORDS), source=source))


@blp.post(_TEXT)
@admin_required
def set_text(**key: str) -> AnyResponse:
    text, source = get_key(**key), _source()
    try:
        with transaction():
            overrides.set_text(text, source, current_person().id)
    except InvalidError as error:
        return refused(_page(text, explain(error, WORDS), source=source))
    say(gettext("Saved. Messages from now on have these words."))
    return go("desk_notifications.show_text", **key)


@blp.post(f"{_TEXT}/reset")
@admin_required
def remove_text(**key: str) -> AnyResponse:
    try:
        with transaction():
            overrides.remove_text(get_key(**key))
    except OwnTextNotFoundError as error:
        say(explain(error, WORDS)["form"], "note")
    else:
        say(gettext("The text of the program is in use again."))
    return go("desk_notifications.show_text", **key)


def _source() -> str:
    # Browsers send line ends of two characters; templates have one.
    return request.form.get("source", "").replace("\r\n", "\n").replace("\x00", "").strip()


def _page(
    key: TextKey, errors: Mapping[str, str], *, source: str | None = None, checked: dict[str, Any] | None = None
) -> Response:
    text = overrides.get_text(key)
    return render(
        "desk/notifications/text.html",
        key=key,
        text=text,
        source=text["source"] if source is None else source,
        shown=checked or text,
        is_tried=checked is not None,
        errors=errors,
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"audiences": AUDIENCES, "channels": CHANNELS, "event_words": event_words, "languages": NAMES}
