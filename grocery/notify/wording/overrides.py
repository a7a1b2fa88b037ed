"""The shop's own texts: reading and writing them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flask import current_app
from sqlalchemy import text

from grocery.db import Row, after_commit, db, reader
from grocery.notify.wording.catalogue import TextKey, built_in_source, list_keys
from grocery.notify.wording.errors import BadSourceError, OwnTextNotFoundError
from grocery.notify.wording.previews import Preview, find_problem, preview_source, preview_text, warnings_of

#: Characters of a source.
MAX_SOURCE_LENGTH = 5_000

_READ_ALL = text("SELECT event, audience, channel, language, source, updated_at FROM text_overrides")

_OF_KEY = "event = :event AND audience = :audience AND channel = :channel AND language = :language"

_READ = text(f"SELECT source, updated_at, updated_by FROM text_overrides WHERE {_OF_KEY}")  # noqa: S608  # our own

_WRITE = text(
    """
    INSERT INTO text_overrides (event, audience, channel, language, source, updated_by, updated_at)
    VALUES (:event, :audience, :channel, :language, :source, :updated_by, now())
    ON CONFLICT (event, audience, channel, language) DO UPDATE
    SET source = excluded.source, updated_by = excluded.updated_by, updated_at = excluded.updated_at
    """
)

_DELETE = text(f"DELETE FROM text_overrides WHERE {_OF_KEY} RETURNING event")  # noqa: S608  # our own


def list_texts() -> list[dict[str, Any]]:
    """All texts by name, and of those that the shop has written itself since when, and whether they work."""
    with reader() as connection:
        own = {TextKey(*row[:4]): row._mapping for row in connection.execute(_READ_ALL)}
    return [_summarize(key, own.get(key)) for key in list_keys()]


def get_text(key: TextKey) -> dict[str, Any]:
    """A text: its source, the program's, and how it reads. One that does not work reads as the program's does."""
    with reader() as connection:
        own = connection.execute(_READ, key._asdict()).mappings().first()
    built_in = built_in_source(key)
    text = {"source": built_in, "updated_by": None, **(own or {}), **_summarize(key, own), "built_in_source": built_in}
    return {**text, **_describe(preview_source(key, built_in if text["problem"] else text["source"]))}


def set_text(key: TextKey, source: str, updated_by: int | None = None) -> None:
    """Put an own text in the place of the program's, or of another own one.

    In use at once in this process, in others within seconds. Raises BadSourceError for one that cannot be used.
    """
    check_source(key, source)
    db.session.execute(_WRITE, {**key._asdict(), "source": source, "updated_by": updated_by})
    _forget_after_commit()


def remove_text(key: TextKey) -> None:
    """Go back to the text of the program; raises OwnTextNotFoundError when that is in use anyway."""
    if db.session.execute(_DELETE, key._asdict()).first() is None:
        raise OwnTextNotFoundError(str(key))
    _forget_after_commit()


def check_source(key: TextKey, source: str) -> dict[str, Any]:
    """How a text would read with this source; raises BadSourceError."""
    if not source.strip():
        raise BadSourceError("The text is empty.")
    if len(source) > MAX_SOURCE_LENGTH:
        raise BadSourceError(f"It has {len(source)} characters; {MAX_SOURCE_LENGTH} at the most are allowed.")
    return {**key._asdict(), **_describe(preview_source(key, source))}


def preview(key: TextKey) -> dict[str, Any]:
    """How a text reads as it is sent now."""
    return {**key._asdict(), **_describe(preview_text(key))}


def _describe(previews: Sequence[Preview]) -> dict[str, Any]:
    return {"previews": [asdict(preview) for preview in previews], "warnings": warnings_of(previews)}


def _summarize(key: TextKey, own: Row | None) -> dict[str, Any]:
    return {
        **key._asdict(),
        "is_overridden": own is not None,
        "problem": find_problem(key, own["source"]) if own else None,
        "updated_at": own["updated_at"] if own else None,
    }


def _forget_after_commit() -> None:
    after_commit("own_texts", current_app.extensions["own_texts"].forget)
