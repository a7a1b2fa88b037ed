"""Payments: what was collected and paid back, behind one interface for all methods."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.orders.payments.cli import reports_cli
from grocery.orders.payments.views import blp


def init_app(app: Flask) -> None:
    """Register the routes, commands and tasks of this part."""
    register_blueprint(app, blp)
    app.cli.add_command(reports_cli)
