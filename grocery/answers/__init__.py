"""Kept answers: what everyone is shown, answered before Flask until the catalogue changes."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from grocery.answers.catalogue import catalogue_changed, is_to_be_kept, kept
from grocery.answers.hooks import words_changed
from grocery.answers.middleware import KeptAnswers

__all__ = ["KeptAnswers", "catalogue_changed", "init_app", "is_to_be_kept", "kept", "words_changed"]


def init_app(app: Flask, connect: Callable[[], Any], max_bytes: int) -> None:
    """Keep up to `max_bytes` of answers in each process; with 0 none.

    `connect` makes a psycopg2 connection in asynchronous mode to the database that commits, past any pooler.
    """
    if max_bytes:
        answers = KeptAnswers(app.wsgi_app, connect, max_bytes, lambda: words_changed.send(app))
        app.extensions["answers"] = answers
        app.wsgi_app = answers  # type: ignore[method-assign]  # Flask's own way of adding middleware
