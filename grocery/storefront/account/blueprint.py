"""The blueprint of all that is about one's account, and what its pages have in common."""

from flask import Response

from grocery.storefront.pages import PrivatePages

blp = PrivatePages("account", __name__)


def keep_secret(response: Response) -> Response:
    """For pages that show a secret, or have one in their address: kept by nobody, and told to nobody.

    Not "no-referrer": with that, browsers send their forms with "Origin: null", and those that are too old to say
    `Sec-Fetch-Site` beside it would be taken for another site (https://fetch.spec.whatwg.org/#origin-header).
    """
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "strict-origin"
    return response
