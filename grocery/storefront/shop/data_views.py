"""The switch for those whose network is slow or dear."""

from flask import request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import optional_person
from grocery.storefront.data_use import keep_data_use
from grocery.storefront.pages import go_back, say
from grocery.storefront.shop.views import blp


@blp.post("/low-data")
@optional_person
def set_data_use() -> AnyResponse:
    """Show no pictures any more (`is_low`), or show them again."""
    is_low = request.form.get("is_low") == "1"
    say(gettext("Pages come without pictures now.") if is_low else gettext("Pages come with pictures again."))
    return keep_data_use(go_back("shop.home"), is_low=is_low)
