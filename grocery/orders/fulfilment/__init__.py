"""Fulfilment: picking, weighing, substituting, delivery runs, deliveries that failed."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.orders.fulfilment import run_views, views


def init_app(app: Flask) -> None:
    """Register the routes of this part."""
    register_blueprint(app, views.blp)
    register_blueprint(app, run_views.blp)
