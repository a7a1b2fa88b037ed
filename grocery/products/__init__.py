"""Products: categories, the catalogue, its stock, import."""

from flask import Flask

from grocery.extensions import api
from grocery.products.category_views import blp as categories_blp
from grocery.products.views import blp


def init_app(app: Flask) -> None:
    api.register_blueprint(categories_blp)
    api.register_blueprint(blp)
