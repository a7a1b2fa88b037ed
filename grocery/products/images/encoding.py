"""The files that are made of a picture: WebP in three widths, named by what is in them."""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import IO

from PIL import Image
from PIL.Image import Resampling

from grocery.products.images.addresses import WIDTHS, name_of, path_of
from grocery.products.images.decoding import decode

#: Bytes that a thumbnail should have at most: twenty of them come with each page of a list, over a slow network.
THUMBNAIL_BYTES = 6000

_QUALITY = 75
# A thumbnail that is too large is tried with less, down to where it begins to look bad.
_THUMBNAIL_QUALITIES = (75, 65, 55, 45, 35)


@dataclass(frozen=True)
class Picture:
    """A picture ready to be stored: bytes by name, all below one digest of their content."""

    digest: str
    files: dict[str, bytes]

    @property
    def path(self) -> str:
        """What a product's row is to have as its `image_url`."""
        return path_of(self.digest)


def read_picture(file: IO[bytes]) -> Picture:
    """Decode and re-encode what was sent; only pixels get through. Raises what `decode` raises."""
    image = decode(file, max(WIDTHS))
    versions = {width: _encode(image, width) for width in WIDTHS}
    digest = hashlib.blake2b(b"".join(versions.values()), digest_size=16).hexdigest()
    return Picture(digest, {name_of(digest, width): data for width, data in versions.items()})


def _encode(image: Image.Image, width: int) -> bytes:
    scale = min(1.0, width / image.width)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = image if size == image.size else image.resize(size, Resampling.LANCZOS)
    if width != min(WIDTHS):
        return _webp(small, _QUALITY)
    data = b""
    for quality in _THUMBNAIL_QUALITIES:
        data = _webp(small, quality)
        if len(data) <= THUMBNAIL_BYTES:
            break
    return data


def _webp(image: Image.Image, quality: int) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()
