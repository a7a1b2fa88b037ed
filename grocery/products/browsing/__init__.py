"""Finding one's way in the catalogue: counts for filters, names while one types."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.products.browsing import keeper
from grocery.products.browsing.views import blp


def init_app(app: Flask) -> None:
    keeper.init_app(app)
    register_blueprint(app, blp)
