"""What mail systems and readers of e-mail tell back: bounces, unsubscribing."""

from flask import Flask


def init_app(_app: Flask) -> None:
    """Bind the part."""
