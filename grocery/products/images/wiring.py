"""What the app gets from this package."""

from flask import Flask

from grocery.api import register_blueprint
from grocery.products.images import extension, upkeep
from grocery.products.images.media_views import blp as media_blp
from grocery.products.images.views import blp


def init_app(app: Flask) -> None:
    extension.init_app(app)
    upkeep.init_app(app)
    register_blueprint(app, blp)
    register_blueprint(app, media_blp)
