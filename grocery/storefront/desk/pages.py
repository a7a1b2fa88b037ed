"""Blueprints of the desk: pages of the storefront that are private; some may use the camera, to scan."""

from typing import Any

from flask import Response

from grocery.storefront.desk import words
from grocery.storefront.desk.navigation import desk_places
from grocery.storefront.pages import PrivatePages

_PERMISSIONS = "camera=(self), geolocation=(), microphone=(), payment=()"


class DeskPages(PrivatePages):
    def __init__(self, name: str, import_name: str, **options: object):
        super().__init__(name, import_name, **options)
        self.context_processor(_for_templates)


def with_camera(response: Response) -> Response:
    """The page, which may use the camera: one with `desk/_scanner.html`. No other page of the shop may."""
    response.headers["Permissions-Policy"] = _PERMISSIONS
    return response


def _for_templates() -> dict[str, Any]:
    return {"desk_places": desk_places, **words.for_templates()}
