"""Shopping lists: what a customer buys again and again, under a name."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.auth.hooks import customer_exporting
from grocery.orders.shopping_lists.exporting import export_lists
from grocery.orders.shopping_lists.views import blp


def init_app(app: Flask) -> None:
    """Register the routes of this part; lists are in the copy of a customer's data, and go with the account."""
    register_blueprint(app, blp)
    customer_exporting.connect(export_lists)
