"""Blueprints of the storefront: what all its pages have in common, and parts of pages for the script."""

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, flash, make_response, redirect, render_template, request, session, url_for
from flask_babel import get_locale
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.pages import SAFE_METHODS, Pages
from grocery.storefront.basket.current import know_no_basket
from grocery.storefront.compressing import compressed
from grocery.storefront.errors import add_error_pages
from grocery.storefront.languages import keep_language
from grocery.storefront.returning import return_address

#: The script asks for parts of a page with this header, and the answer has it when these are what it brings.
PARTS_HEADER = "X-Parts"

_ROOT = Path(__file__).parent

# What is said travels in a cookie, compressed; browsers drop one of more than 4096 bytes without a word.
_LONGEST_SAID = 300
_ROOM_TO_SAY = 2600

# Scripts and styles are files of our own. Pictures of products may be anywhere: their addresses are the admins' choice.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:{media}; "
    "connect-src 'self'{stream}; manifest-src 'self'; worker-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)


class StorePages(Pages):
    """A blueprint of pages for people: HTML errors, a policy for what pages may load, a language, entity tags."""

    def __init__(self, name: str, import_name: str, **options: object):
        super().__init__(name, import_name, template_folder=str(_ROOT / "templates"), **options)
        self.before_request(know_no_basket)
        self.after_request(finish)
        add_error_pages(self)


class PrivatePages(StorePages):
    """Pages about a person, which nobody may keep: not the browser of a shared phone either, after the sign-out."""

    def __init__(self, name: str, import_name: str, **options: object):
        super().__init__(name, import_name, **options)
        self.after_request(_forbid_keeping)


def render(template: str, **values: Any) -> Response:
    """A page."""
    return make_response(render_template(template, **values))


def refused(page: Response) -> Response:
    """The page again with what is wrong on it, as an answer to a form that changed nothing."""
    page.status_code = 422
    return page


def wants_parts() -> bool:
    """Whether the page's script asks, which puts parts into the page instead of loading one."""
    return PARTS_HEADER in request.headers


def render_parts(template: str, **values: Any) -> Response:
    """Elements with ids, each of which replaces the one with the same id in the page."""
    response = render(template, **values)
    response.headers[PARTS_HEADER] = "1"
    return response


def go(endpoint: str, **values: Any) -> AnyResponse:
    """Lead to another page after something was done."""
    return redirect(url_for(endpoint, **values), 303)


def go_back(default: str, **values: Any) -> AnyResponse:
    """Lead to the page that the form names, else to this endpoint."""
    return redirect(return_address() or url_for(default, **values), 303)


def say(message: str, kind: str = "good") -> None:
    """Show a message on the next page: `good`, `bad` or `note`."""
    flash(message[:_LONGEST_SAID], kind)
    said: list[tuple[str, str]] = session["_flashes"]
    while len(said) > 1 and len(zlib.compress(json.dumps(said).encode())) > _ROOM_TO_SAY:
        del said[0]


def page_policy() -> str:
    """The Content-Security-Policy of pages."""
    stream = _origin(current_app.config["STREAM_URL"])
    media = _origin(current_app.config["MEDIA_URL"])
    return _POLICY.format(stream=stream, media=media)


def finish(response: Response) -> Response:
    """What all pages have: the policy, the language that was chosen, what proxies must know, a tag, compression."""
    response.headers.setdefault("Content-Security-Policy", page_policy())
    if response.mimetype == "text/html":
        keep_language(response)
        response.headers["Content-Language"] = str(get_locale())
        response.vary.update(["Cookie", "Accept-Language", "Save-Data", PARTS_HEADER])
        response.headers.setdefault("Cache-Control", "private, no-cache")
        if request.method in SAFE_METHODS and response.status_code == 200:
            response.set_etag(hashlib.blake2b(response.get_data(), digest_size=9).hexdigest(), weak=True)
    return compressed(response)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _forbid_keeping(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    return response
