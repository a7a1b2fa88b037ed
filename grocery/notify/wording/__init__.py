"""The words: templates by language, how long they are as SMS, and the shop's own versions of them."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.notify.wording import kept
from grocery.notify.wording.views import blp


def init_app(app: Flask) -> None:
    """Bind the part. Its commands are added by the package, whose group they belong to."""
    kept.init_app(app)
    register_blueprint(app, blp)
