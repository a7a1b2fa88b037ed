"""Upload and removal of a product's picture."""

from flask import Response, jsonify
from sqlalchemy import Row

from grocery.api import Blueprint
from grocery.auth.access import admin_required, current_person
from grocery.db import reader, transaction
from grocery.products.examples import PRODUCT
from grocery.products.images import service
from grocery.products.images.encoding import read_picture
from grocery.products.images.examples import PICTURED_PRODUCT
from grocery.products.images.receiving import FORM_TYPE, RAW_TYPES, received_file
from grocery.products.rows import product_json
from grocery.products.schemas import ProductSchema
from grocery.products.service import check_product_exists, get_product
from grocery.web import add_etag, check_version, sent_version

blp = Blueprint("product_images", __name__, url_prefix="/products", description="Pictures of products.")

_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` that was read: when somebody has changed the product since, nothing is done.",
}
_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "For `If-None-Match` and `If-Match`."}}
_STALE = "The product was changed since it was read: `stale_version`."
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "required": True,
    "description": "A JPEG, PNG or WebP file of up to 10 MiB: in a form, or as it is.",
    "content": {
        FORM_TYPE: {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        },
        **dict.fromkeys(RAW_TYPES, _BINARY),
    },
}


@blp.route("/<int:product_id>/image", methods=["POST"])
@admin_required
@blp.doc(parameters=[_IF_MATCH], requestBody=_BODY)
@blp.problems(
    _400="The form is not a valid one.",
    _412=_STALE,
    _413="The file has more than 10 MiB.",
    _415="Neither a form nor a JPEG, PNG or WebP file.",
    _422="`unreadable_image`, `image_too_large` (more than 40 million pixels, WebP 20), `image_too_small` (a side below"
    " 100), or there is no `file`.",
    _503="`busy`: another picture is being read. `media_unavailable`: the store of pictures is away.",
)
@blp.response(200, ProductSchema, description="The product as it is now.", headers=_ETAG, example=PICTURED_PRODUCT)
def set_product_image(product_id: int) -> Response:
    """Give a product a picture

    It is decoded and made anew as WebP, 320, 640 and 1280 pixels wide (never enlarged, at most twice as high), upright,
    in sRGB and without metadata; `images` has the addresses. Of an animation the first picture is taken. What counts
    is what the file is, not what it is called.
    """
    version = sent_version()
    with reader() as connection:
        check_version(get_product(connection, product_id, with_withdrawn=True).version, version)
    with received_file() as file:
        picture = read_picture(file)
    with transaction():
        row = service.set_picture(product_id, picture, version=version, actor_id=current_person().id)
    return _answer(row)


@blp.route("/<int:product_id>/image", methods=["DELETE"])
@admin_required
@blp.found_first(check_product_exists)
@blp.doc(parameters=[_IF_MATCH])
@blp.problems(_412=_STALE)
@blp.response(200, ProductSchema, description="The product as it is now.", headers=_ETAG, example=PRODUCT)
def remove_product_image(product_id: int) -> Response:
    """Take a product's picture away

    The files go later, when no other product has the same picture.
    """
    version = sent_version()
    with transaction():
        row = service.remove_picture(product_id, version=version, actor_id=current_person().id)
    return _answer(row)


def _answer(row: Row) -> Response:
    return add_etag(jsonify(product_json(row, for_staff=True)), row.version)
