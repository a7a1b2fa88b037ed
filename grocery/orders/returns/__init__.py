"""Returns: goods that came back after delivery, refunds and credit notes."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.orders.returns.views import blp


def init_app(app: Flask) -> None:
    """Register the routes of this part."""
    register_blueprint(app, blp)
