"""Swagger UI at /docs, from the files inside the package flask-swagger-ui.

Its own page has inline script, which a strict Content-Security-Policy forbids; this one has its script in a file.
"""

from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response, make_response, render_template, send_from_directory

from grocery.api import public

bp = Blueprint("swagger", __name__, template_folder="templates", static_folder="static", url_prefix="/docs")

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def _dist() -> Path:
    spec = find_spec("flask_swagger_ui")
    if spec is None or spec.origin is None:
        raise RuntimeError("the package flask-swagger-ui is not installed")
    return Path(spec.origin).parent / "dist"


DIST = _dist()


@bp.get("/", strict_slashes=False)
@public
def page() -> Response:
    response = make_response(render_template("swagger.html"))
    response.headers["Content-Security-Policy"] = _POLICY
    return response


@bp.get("/ui/<path:name>")
@public
def asset(name: str) -> Response:
    return send_from_directory(DIST, name, max_age=86_400)
