"""Blueprints of the desk: pages of the storefront that are private, and may use the camera to scan."""

from typing import Any

from flask import Response

from grocery.storefront.desk import words
from grocery.storefront.desk.navigation import desk_places
from grocery.storefront.pages import PrivatePages

_PERMISSIONS = "camera=(self), geolocation=(), microphone=(), payment=()"


class DeskPages(PrivatePages):
    def __init__(self, name: str, import_name: str, **options: object):
        super().__init__(name, import_name, **options)
        self.after_request(_permit_camera)
        self.context_processor(_for_templates)


def _for_templates() -> dict[str, Any]:
    return {"desk_places": desk_places, **words.for_templates()}


def _permit_camera(response: Response) -> Response:
    response.headers["Permissions-Policy"] = _PERMISSIONS
    return response
