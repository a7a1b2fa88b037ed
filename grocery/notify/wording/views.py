"""The routes of /texts."""

from typing import Any

from grocery.api import Blueprint
from grocery.db import transaction
from grocery.notify.access import admin_only
from grocery.notify.extension import state
from grocery.notify.wording import overrides
from grocery.notify.wording.catalogue import get_key
from grocery.notify.wording.schemas import (
    KEY_EXAMPLE,
    PREVIEW_EXAMPLE,
    SOURCE_EXAMPLE,
    SUMMARY_EXAMPLE,
    TEXT_EXAMPLE,
    AskPreviewSchema,
    PreviewsSchema,
    SetTextSchema,
    TextSchema,
    TextSummarySchema,
)

blp = Blueprint("texts", __name__, url_prefix="/texts", description="The words of messages, and the shop's own ones.")

_TEXT = "/<event>/<audience>/<channel>/<language>"
_BAD_SOURCE = "The text cannot be used (`bad_text`): `errors` names the line and what is wrong."


@blp.route("/")
@admin_only
@blp.response(200, TextSummarySchema(many=True), example=[SUMMARY_EXAMPLE])
def list_texts() -> list[dict[str, Any]]:
    """List all texts

    Each event's, by audience, channel and language, and whether the shop has its own in its place.
    """
    return overrides.list_texts()


@blp.route(_TEXT)
@admin_only
@blp.response(200, TextSchema, example=TEXT_EXAMPLE)
def get_text(**key: str) -> dict[str, Any]:
    """Read a text

    With its source, that of the program, and how it reads with sample values.
    """
    return overrides.get_text(get_key(**key))


@blp.route(_TEXT, methods=["PUT"])
@admin_only
@blp.found_first(get_key)
@blp.arguments(SetTextSchema, example={"source": SOURCE_EXAMPLE})
@blp.problems(_422=_BAD_SOURCE)
@blp.response(200, TextSchema, example=TEXT_EXAMPLE)
def set_text(body: dict[str, Any], **key: str) -> dict[str, Any]:
    """Put an own text in the place of the program's

    It is tried with all sample values first. Messages that are queued from now on have it, those of other processes
    within 15 seconds. An SMS may take 3 parts at the most.
    """
    text = get_key(**key)
    with transaction():
        overrides.set_text(text, body["source"], state().current_person_id())
    return overrides.get_text(text)


@blp.route(_TEXT, methods=["DELETE"])
@admin_only
@blp.problems(_404="There is no such text, or the shop has none of its own for it (`own_text_not_found`).")
@blp.response(204)
def remove_text(**key: str) -> None:
    """Go back to the text of the program"""
    with transaction():
        overrides.remove_text(get_key(**key))


@blp.route("/preview", methods=["POST"])
@admin_only
@blp.arguments(AskPreviewSchema, example={**KEY_EXAMPLE, "source": SOURCE_EXAMPLE})
@blp.problems(_404="There is no such text (`text_not_found`).", _422=_BAD_SOURCE)
@blp.response(200, PreviewsSchema, example=PREVIEW_EXAMPLE)
def preview_text(body: dict[str, Any]) -> dict[str, Any]:
    """Look at a text before customers do

    As it is sent now or, with a `source`, as it would be. Nothing is changed.
    """
    source = body.pop("source")
    key = get_key(**body)
    return overrides.preview(key) if source is None else overrides.check_source(key, source)
