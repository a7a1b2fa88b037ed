"""The files of pictures, for everybody. Without the database: a page of pictures must not wait for it."""

from flask import Response, request

from grocery.api import Blueprint, public
from grocery.products.images.addresses import digest_of, name_of
from grocery.products.images.errors import PictureNotFoundError
from grocery.products.images.extension import store
from grocery.products.images.stores import CACHE_CONTROL, CONTENT_TYPE

blp = Blueprint("media", __name__, url_prefix="/media", description="The files of pictures.")

_HEADERS = {
    "Cache-Control": CACHE_CONTROL,
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    # Shops' own apps on other origins show the pictures, too.
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@blp.route("/<string(length=32):digest>/<any('320', '640', '1280'):width>.webp")
@public
@blp.alt_response(304, description="It is the same for ever.", success=True)
@blp.response(
    200,
    {"type": "string", "format": "binary"},
    content_type=CONTENT_TYPE,
    description="The picture.",
    headers={name: {"schema": {"type": "string"}} for name in ("ETag", "Cache-Control")},
)
def get_picture(digest: str, width: str) -> Response:
    """Fetch a picture

    The address comes from a product's `images`. It is made from the content, so it may be kept for ever.
    """
    name = name_of(digest, int(width))
    if digest_of(name) is None:
        raise PictureNotFoundError
    tag = f"{digest}-{width}"
    # What has this tag has the content too: the store need not be asked.
    is_known = not request.if_none_match.star_tag and request.if_none_match.contains_weak(tag)
    response = Response(b"" if is_known else store().get(name), content_type=CONTENT_TYPE, headers=_HEADERS)
    response.set_etag(tag)
    if is_known:
        response.status_code = 304
    return response
