"""Styles, scripts and drawings: addresses that change with the content, so that browsers keep them for ever.

All have one version, that of all together: scripts import each other by their place beside them.
"""

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, url_for
from werkzeug.exceptions import NotFound

from grocery.api import public
from grocery.storefront.compressing import compressed

FOLDER = Path(__file__).parent / "static"

blp = Blueprint("assets", __name__, url_prefix="/static")

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
_A_YEAR = 31_536_000


def asset_url(name: str) -> str:
    """The address of a file below `static/`; raises KeyError for one that is not there."""
    if name not in _files():
        raise KeyError(name)
    return url_for("assets.send_asset", version=assets_version(), name=name)


def asset(name: str) -> str:
    """The text of a file below `static/`, to be written into a page; raises KeyError."""
    return _files()[name].decode()


@blp.get("/<version>/<path:name>")
@public
def send_asset(version: str, name: str) -> Response:
    content = _files().get(name)
    if content is None:
        raise NotFound
    response = Response(content, mimetype=_TYPES[Path(name).suffix])
    response.set_etag(_digest(content), weak=True)
    # An older page asks for what it knew: it gets what there is now, and asks again next time.
    is_current = version == assets_version()
    response.headers["Cache-Control"] = f"public, max-age={_A_YEAR}, immutable" if is_current else "no-cache"
    return compressed(response)


@cache
def assets_version() -> str:
    """The one of all files together."""
    return _digest(b"".join(name.encode() + content for name, content in sorted(_files().items())))


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=6).hexdigest()


@cache
def _files() -> dict[str, bytes]:
    """All files by name. They are few and small, and change only with the program."""
    return {str(path.relative_to(FOLDER)): path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}
