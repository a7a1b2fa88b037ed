"""What mail systems and readers of e-mail tell back: bounces, complaints, unsubscribing."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.notify.feedback import cli
from grocery.notify.feedback.views import blp

__all__ = ["cli", "init_app"]


def init_app(app: Flask) -> None:
    """Bind the part; its command joined the others when `cli` was imported."""
    register_blueprint(app, blp)
