"""Reports: sales, stock and fulfilment, with bounded memory over a million orders."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.orders.reports import cli, models
from grocery.orders.reports.views import blp

__all__ = ["cli", "init_app", "models"]


def init_app(app: Flask) -> None:
    """Register the routes of this part; its commands join the group `flask reports`."""
    register_blueprint(app, blp)
