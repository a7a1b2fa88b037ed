"""Names and addresses of pictures. A product's row has the path below; only answers have the public address.

So a shop can move its pictures behind another host by a setting, without touching a row.
"""

import re

WIDTHS = (320, 640, 1280)

#: The width that `image_url` has; the others are in `images`.
MAIN_WIDTH = 640

_PATH = "/media"
_DIGEST = "[0-9a-f]{32}"
_NAME = re.compile(rf"({_DIGEST})/({'|'.join(map(str, WIDTHS))})\.webp")

#: For PostgreSQL: the digest within an `image_url` that is one of ours, whatever stands before it.
DIGEST_IN_ADDRESS = rf"/({_DIGEST})/[0-9]+\.webp$"


def name_of(digest: str, width: int) -> str:
    """The name in the store: `0b1c…/640.webp`."""
    return f"{digest}/{width}.webp"


def digest_of(name: str) -> str | None:
    """The digest in the name of a stored file; None for a name that is not of our form."""
    match = _NAME.fullmatch(name)
    return match[1] if match else None


def path_of(digest: str) -> str:
    """What a product's row has."""
    return f"{_PATH}/{name_of(digest, MAIN_WIDTH)}"


def stored_address(address: str, media_url: str) -> str:
    """The address as a row has it: one that a client read in an answer and sends back becomes the path again."""
    name = address.removeprefix(media_url).removeprefix("/")
    return f"{_PATH}/{name}" if address.startswith(f"{media_url}/") and _NAME.fullmatch(name) else address


def public_address(address: str | None, media_url: str) -> str | None:
    """The address for answers: below `media_url` when the picture is one of ours, else as it is."""
    name = _own_name(address)
    return address if name is None else f"{media_url}/{name}"


def public_addresses(address: str | None, media_url: str) -> dict[str, str] | None:
    """The addresses by width; None when there is no picture, or a foreign one, of which we know no other widths."""
    name = _own_name(address)
    digest = digest_of(name) if name else None
    return None if digest is None else {str(width): f"{media_url}/{name_of(digest, width)}" for width in WIDTHS}


def _own_name(address: str | None) -> str | None:
    if address is None or not address.startswith(f"{_PATH}/"):
        return None
    name = address[len(_PATH) + 1 :]
    return name if _NAME.fullmatch(name) else None
