"""The words: templates by language, how long they are as SMS, and the shop's own versions of them."""

from flask import Flask


def init_app(_app: Flask) -> None:
    """Bind the part."""
