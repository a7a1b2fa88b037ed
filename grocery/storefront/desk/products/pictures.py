"""A product's picture: a photo as it comes from the phone goes in, small ones come out."""

from flask import request
from flask_babel import gettext, lazy_gettext
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required, current_person
from grocery.db import transaction
from grocery.errors import BusyError, InvalidError
from grocery.products.images import service
from grocery.products.images.encoding import Picture, read_picture
from grocery.products.images.receiving import MAX_FILE_BYTES
from grocery.products.service import check_product_exists
from grocery.storefront.desk import forms
from grocery.storefront.desk.products.blueprint import blp
from grocery.storefront.pages import go, say

_WORDS = {
    "unreadable_image": ("file", lazy_gettext("This is no picture that we can read. Use a JPEG, PNG or WebP file.")),
    "image_too_large": ("file", lazy_gettext("The picture has too many pixels. Make it smaller first.")),
    "image_too_small": ("file", lazy_gettext("The picture is too small: each side needs 100 pixels or more.")),
    "file": lazy_gettext("Choose a photo first."),
}


@blp.post("/<int:product_id>/picture")
@admin_required
def set_picture(product_id: int) -> AnyResponse:
    try:
        version = forms.sent_version()
        check_product_exists(product_id)
        picture = _sent_picture()
        with transaction():
            service.set_picture(product_id, picture, version=version, actor_id=current_person().id)
    except forms.REFUSALS as error:
        say(forms.first_of(forms.explain(error, _WORDS)), "bad")
    except BusyError:
        say(gettext("Another picture is being made just now. Try again in a moment."), "bad")
    else:
        say(gettext("The new picture is in the shop."))
    return go("desk_products.show_product", product_id=product_id)


@blp.post("/<int:product_id>/picture/remove")
@admin_required
def remove_picture(product_id: int) -> AnyResponse:
    try:
        with transaction():
            service.remove_picture(product_id, version=forms.sent_version(), actor_id=current_person().id)
    except forms.REFUSALS as error:
        say(forms.first_of(forms.explain(error, _WORDS)), "bad")
    else:
        say(gettext("The picture is gone."))
    return go("desk_products.show_product", product_id=product_id)


def _sent_picture() -> Picture:
    sent = request.files.get("file")
    size = sent.stream.seek(0, 2) if sent else 0
    if sent is None or not size:
        raise InvalidError("The request needs a picture.", errors={"file": ["The file is missing or empty."]})
    if size > MAX_FILE_BYTES:
        raise RequestEntityTooLarge
    sent.stream.seek(0)
    return read_picture(sent.stream)
