"""Forms that bring a file: more than other forms may have, and only from those who may send it."""

from collections.abc import Mapping
from typing import NamedTuple

from flask import Blueprint, request
from flask_babel import gettext
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import role_of_browser
from grocery.storefront.errors import error_page
from grocery.storefront.pages import go, say

#: What a form has around its file.
_FORM_BYTES = 64 * 1024


class FileForm(NamedTuple):
    """How many bytes the file may have, and the endpoint of the page that has the form."""

    max_bytes: int
    page: str


def take_files(blueprint: Blueprint, file_forms: Mapping[str, FileForm]) -> None:
    """Let these endpoints take forms with a file, from admins.

    Before anything else is done with the request: the check of where a form comes from reads it, file and all. So who
    sends it must be known before.
    """

    def raise_limit(endpoint: str | None, _values: object) -> None:
        form = file_forms.get(endpoint or "")
        if form and request.method == "POST" and role_of_browser() == "admin":
            request.max_content_length = form.max_bytes + _FORM_BYTES

    def say_too_large(_error: RequestEntityTooLarge) -> AnyResponse:
        form = file_forms.get(request.endpoint or "")
        if form is None:
            return error_page(RequestEntityTooLarge.code)
        most = form.max_bytes // 1024 // 1024
        say(gettext("The file is too big: %(most)s MB at most. Nothing was changed.", most=most), "bad")
        return go(form.page, **(request.view_args or {}))

    blueprint.url_value_preprocessor(raise_limit)
    blueprint.register_error_handler(RequestEntityTooLarge, say_too_large)
