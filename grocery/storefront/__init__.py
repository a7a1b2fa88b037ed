"""Pages for shoppers and staff: rendered here, usable without script, quicker with it. No models of its own."""

from flask import Flask

from grocery.storefront import assets, compressing, context, languages, looks, not_found
from grocery.storefront.account import views as account
from grocery.storefront.basket import views as basket
from grocery.storefront.checkout import views as checkout
from grocery.storefront.desk import administration, board, order, picking, prints
from grocery.storefront.desk import products as desk_products
from grocery.storefront.desk import promotions as desk_promotions
from grocery.storefront.desk import slots as desk_slots
from grocery.storefront.desk import views as desk
from grocery.storefront.following import document_views
from grocery.storefront.following import views as following
from grocery.storefront.lists import item_views
from grocery.storefront.lists import views as lists
from grocery.storefront.shop import app_files, data_views, narrow_views, product_views
from grocery.storefront.shop import views as shop

__all__ = [
    "app_files",
    "data_views",
    "document_views",
    "init_app",
    "item_views",
    "narrow_views",
    "order",
    "prints",
    "product_views",
]

#: What is shown after a redirect travels in a cookie of its own, signed, which no script can read.
_SESSION_COOKIE = {
    "SESSION_COOKIE_NAME": "said",
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
}


def init_app(app: Flask) -> None:
    app.config.update(_SESSION_COOKIE, SESSION_COOKIE_SECURE=app.extensions["settings"].is_production)
    compressing.init_app(app)
    languages.init_app(app)
    looks.init_app(app)
    context.init_app(app)
    not_found.init_app(app)
    for blueprint in (
        assets.blp,
        shop.blp,
        basket.blp,
        checkout.blp,
        account.blp,
        desk.blp,
        board.blp,
        picking.blp,
        desk_products.blp,
        desk_promotions.blp,
        desk_slots.blp,
        *administration.BLUEPRINTS,
        following.blp,
        lists.blp,
    ):
        app.register_blueprint(blueprint)
