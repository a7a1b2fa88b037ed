"""What makes the shop an app of the phone: its manifest, its service worker, and the page without network."""

from typing import Any

from flask import Response, current_app, url_for
from flask_babel import force_locale, get_locale, gettext

from grocery.api import public
from grocery.config import LANGUAGES
from grocery.storefront.assets import asset, asset_url, assets_version
from grocery.storefront.pages import render
from grocery.storefront.shop.views import blp

#: What every page needs, so that those that are kept look right without network.
_KEPT_FILES = ("shop.css", "shop.js", "drawings.svg", "icon.svg")

_ICONS = (
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-mask.png", "512x512", "maskable"),
)


@blp.get("/manifest.webmanifest")
@public
def show_manifest() -> Response:
    name = current_app.config["SHOP_NAME"]
    manifest = {
        "id": "/",
        "name": name,
        "short_name": name if len(name) <= 12 else name.split()[0][:12],
        "description": gettext("Fresh groceries, brought to you"),
        "lang": _language(),
        "dir": "ltr",
        "start_url": url_for("shop.home"),
        "scope": "/",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#146c43",
        "categories": ["food", "shopping"],
        "icons": [
            {"src": asset_url("icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
            *(
                {"src": asset_url(name), "sizes": sizes, "type": "image/png", "purpose": use}
                for name, sizes, use in _ICONS
            ),
        ],
        "shortcuts": [
            _shortcut(gettext("Basket"), url_for("basket.show")),
            _shortcut(gettext("My orders"), "/account/orders"),
        ],
    }
    return Response(current_app.json.dumps(manifest), mimetype="application/manifest+json")


@blp.get("/sw.js")
@public
def send_worker() -> Response:
    """The service worker, with the files of this version and its words in all languages.

    The same for everybody: where workers change while a page leads on to another one, Chromium may show neither.
    """
    known = {
        "version": assets_version(),
        "files": [asset_url(name) for name in _KEPT_FILES],
        "lang": current_app.config["SHOP_LANGUAGE"],
        "words": {language: _worker_words(language) for language in LANGUAGES},
    }
    response = Response(
        f"const SHOP = {current_app.json.dumps(known)};\n{asset('worker.js')}", mimetype="text/javascript"
    )
    response.headers["Cache-Control"] = "no-cache"
    return response


@blp.get("/offline")
@public
def show_offline() -> Response:
    return render("shop/offline.html")


def _worker_words(language: str) -> dict[str, str]:
    with force_locale(language):
        as_of = gettext("No network. This is how it was at %(time)s; prices may have changed.", time="{time}")
    return {"offline": url_for("shop.show_offline", lang=language), "asOf": as_of}


def _shortcut(name: str, address: str) -> dict[str, Any]:
    return {"name": name, "url": address, "icons": [{"src": asset_url("icon-192.png"), "sizes": "192x192"}]}


def _language() -> str:
    return str(get_locale())
