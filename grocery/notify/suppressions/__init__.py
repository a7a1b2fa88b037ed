"""The suppression list: addresses that get nothing but what they need."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.notify.group import notify
from grocery.notify.suppressions.cli import suppressions
from grocery.notify.suppressions.views import blp


def init_app(app: Flask) -> None:
    """Bind the part."""
    register_blueprint(app, blp)
    notify.add_command(suppressions)
