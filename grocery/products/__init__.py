"""Products: categories, the catalogue, its stock, import."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.products import search
from grocery.products.category_views import blp as categories_blp
from grocery.products.cli import products_cli
from grocery.products.views import blp


def init_app(app: Flask) -> None:
    search.init_app(app)
    register_blueprint(app, categories_blp)
    register_blueprint(app, blp)
    app.cli.add_command(products_cli)
