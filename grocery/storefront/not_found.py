"""Addresses that lead nowhere, or show nothing: for people a page that helps, for programs a problem document."""

from typing import Any

from flask import Flask, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from grocery.errors import handle_http_exception
from grocery.storefront.errors import error_page
from grocery.storefront.pages import finish

# Paths of the API are not for people: whoever gets lost there wants JSON, browsers included.
_PATHS_OF_THE_API = ("/auth/", "/orders/", "/products/", "/docs", "/openapi.json", "/notify/")


def init_app(app: Flask) -> None:
    app.register_error_handler(NotFound, _show_not_found)
    app.register_error_handler(MethodNotAllowed, _show_not_found)


def _show_not_found(error: NotFound | MethodNotAllowed) -> Any:
    best = request.accept_mimetypes.best_match(("application/json", "text/html"), "application/json")
    if best != "text/html" or request.path.startswith(_PATHS_OF_THE_API):
        return handle_http_exception(error)
    # No blueprint has this address, so none gives it the policy that lets styles and the search in.
    response = finish(error_page(error.code or 404))
    response.headers.extend((name, value) for name, value in error.get_headers() if name == "Allow")
    return response
