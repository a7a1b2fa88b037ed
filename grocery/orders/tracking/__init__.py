"""Following an order: its history live, and by a link that needs no sign-in."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.orders.tracking.views import blp


def init_app(app: Flask) -> None:
    """Register the routes of this part."""
    register_blueprint(app, blp)
