"""The links in messages that let their reader change something without signing in. The link is the key."""

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from grocery.errors import NotFoundError
from grocery.keys import keys_of

# A link that ends with a hyphen is cut short by the programs that make one of plain text.
_END = ".u"


class LinkNotFoundError(NotFoundError):
    code = "link_not_found"

    def __init__(self) -> None:
        super().__init__("There is nothing behind this link. Please check that it is complete.")


def find_unsubscribe_link(address: str) -> str | None:
    """Where the holder of an e-mail address ends our offers; None while the shop has no public address.

    It holds as long as its key is SECRET_KEY or among the fallbacks: an old mail must not lose its way out.
    """
    shop_url: str = current_app.config["SHOP_URL"]
    return f"{shop_url}/notify/unsubscribe/{make_unsubscribe_token(address)}" if shop_url else None


def make_unsubscribe_token(address: str) -> str:
    """The address, signed by this shop."""
    return f"{_serializer().dumps(address)}{_END}"


def read_unsubscribe_token(token: str) -> str:
    """The address in a token; raises LinkNotFoundError."""
    try:
        address = _serializer().loads(token.removesuffix(_END))
    except BadData:
        raise LinkNotFoundError from None
    return str(address)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(keys_of(current_app.config).oldest_first, salt="grocery.notify.unsubscribe")
