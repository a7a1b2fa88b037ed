"""Promotions: coupons and automatic ones."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.orders.promotions.cli import promotions_cli
from grocery.orders.promotions.views import blp


def init_app(app: Flask) -> None:
    """Register the routes and commands of this part."""
    register_blueprint(app, blp)
    app.cli.add_command(promotions_cli)
